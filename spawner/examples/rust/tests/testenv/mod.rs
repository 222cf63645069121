//! The three ways to start a child, and the state of processes from /proc.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::env;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

#[path = "../../../../rust/tests/testenv/oomexec.rs"]
mod oomexec;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
pub use oomexec::oomexec;
use oomexec_spawner::{Launch, Prepared, Via};

/// Long enough for a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Finds an example, which cargo builds with the tests.
pub fn example(name: &str) -> PathBuf {
    let this = env::current_exe().expect("it runs");
    let target = this.ancestors().nth(2).expect("deps is in it");
    let example = target.join("examples").join(name);
    assert!(example.exists(), "not built: run cargo build --examples");
    example
}

/// Copies an executable file in another process.
///
/// If this process wrote it, a child that another test forks could inherit the file open for writing, and then the
/// kernel would not run it.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args([from, to]).status();
    assert!(copied.is_ok_and(|status| status.success()));
}

/// Creates a launch that ignores an opt-out of whoever runs the tests.
pub fn launch(program: impl AsRef<OsStr>) -> Launch {
    let mut launch = Launch::new(program);
    launch.env("OPENCLAW_CHILD_OOM_SCORE_ADJ", "1");
    launch
}

/// Prepares the launch in each of the three ways, with the score expected.
pub fn each_way(launch: &Launch) -> [(Via, Prepared, i32); 3] {
    let own = own_score();
    assert!(
        own < 1000,
        "these tests need a score below 1000: a raised child must differ from the gateway"
    );
    let oomexec_way = launch.clone().oomexec(oomexec()).prepare();
    let sh_way = launch.clone().without_oomexec().prepare();
    let direct_way = launch.clone().without_oomexec().without_shell().prepare();
    let ways = [
        (Via::Oomexec, oomexec_way, 1000),
        (Via::Sh, sh_way, 1000),
        (Via::Direct, direct_way, own),
    ];
    for (via, prepared, _) in &ways {
        assert_eq!(prepared.via, *via);
    }
    ways
}

pub fn score_of(process: impl Display) -> i32 {
    let score = fs::read_to_string(format!("/proc/{process}/oom_score_adj")).expect("it runs");
    score.trim().parse().expect("a number")
}

/// Returns the gateway's own score. The tests are the gateway.
pub fn own_score() -> i32 {
    score_of("self")
}

/// Returns the executable of a process, not its name.
pub fn program_of(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).expect("it runs")
}

pub fn which(program: &str) -> PathBuf {
    let path = env::var_os("PATH").expect("a PATH");
    let mut files = env::split_paths(&path).map(|directory| directory.join(program));
    let file = files.find(|file| file.exists()).expect("it is installed");
    fs::canonicalize(file).expect("it is there")
}

/// How a process relates to others.
#[derive(Debug)]
pub struct Stat {
    pub pid: u32,
    pub name: String,
    pub state: char,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
    pub terminal: u64,
    pub foreground: i64,
}

pub fn stat_of(pid: u32) -> Option<Stat> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name is in parentheses and may contain any character: count from the last `)`.
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Some(Stat {
        pid,
        name: name.to_owned(),
        state: fields[0].chars().next()?,
        parent: fields[1].parse().ok()?,
        group: fields[2].parse().ok()?,
        session: fields[3].parse().ok()?,
        terminal: fields[4].parse().ok()?,
        foreground: fields[5].parse().ok()?,
    })
}

/// Returns whether a process runs. A zombie does not count: an init may take long to reap it.
pub fn runs(pid: u32) -> bool {
    stat_of(pid).is_some_and(|stat| is_running(&stat))
}

fn is_running(stat: &Stat) -> bool {
    stat.state != 'Z' && stat.state != 'X'
}

pub fn in_group(group: u32) -> Vec<Stat> {
    let entries = fs::read_dir("/proc").expect("there is a /proc");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let stats = pids.filter_map(stat_of);
    stats
        .filter(|stat| stat.group == group && is_running(stat))
        .collect()
}

/// Waits until the condition returns a value, and returns that.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(result) = condition() {
            return result;
        }
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the gateway's end of a socket pair, with a read timeout, and the child's end.
pub fn socket_pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    ours.set_read_timeout(Some(DEADLINE)).expect("it is set");
    (ours, theirs)
}

/// Reads the next line; empty at the end, when all writers are gone.
pub fn line(from: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("a line, or the end");
    line
}

pub fn kill_group(group: u32, signal: Signal) {
    killpg(Pid::from_raw(group as i32), signal).expect("it is there");
}

/// A child that leads a process group. Dropping this kills the group.
pub struct Leader(pub Child);

impl Drop for Leader {
    fn drop(&mut self) {
        // Until it is waited for, no other process can have its pid.
        if let Ok(None) = self.0.try_wait() {
            kill_group(self.0.id(), Signal::SIGKILL);
            let _ = self.0.wait();
        }
    }
}
