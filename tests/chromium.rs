//! Debian's Chromium with `--pin`: unprivileged and headless, on a page of the test's
//! own HTTP server.

mod testenv;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use testenv::{
    Launch, NOBODY, TempDir, check, is_root, lacks, lacks_landlock, lacks_user_namespaces, oomexec,
    program, text, tool,
};

/// Anything that takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// Waits until no other test runs a browser: each is a dozen processes.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An HTTP server of one page of one colour with a picture. It holds the picture back
/// until the test has seen enough; the page's load event and the screenshot wait for
/// it.
struct Site {
    address: SocketAddr,
    picture: Arc<Picture>,
}

#[derive(Default)]
struct Picture {
    wanted: AtomicBool,
    released: AtomicBool,
}

const COLOUR: &str = "c0ffee";

impl Site {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let picture = Arc::<Picture>::default();
        let of_server = Arc::clone(&picture);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let picture = Arc::clone(&of_server);
                // The browser opens connections in advance, which cause errors.
                thread::spawn(move || answer(stream, &picture));
            }
        });
        Self { address, picture }
    }

    fn picture_is_wanted(&self) -> bool {
        self.picture.wanted.load(Ordering::SeqCst)
    }

    fn release(&self) {
        self.picture.released.store(true, Ordering::SeqCst);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.release();
    }
}

fn answer(mut stream: TcpStream, picture: &Picture) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let (status, page) = if request.starts_with(b"GET / ") {
        let page = format!("<body style='background: #{COLOUR}'><img src=/picture>");
        ("200 OK", page)
    } else {
        if request.starts_with(b"GET /picture ") {
            picture.wanted.store(true, Ordering::SeqCst);
            while !picture.released.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
        }
        // A missing picture completes the page too.
        ("404 Not Found", String::new())
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    )
}

/// A process of the browser.
#[derive(Debug)]
struct Process {
    kind: String,
    score: String,
    status: BTreeMap<String, String>,
}

impl Process {
    /// Returns the number of its pid namespaces that this process sees.
    fn pid_namespaces(&self) -> usize {
        self.status["NSpid"].split_whitespace().count()
    }
}

/// A running browser with its own directory, killed on drop.
struct Browser {
    dir: TempDir,
    child: Child,
}

impl Browser {
    /// Starts Chromium through oomexec, to make a screenshot of the site.
    fn start(site: &Site, options: &[&str], flags: &[&str]) -> Self {
        let dir = TempDir::new();
        let oomexec = dir.copy(oomexec(), "oomexec");
        let home = dir.dir("home");
        if is_root() {
            chown(&home, Some(NOBODY), Some(NOBODY)).expect("the home's new owner");
        }
        let shown = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let home = shown(&home);
        let chromium = shown(&tool("chromium"));
        let mut args: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        args.extend(["--".to_owned(), chromium]);
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        for flag in [
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=320,240",
        ] {
            args.push(flag.to_owned());
        }
        args.push(format!("--user-data-dir={home}/data"));
        args.push(format!("--screenshot={home}/screenshot.png"));
        args.push(format!("http://{}/", site.address));
        let log = |name| File::create(dir.join(name)).expect("a file");
        let launch = Launch::through(&oomexec, args)
            .path(&[b"/usr/bin", b"/bin"])
            .env(format!("HOME={home}"))
            .env(format!("TMPDIR={home}"))
            .stdout(log("stdout"))
            .stderr(log("stderr"))
            .unprivileged()
            // SAFETY: the call takes numbers.
            .prepare(|| check(unsafe { libc::setpgid(0, 0) }));
        let child = launch.spawn();
        Self { dir, child }
    }

    /// Returns the browser's processes, except one that is still oomexec.
    fn processes(&self) -> BTreeMap<i32, Process> {
        let browser = self.child.id() as i32;
        let mut all = BTreeMap::new();
        for entry in fs::read_dir("/proc").expect("/proc").flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            // A process that has ended does not count.
            let read = |name: &str| fs::read(entry.path().join(name)).map(|all| text(&all));
            let Ok(line) = read("cmdline") else { continue };
            let Ok(score) = read("oom_score_adj") else {
                continue;
            };
            let Ok(status) = read("status") else { continue };
            let fields = status.lines().filter_map(|line| line.split_once(':'));
            let status: BTreeMap<_, _> = fields
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect();
            if status["State"].starts_with('Z') {
                continue;
            }
            all.insert(pid, (line, score.trim().to_owned(), status));
        }
        // The crash handlers are no descendants; their command line has the
        // directory that they write to.
        let home = self.dir.path().to_str().expect("UTF-8");
        let mut own: BTreeSet<i32> = all
            .iter()
            .filter(|(pid, (line, ..))| **pid == browser || line.contains(home))
            .map(|(pid, _)| *pid)
            .collect();
        loop {
            let parent = |status: &BTreeMap<String, String>| status["PPid"].parse::<i32>();
            let children: Vec<i32> = all
                .iter()
                .filter(|(pid, (.., status))| {
                    !own.contains(*pid) && parent(status).is_ok_and(|pid| own.contains(&pid))
                })
                .map(|(pid, _)| *pid)
                .collect();
            if children.is_empty() {
                break;
            }
            own.extend(children);
        }
        all.into_iter()
            .filter(|(pid, (line, ..))| own.contains(pid) && !line.starts_with("oomexec\0"))
            .map(|(pid, (line, score, status))| {
                // Children of a zygote rewrite their command line with spaces.
                let mut words = line.split(['\0', ' ']);
                let kind = match words.find_map(|word| word.strip_prefix("--type=")) {
                    Some(kind) => kind,
                    None if line
                        .split('\0')
                        .next()
                        .is_some_and(|name| name.ends_with("crashpad_handler")) =>
                    {
                        "crash handler"
                    }
                    None if pid == browser => "browser",
                    None => "other",
                };
                let kind = kind.to_owned();
                (
                    pid,
                    Process {
                        kind,
                        score,
                        status,
                    },
                )
            })
            .collect()
    }

    /// Waits for the browser to end.
    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the browser is a child") {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "it hangs: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("stderr")).unwrap_or_default()
    }

    /// Lets the page load and asserts that the screenshot shows it.
    #[track_caller]
    fn finishes(mut self, site: &Site) {
        site.release();
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
        // Prints the size and the first pixel. No PNG filter changes the first
        // pixel of the first row.
        let read = "import struct, sys, zlib
data, at, pixels = open(sys.argv[1], 'rb').read(), 8, b''
assert data[:8] == b'\\x89PNG\\r\\n\\x1a\\n'
while at < len(data):
    length, kind = struct.unpack('>I4s', data[at:at + 8])
    chunk = data[at + 8:at + 8 + length]
    assert zlib.crc32(kind + chunk) == struct.unpack('>I', data[at + 8 + length:at + 12 + length])[0]
    if kind == b'IHDR':
        print(*struct.unpack('>II', chunk[:8]))
    if kind == b'IDAT':
        pixels += chunk
    at += 12 + length
print(zlib.decompress(pixels)[1:4].hex())";
        let png = self.dir.join("home/screenshot.png");
        let mut python = std::process::Command::new(tool("python3"));
        let said = testenv::run(python.args(["-c", read]).arg(png));
        assert_eq!(said, format!("320 240\n{COLOUR}\n"));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // SAFETY: the call takes numbers; the group is the child's own.
            unsafe { libc::kill(-(self.child.id() as i32), libc::SIGKILL) };
            let _ = self.child.wait();
        }
        // The crash handlers are not in the browser's process group.
        let start = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() || start.elapsed() > DEADLINE {
                break;
            }
            for pid in left.keys() {
                // SAFETY: the call takes numbers.
                unsafe { libc::kill(*pid, libc::SIGKILL) };
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
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

fn has_all_kinds(sample: &BTreeMap<i32, Process>) -> bool {
    let kinds: Vec<_> = sample.values().map(|process| &process.kind[..]).collect();
    KINDS.iter().all(|kind| kinds.contains(kind))
}

/// Asserts that each process stays at 1000, until long after the page's renderer has
/// started; returns the last sample.
#[track_caller]
fn held(site: &Site, browser: &Browser) -> BTreeMap<i32, Process> {
    let start = Instant::now();
    // Chromium sets a score when it starts a process, and when a tab opens or
    // closes. Two seconds are many times what either takes.
    let mut samples_left = 40;
    loop {
        let sample = browser.processes();
        for (pid, process) in &sample {
            assert_eq!(process.score, "1000", "{pid} {}", process.kind);
        }
        if has_all_kinds(&sample) && site.picture_is_wanted() {
            samples_left -= 1;
            if samples_left == 0 {
                return sample;
            }
        }
        assert!(start.elapsed() < DEADLINE, "{sample:#?}\n{}", browser.log());
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_process_of_pinned_chromium_with_its_sandbox_stays_at_1000() {
    if lacks_landlock(3) || lacks_user_namespaces() {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let browser = Browser::start(&site, &["--pin"], &[]);
    let sample = held(&site, &browser);
    let outside = sample[&(browser.child.id() as i32)].pid_namespaces();
    for process in sample.values().filter(|process| process.kind == "renderer") {
        // It has a seccomp filter and a pid namespace, which needs a user namespace.
        assert_eq!(process.status["Seccomp"], "2", "{process:#?}");
        assert!(process.pid_namespaces() > outside, "{process:#?}");
    }
    browser.finishes(&site);
}

#[test]
fn every_process_of_pinned_chromium_without_its_sandbox_stays_at_1000() {
    if lacks_landlock(3) {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let browser = Browser::start(&site, &["--pin"], &["--no-sandbox"]);
    held(&site, &browser);
    browser.finishes(&site);
}

#[test]
fn chromium_without_the_pin_resets_its_scores() {
    if lacks_user_namespaces() || lacks_floor_of_zero() {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let mut browser = Browser::start(&site, &[], &[]);
    let own = |kind: &str| match kind {
        "browser" | "zygote" => "0",
        "gpu-process" | "utility" => "200",
        "renderer" => "300",
        // They set no score and keep oomexec's.
        _ => "1000",
    };
    let start = Instant::now();
    // A new process has its parent's score for a moment.
    let mut in_a_row = 0;
    while in_a_row < 10 {
        let sample = browser.processes();
        let as_ever = sample
            .values()
            .all(|process| process.score == own(&process.kind));
        in_a_row = match as_ever && has_all_kinds(&sample) && site.picture_is_wanted() {
            true => in_a_row + 1,
            false => 0,
        };
        if start.elapsed() > DEADLINE {
            let end = browser.child.try_wait();
            panic!(
                "Chromium did not start ({end:?}), or sets other scores than the \
                 documents of --pin say: {sample:#?}\n{}",
                browser.log()
            );
        }
        thread::sleep(Duration::from_millis(50));
    }
    browser.finishes(&site);
}

/// Returns whether an unprivileged process cannot have a score of 0 here, because a
/// process with CAP_SYS_RESOURCE has set this one's.
fn lacks_floor_of_zero() -> bool {
    let dir = TempDir::new();
    let pinned = dir.copy(program("pinned"), "pinned");
    let argv = ["pinned", "0", "creat", "/proc/self/oom_score_adj"];
    let output = Launch::new(pinned, argv).unprivileged().output();
    lacks(
        "a process whose oom_score_adj can be lowered to 0",
        text(&output.stdout).ends_with("\nscore 0\n"),
    )
}
