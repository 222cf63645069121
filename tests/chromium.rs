//! Debian's Chromium with both strengths of the pin: unprivileged and headless, on a page
//! of the test's own HTTP server.

#[path = "testenv/running.rs"]
mod running;
#[path = "testenv/site.rs"]
mod site;
mod testenv;

use std::os::unix::fs::chown;

use running::{Process, Running, lacks_floor_of_zero};
use site::{Site, alone, shows_the_page};
use testenv::{
    Launch, NOBODY, TempDir, is_root, lacks_landlock, lacks_user_namespaces, oomexec, tool,
};

/// Starts Chromium through oomexec, to make a screenshot of the site.
fn start(site: &Site, options: &[&str], flags: &[&str]) -> Running {
    let dir = TempDir::new();
    let oomexec = dir.copy(oomexec(), "oomexec");
    let home = dir.dir("home");
    if is_root() {
        chown(&home, Some(NOBODY), Some(NOBODY)).expect("the home's new owner");
    }
    let home = home.to_str().expect("UTF-8");
    let chromium = tool("chromium");
    let mut args = options.to_vec();
    args.extend(["--", chromium.to_str().expect("UTF-8")]);
    args.extend(flags);
    args.extend([
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=320,240",
    ]);
    let data = format!("--user-data-dir={home}/data");
    let screenshot = format!("--screenshot={home}/screenshot.png");
    let page = format!("http://{}/", site.address);
    args.extend([&data[..], &screenshot, &page]);
    let launch = Launch::through(&oomexec, args)
        .path(&[b"/usr/bin", b"/bin"])
        .env(format!("HOME={home}"))
        .env(format!("TMPDIR={home}"))
        .unprivileged();
    Running::start(dir, launch)
}

/// Lets the page load and asserts that the screenshot shows it.
#[track_caller]
fn finishes(mut browser: Running, site: &Site) {
    site.release();
    let status = browser.wait();
    assert!(status.success(), "{status}: {}", browser.log());
    shows_the_page(&browser.dir.join("home/screenshot.png"));
}

/// Every kind of process that a page needs.
const KINDS: [&str; 6] = [
    "browser",
    "zygote",
    "gpu-process",
    "utility",
    "renderer",
    "crash handler",
];

/// Returns its processes by kind.
fn sample(browser: &Running) -> Vec<(String, Process)> {
    let kind = |(pid, process): (i32, Process)| {
        let mut words = process.line.split(' ');
        let program = words.next().unwrap_or_default();
        let kind = match words.find_map(|word| word.strip_prefix("--type=")) {
            Some(kind) => kind,
            None if program.ends_with("crashpad_handler") => "crash handler",
            None if pid == browser.pid() => "browser",
            None => "other",
        };
        (kind.to_owned(), process)
    };
    browser.processes().into_iter().map(kind).collect()
}

/// Whether the page's renderer runs, and with it every kind of process.
fn is_shown(site: &Site, sample: &[(String, Process)]) -> bool {
    let there = |kind: &&str| sample.iter().any(|(other, _)| other == kind);
    site.picture_is_wanted() && KINDS.iter().all(there)
}

/// Asserts that each process stays at 1000, until long after the page's renderer has
/// started; returns the last sample.
#[track_caller]
fn held(site: &Site, browser: &mut Running) -> Vec<(String, Process)> {
    let watch = browser.watch();
    // Chromium sets a score when it starts a process, and when a tab opens or
    // closes. This many looks take many times what either does.
    let (mut looks, mut last) = (0, Vec::new());
    browser.until("the page is shown", |browser| {
        last = sample(browser);
        looks += usize::from(is_shown(site, &last));
        looks == 40
    });
    watch.held();
    last
}

fn pid_namespaces(process: &Process) -> usize {
    // Its process id in each of its pid namespaces.
    process.status["NSpid"].split_whitespace().count()
}

#[test]
fn every_process_of_pinned_chromium_with_its_sandbox_stays_at_1000() {
    if lacks_landlock(3) || lacks_user_namespaces() {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let mut browser = start(&site, &["--pin"], &[]);
    let sample = held(&site, &mut browser);
    let of = |kind| sample.iter().filter(move |(other, _)| other == kind);
    let outside = of("browser").map(|(_, process)| pid_namespaces(process));
    let outside = outside.max().expect("a browser");
    for (_, process) in of("renderer") {
        // It has a seccomp filter and a pid namespace, which needs a user namespace.
        assert_eq!(process.status["Seccomp"], "2", "{process:#?}");
        assert!(pid_namespaces(process) > outside, "{process:#?}");
    }
    finishes(browser, &site);
}

#[test]
fn every_process_of_pinned_chromium_without_its_sandbox_stays_at_1000_at_either_strength() {
    if lacks_landlock(3) {
        return;
    }
    let _alone = alone();
    for pin in ["--pin", "--pin=write"] {
        let site = Site::new();
        let mut browser = start(&site, &[pin], &["--no-sandbox"]);
        held(&site, &mut browser);
        finishes(browser, &site);
    }
}

#[test]
fn chromium_with_its_sandbox_does_not_start_under_pin_write_and_says_so() {
    if lacks_landlock(3) {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let mut browser = start(&site, &["--pin=write"], &[]);
    let status = browser.wait();
    assert!(!status.success(), "{status}");
    assert!(browser.log().contains("sandbox"), "{}", browser.log());
    assert!(!site.picture_is_wanted());
}

#[test]
fn chromium_without_the_pin_resets_its_scores() {
    if lacks_user_namespaces() || lacks_floor_of_zero() {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let mut browser = start(&site, &[], &[]);
    let own = |kind: &str| match kind {
        "browser" | "zygote" => "0",
        "gpu-process" | "utility" => "200",
        "renderer" => "300",
        // They set no score and keep oomexec's.
        _ => "1000",
    };
    // A new process has its parent's score for a moment.
    let mut in_a_row = 0;
    browser.until("its scores are those that the documents tell", |browser| {
        let sample = sample(browser);
        let mut all = sample.iter();
        let as_ever = all.all(|(kind, process)| process.score == own(kind));
        in_a_row = match as_ever && is_shown(&site, &sample) {
            true => in_a_row + 1,
            false => 0,
        };
        in_a_row == 10
    });
    finishes(browser, &site);
}
