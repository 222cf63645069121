//! What `--pin` was made for: Debian's Chromium, unprivileged and headless, at work
//! on a page of a server of the test's own.

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
    Launch, NOBODY, OOMEXEC, TempDir, check, is_root, lacks, lacks_landlock, lacks_user_namespaces,
    program, text, tool,
};

/// Nothing here takes that long: who waits for it waits for what does not come.
const DEADLINE: Duration = Duration::from_secs(120);

/// One browser at a time: each is a dozen processes.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server of one page, which is all of one colour and has a picture; that is
/// held back until the test has seen enough, and with it the page's load event and
/// the screenshot.
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
                // An error is the browser's: it opens connections in advance.
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
        // One that is missing ends the wait as well.
        ("404 Not Found", String::new())
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    )
}

/// A process of the browser's.
#[derive(Debug)]
struct Process {
    kind: String,
    score: String,
    status: BTreeMap<String, String>,
}

impl Process {
    /// How many pid namespaces it is in, of those that this process sees.
    fn pid_namespaces(&self) -> usize {
        self.status["NSpid"].split_whitespace().count()
    }
}

/// A browser at work in a directory of its own, ended when dropped.
struct Browser {
    dir: TempDir,
    child: Child,
}

impl Browser {
    /// Chromium through oomexec with these options, to make a screenshot of the
    /// site.
    fn start(site: &Site, options: &[&str], flags: &[&str]) -> Self {
        let dir = TempDir::new();
        let oomexec = dir.copy(OOMEXEC, "oomexec");
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

    /// The processes of the browser, but for one that is oomexec still.
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
            // One that is gone by now is none.
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
        // The crash handlers have left the family: what they were told where to
        // write to tells them.
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
                // The zygotes' children have rewritten theirs, with spaces.
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

    /// Waits for the end.
    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the browser is a child") {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "no end: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("stderr")).unwrap_or_default()
    }

    /// Lets the page load and looks that the screenshot shows it.
    #[track_caller]
    fn finishes(mut self, site: &Site) {
        site.release();
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
        // The size, and the first pixel: in the first row every one of PNG's
        // filters leaves that as it is.
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
        // The crash handlers are in no group of the browser's. They end by
        // themselves, after it; who does not is ended.
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

/// Every kind of process that a page takes.
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

/// Starts a pinned browser and looks, from its first moment until long after the
/// page's renderer has come, that each process is at 1000; returns the last of
/// these looks.
#[track_caller]
fn held(site: &Site, browser: &Browser) -> BTreeMap<i32, Process> {
    let start = Instant::now();
    // Chromium sets the scores as it starts a process, and again as tabs come and
    // go: two seconds are many times what either takes.
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
fn pinned_every_process_of_chromium_stays_at_1000_behind_its_whole_sandbox() {
    if lacks_landlock(3) || lacks_user_namespaces() {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let browser = Browser::start(&site, &["--pin"], &[]);
    let sample = held(&site, &browser);
    let outside = sample[&(browser.child.id() as i32)].pid_namespaces();
    for process in sample.values().filter(|process| process.kind == "renderer") {
        // Filtered system calls, in a pid namespace, which takes a user namespace.
        assert_eq!(process.status["Seccomp"], "2", "{process:#?}");
        assert!(process.pid_namespaces() > outside, "{process:#?}");
    }
    browser.finishes(&site);
}

#[test]
fn pinned_every_process_of_chromium_without_its_sandbox_stays_at_1000() {
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
fn not_pinned_chromium_sets_its_scores_back() {
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
        // Set nothing: at what oomexec gave them.
        _ => "1000",
    };
    let start = Instant::now();
    // A process that has only just been started has its starter's.
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
                "Chromium has changed what it sets its scores to, or did not start \
                 ({end:?}); what --pin is said to be for may have to be said anew: \
                 {sample:#?}\n{}",
                browser.log()
            );
        }
        thread::sleep(Duration::from_millis(50));
    }
    browser.finishes(&site);
}

/// Whether an unprivileged process may not have a score of 0 here: someone with
/// CAP_SYS_RESOURCE has set this process's.
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
