//! What the tests share: the three ways to start a child, and a look at it.

#![allow(dead_code)] // each test target uses a part

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use oomexec_spawner::{Launch, Via};

/// Every way to start a child.
pub const WAYS: [Via; 3] = [Via::Oomexec, Via::Sh, Via::Direct];

/// The program under test.
fn oomexec() -> PathBuf {
    if let Some(path) = env::var_os("OOMEXEC_TEST_BINARY") {
        return path.into();
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target");
    let built = ["release/oomexec", "debug/oomexec"].map(|name| target.join(name));
    let found = built.into_iter().find(|file| file.exists());
    found.expect("no oomexec: run `cargo build` in the repository, or set OOMEXEC_TEST_BINARY")
}

/// A launch that goes this way.
pub fn launch(via: Via, program: impl AsRef<OsStr>) -> Launch {
    let launch = would(via, program);
    assert_eq!(launch.prepare().via, via);
    launch
}

/// A launch that goes this way if the command can be run at all.
pub fn would(via: Via, program: impl AsRef<OsStr>) -> Launch {
    let mut launch = Launch::new(program);
    match via {
        Via::Oomexec => launch.oomexec(oomexec()),
        Via::Sh => launch.without_oomexec(),
        Via::Direct => launch.without_oomexec().without_shell(),
    };
    launch
}

/// The score that a child is to have that was started this way.
pub fn expected(via: Via) -> String {
    match via {
        Via::Direct => score("self"),
        _ => "1000".to_owned(),
    }
}

/// The score of a process, as it stands in /proc.
pub fn score(pid: impl ToString) -> String {
    read(pid, "oom_score_adj")
}

/// The name of the program that a process runs.
pub fn program(pid: u32) -> String {
    read(pid, "comm")
}

/// The fields of /proc/PID/stat that follow the name: the first is the state.
pub fn stat(pid: u32) -> Vec<String> {
    let stat = read(pid, "stat");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    fields.split_whitespace().map(str::to_owned).collect()
}

/// Parent, process group, session, terminal: what follows the state.
pub fn place(pid: u32) -> [i32; 4] {
    let fields = stat(pid);
    [1, 2, 3, 4].map(|at| fields[at].parse().expect("a number"))
}

fn read(pid: impl ToString, name: &str) -> String {
    let path = format!("/proc/{}/{name}", pid.to_string());
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.trim_end().to_owned()
}

/// Waits until something is so.
pub fn until(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < end, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
