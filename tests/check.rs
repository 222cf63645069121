//! `--check`: its findings on this machine, and in root directories whose files in
//! /proc and /sys/fs/cgroup stand for other machines and containers.

mod testenv;

#[path = "fuzz_launch/random.rs"]
#[allow(dead_code)] // this uses only a part
mod random;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Output, Stdio};
use std::ptr;

use random::Random;
use testenv::{
    Calls, LANDLOCK_ACCESS_FS_TRUNCATE, LANDLOCK_ACCESS_FS_WRITE_FILE, Launch, TempDir, check,
    emulated, emulated_32, failed, filtered, foreign_calls, inherited, is_root, lacks,
    lacks_landlock, lacks_own_mounts, landlocked, no_new_privs, oomexec, own_score, read_only_proc,
    set_mode, text, tool,
};

/// The subjects of the findings, in this order.
const SUBJECTS: [&str; 9] = [
    "raise",
    "floor",
    "gateway",
    "memory limit",
    "group kill",
    "kills so far",
    "sysctl",
    "fallback",
    "pin",
];

#[derive(Debug)]
struct Finding {
    rank: String,
    subject: String,
    words: String,
}

/// The output of a check and its exit status.
#[derive(Debug)]
struct Checked {
    findings: Vec<Finding>,
    status: i32,
}

impl Finding {
    #[track_caller]
    fn new(line: &[u8]) -> Self {
        let shown = text(line);
        let line = line.strip_suffix(b"\n").expect("a whole line");
        let is_control = |byte: &u8| byte.is_ascii_control();
        assert!(!line.iter().any(is_control), "{shown:?}");
        assert!(line.len() > 20 && line[20] != b' ', "{shown:?}");
        let column = |bytes| {
            let padded = text(bytes);
            let column = padded.trim_end();
            assert!(column.len() < padded.len(), "no room: {shown:?}");
            column.to_owned()
        };
        let finding = Self {
            rank: column(&line[..6]),
            subject: column(&line[6..20]),
            words: text(&line[20..]),
        };
        assert!(
            ["ok", "note", "FAIL"].contains(&&*finding.rank),
            "{shown:?}"
        );
        finding
    }

    fn as_pair(&self) -> (&str, &str) {
        (&self.rank, &self.words)
    }
}

impl Checked {
    /// Parses the output of a check; asserts an empty stderr, well-formed lines,
    /// every required subject, and a status that fits the ranks.
    #[track_caller]
    fn new(output: &Output) -> Self {
        assert_eq!(text(&output.stderr), "");
        let lines = output.stdout.split_inclusive(|byte| *byte == b'\n');
        let checked = Self {
            findings: lines.map(Finding::new).collect(),
            status: output.status.code().expect("an exit, not a crash"),
        };
        let place = |finding: &Finding| {
            let place = SUBJECTS.iter().position(|name| *name == finding.subject);
            place.unwrap_or_else(|| panic!("an unknown subject: {finding:?}"))
        };
        let places: Vec<_> = checked.findings.iter().map(place).collect();
        assert!(places.is_sorted(), "{checked:#?}");
        for name in SUBJECTS {
            let count = checked.all(name).len();
            let most = if name == "sysctl" { 2 } else { 1 };
            assert!(count <= most, "{name}: {checked:#?}");
        }
        for name in ["raise", "gateway", "memory limit", "fallback", "pin"] {
            checked.find(name);
        }
        let fails = checked
            .findings
            .iter()
            .any(|finding| finding.rank == "FAIL");
        assert_eq!(checked.status == 1, fails, "{checked:#?}");
        assert!([0, 1, 125].contains(&checked.status), "{checked:#?}");
        checked
    }

    /// Returns rank and words of every finding on a subject.
    fn all(&self, subject: &str) -> Vec<(&str, &str)> {
        let findings = self.findings.iter();
        let findings = findings.filter(|finding| finding.subject == subject);
        findings.map(Finding::as_pair).collect()
    }

    /// Returns the only finding on a subject.
    #[track_caller]
    fn find(&self, subject: &str) -> (&str, &str) {
        let all = self.all(subject);
        assert_eq!(all.len(), 1, "{subject}: {self:#?}");
        all[0]
    }

    /// Asserts the rank of a finding and the beginning of its words.
    #[track_caller]
    fn begins(&self, subject: &str, rank: &str, words: &str) {
        let (found, all) = self.find(subject);
        assert_eq!(found, rank, "{self:#?}");
        assert!(all.starts_with(words), "not {words:?}: {self:#?}");
    }
}

#[track_caller]
fn checked(launch: Launch) -> Checked {
    Checked::new(&launch.output())
}

fn launch() -> Launch {
    Launch::oomexec(["--check"])
}

const MIB: u64 = 1 << 20;

/// Formats an amount of memory as the check does.
fn size(bytes: u64) -> String {
    format!("{} MiB", bytes / MIB)
}

/// Makes some calls of a launch fail with an errno, also without root.
fn refused(launch: Launch, call: libc::c_long, which: Calls, errno: libc::c_int) -> Launch {
    filtered(no_new_privs(launch), call, which, errno)
}

/// The state of this machine.
mod here {
    use super::*;

    fn read(file: impl AsRef<Path>) -> String {
        let file = file.as_ref();
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// This process's memory cgroup.
    pub struct Cgroup {
        pub v1: bool,
        pub dir: PathBuf,
        mount: PathBuf,
    }

    impl Cgroup {
        /// Returns the directory that lists this process. It tries each end of the
        /// cgroup's path below a mount point and ignores the root of the mount.
        pub fn own() -> Option<Self> {
            let cgroups = read("/proc/self/cgroup");
            let fields = |line| str::splitn(line, 3, ':').skip(1).collect::<Vec<_>>();
            let has_memory = |line: &Vec<&str>| line[0].split(',').any(|name| name == "memory");
            let mut lines = cgroups.lines().map(fields);
            let own_v1 = lines.clone().find(has_memory);
            let v1 = own_v1.is_some();
            let path = own_v1.or_else(|| lines.find(|line| line[0].is_empty()))?[1].to_owned();

            let mounts = read("/proc/self/mountinfo");
            mounts.lines().find_map(|line| {
                let (left, right) = line.split_once(" - ")?;
                let is_its = match v1 {
                    true => right.starts_with("cgroup ") && right.contains("memory"),
                    false => right.starts_with("cgroup2 "),
                };
                let mount = Path::new(left.split(' ').nth(4)?);
                let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
                ends.chain([""])
                    .map(|end| mount.join(end))
                    .find(|dir| is_its && lists_this_process(dir))
                    .map(|dir| Self {
                        v1,
                        dir,
                        mount: mount.to_owned(),
                    })
            })
        }

        /// Returns the first file of this name, from the own directory upwards, with
        /// a wanted number.
        fn nearest(&self, name: &str, wanted: impl Fn(u64) -> bool) -> Option<(PathBuf, u64)> {
            let seen = |dir: &&Path| dir.starts_with(&self.mount);
            self.dir.ancestors().take_while(seen).find_map(|dir| {
                let file = dir.join(name);
                let number = fs::read_to_string(&file).ok()?.trim().parse().ok()?;
                wanted(number).then_some((file, number))
            })
        }

        pub fn limit(&self) -> Option<(PathBuf, u64)> {
            // Less than v1's value for no limit, also on 32-bit machines.
            let most = if size_of::<usize>() == 8 {
                1 << 62
            } else {
                1 << 42
            };
            self.nearest(self.limit_name(), |limit| limit < most)
        }

        pub fn limit_name(&self) -> &'static str {
            if self.v1 {
                "memory.limit_in_bytes"
            } else {
                "memory.max"
            }
        }

        /// Returns the file that counts kills, and its count.
        pub fn kills(&self) -> (PathBuf, Option<u64>) {
            let name = if self.v1 {
                "memory.oom_control"
            } else {
                "memory.events"
            };
            let file = self.dir.join(name);
            let counts = fs::read_to_string(&file).unwrap_or_default();
            let kills = counts
                .lines()
                .find_map(|line| line.strip_prefix("oom_kill "));
            (file, kills.and_then(|kills| kills.parse().ok()))
        }

        pub fn dies_together(&self) -> bool {
            self.nearest("memory.oom.group", |group| group == 1)
                .is_some()
        }
    }

    fn lists_this_process(dir: &Path) -> bool {
        let list = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
        let own = process::id().to_string();
        list.lines().any(|pid| pid == own)
    }

    pub fn sysctls_are_0() -> bool {
        ["panic_on_oom", "oom_kill_allocating_task"]
            .iter()
            .all(|name| read(Path::new("/proc/sys/vm").join(name)).trim() == "0")
    }

    /// Returns whether a setting of this machine makes a check fail.
    pub fn lacks_good_settings() -> bool {
        let together = Cgroup::own().is_some_and(|cgroup| cgroup.dies_together());
        let good = !together && sysctls_are_0();
        lacks("memory.oom.group and the OOM sysctls at 0", good)
    }

    pub fn lacks_score_0() -> bool {
        lacks("a score of 0 of its own", own_score().trim() == "0")
    }

    /// Returns the kernel's name of this process.
    pub fn own_name() -> String {
        read("/proc/self/comm").trim_end().to_owned()
    }

    /// Returns the memory of this machine in MiB, without swap and with it.
    pub fn memory() -> (u64, u64) {
        let amounts = read("/proc/meminfo");
        let kib = |name| {
            let mut lines = amounts.lines();
            let amount = lines.find_map(|line| line.strip_prefix(name)).expect(name);
            let amount = amount.trim_end_matches(" kB").trim();
            amount.parse::<u64>().expect("a number")
        };
        let memory = kib("MemTotal:");
        (memory >> 10, (memory + kib("SwapTotal:")) >> 10)
    }
}

#[test]
fn on_this_machine_the_check_prints_every_subject_and_passes() {
    if here::lacks_good_settings() || here::lacks_score_0() {
        return;
    }
    if lacks("a memory cgroup", here::Cgroup::own().is_some()) {
        return;
    }
    let checked = checked(launch());
    let subjects: Vec<_> = checked.findings.iter().map(|one| &*one.subject).collect();
    let always = SUBJECTS.iter().filter(|name| **name != "sysctl");
    assert_eq!(subjects, always.copied().collect::<Vec<_>>());
    assert_eq!(checked.status, 0);

    assert_eq!(checked.find("raise"), ("ok", "0, then 1000"));
    let gateway = format!("process {} '{}' at 0", process::id(), here::own_name());
    assert_eq!(checked.find("gateway"), ("ok", &*gateway));
    assert_eq!(checked.find("group kill"), ("ok", "no"));
    assert_eq!(checked.find("fallback"), ("ok", "/bin/sh"));
}

#[test]
fn the_limit_and_the_kills_are_those_of_this_machines_own_cgroup() {
    if emulated_32("qemu cuts sysinfo(2) to 4 GiB") {
        return;
    }
    let own = here::Cgroup::own();
    if lacks("a memory cgroup", own.is_some()) {
        return;
    }
    let own = own.unwrap();
    let (file, before) = own.kills();
    let checked = checked(launch());
    let (_, after) = own.kills();

    match own.limit() {
        Some((file, limit)) => {
            let (rank, words) = checked.find("memory limit");
            assert_eq!(rank, "ok");
            let file = format!("'{}': ", file.display());
            let limit = format!(" of {}", size(limit));
            assert!(
                words.starts_with(&file) && words.ends_with(&limit),
                "{words}"
            );
        }
        None => is_none_but_the_hosts(&checked),
    }
    match (before, after) {
        (Some(before), Some(after)) => {
            let of = |kills| {
                let rank = if kills == 0 { "ok" } else { "note" };
                (rank, format!("'{}': {kills}", file.display()))
            };
            let (rank, words) = checked.find("kills so far");
            let found = (rank, words.to_owned());
            assert!((before..=after).map(of).any(|of| of == found), "{found:?}");
        }
        _ => {
            let words = format!("cannot read '{}'", file.display());
            checked.begins("kills so far", "note", &words);
        }
    }
}

/// Asserts that the only limit is the memory of this machine.
#[track_caller]
fn is_none_but_the_hosts(checked: &Checked) {
    let (rank, words) = checked.find("memory limit");
    assert_eq!(rank, "ok", "{checked:#?}");
    let amount = words.strip_prefix("none but the host's memory: ");
    let amount = amount.and_then(|words| words.strip_suffix(" MiB"));
    let amount: u64 = amount.expect(words).parse().expect(words);
    let (memory, with_swap) = here::memory();
    assert!((memory..=with_swap).contains(&amount), "{words}");
}

/// A cgroup below this process's own, removed on drop.
struct CgroupBelow(PathBuf);

impl Drop for CgroupBelow {
    fn drop(&mut self) {
        // It is empty: its only process has been waited for.
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn the_limit_of_a_new_cgroup_is_found() {
    let Some(own) = here::Cgroup::own() else {
        assert!(lacks("a memory cgroup", false));
        return;
    };
    let below = own.dir.join(format!("oomexec-test-{}", process::id()));
    let below = fs::create_dir(&below).ok().map(|()| CgroupBelow(below));
    let below = below.filter(|below| {
        let file = below.0.join(own.limit_name());
        let file = OpenOptions::new().write(true).open(file);
        file.and_then(|mut file| file.write_all(b"256M")).is_ok()
    });
    if lacks("the right to limit a cgroup below its own", below.is_some()) {
        return;
    }
    let below = below.unwrap();
    let list = testenv::c_string(below.0.join("cgroup.procs"));
    let launch = launch().prepare(move || {
        // SAFETY: the path is a C string, and the byte is there.
        unsafe {
            let fd = libc::open(list.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            check(fd)?;
            check(libc::write(fd, c"0".as_ptr().cast(), 1) as libc::c_int)?;
            check(libc::close(fd))
        }
    });
    let checked = checked(launch);
    let file = below.0.join(own.limit_name());
    checked.begins("memory limit", "ok", &format!("'{}': ", file.display()));
    let (_, words) = checked.find("memory limit");
    assert!(words.ends_with(" MiB of 256 MiB"), "{words}");
}

#[test]
fn nothing_but_its_own_score_is_opened_for_writing() {
    if emulated("strace shows the calls of qemu itself") {
        return;
    }
    let args = [
        "-o",
        "/dev/stderr",
        "-e",
        "trace=%file",
        oomexec(),
        "--check",
    ];
    let output = Launch::through(tool("strace"), args).output();
    let calls = text(&output.stderr);
    let files = calls.lines().filter(|call| call.contains('('));
    let (writes, reads): (Vec<_>, Vec<_>) = files
        .filter(|call| !call.starts_with("execve("))
        .partition(|call| call.contains("O_WRONLY"));
    let own = "\"/proc/self/oom_score_adj\", O_WRONLY|";
    assert!(!writes.is_empty(), "{calls}");
    assert!(writes.iter().all(|call| call.contains(own)), "{writes:#?}");
    let only_reads = |call: &&str| {
        call.contains("O_RDONLY") || call.contains("O_PATH") || call.starts_with("readlink")
    };
    assert!(reads.iter().all(only_reads), "{reads:#?}");
}

#[test]
fn the_parents_score_decides_and_does_not_change() {
    if here::lacks_good_settings() || here::lacks_score_0() {
        return;
    }
    const PARENT: &str = "echo $1 > /proc/self/oom_score_adj; \"$0\" --check; status=$?
        read score < /proc/self/oom_score_adj; [ $score = $1 ] || exit 99; exit $status";
    for (score, rank, words, status) in [
        ("0", "ok", "", 0),
        (
            "300",
            "note",
            ": margin 70% of the limit; start it at a lower score",
            0,
        ),
        ("1000", "FAIL", ": margin 0% of the limit; ", 1),
    ] {
        let parent = Launch::new("/bin/sh", ["sh", "-c", PARENT, oomexec(), score]);
        let parent = parent.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let pid = parent.id();
        let checked = Checked::new(&parent.wait_with_output().expect("waited"));
        let words = format!("process {pid} 'sh' at {score}{words}");
        checked.begins("gateway", rank, &words);
        assert_eq!(checked.status, status);
        let raised = format!("{score}, then 1000");
        assert_eq!(checked.find("raise"), ("ok", &*raised));
    }
}

/// A process that prints a line and runs until its stdin ends.
struct Running(Child);

impl Running {
    /// Waits for its first line: after a successful spawn, the process may still
    /// have its old name.
    fn new(mut child: Child) -> Self {
        let stdout = child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "runs\n");
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

const RUN: &str = "echo runs; read x";

#[test]
fn a_process_given_by_pid_is_the_gateway_and_keeps_its_score() {
    if here::lacks_good_settings() {
        return;
    }
    let other = inherited(Launch::new("/bin/sh", ["sh", "-c", RUN]), "300");
    let other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let other = Running::new(other);
    let pid = other.0.id().to_string();
    for args in [&["--check", &pid][..], &["--check", "--", &pid]] {
        let checked = checked(Launch::oomexec(args));
        let words = format!("process {pid} 'sh' at 300: margin 70% of the limit");
        checked.begins("gateway", "note", &words);
        assert_eq!(checked.status, 0);
    }
    let score = fs::read_to_string(format!("/proc/{pid}/oom_score_adj"));
    assert_eq!(score.expect("it runs"), "300\n");
}

#[test]
fn a_gateway_that_does_not_exist_fails_with_125() {
    if here::lacks_good_settings() {
        return;
    }
    let checked = checked(Launch::oomexec(["--check", "2147483647"]));
    let words = "cannot read '/proc/2147483647/oom_score_adj': No such file or directory";
    assert_eq!(checked.find("gateway"), ("note", words));
    assert_eq!(checked.status, 125);
}

/// Returns a command that runs as process 1 of a pid namespace with its own /proc.
fn as_process_1(argv: &[&str]) -> Command {
    let mut command = Command::new(tool("unshare"));
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--pid", "--fork", "--mount-proc"]).args(argv);
    command
}

fn lacks_own_pids() -> bool {
    let output = as_process_1(&["/bin/true"]).output().expect("unshare");
    lacks(
        "a pid namespace with a /proc (unshare(1))",
        output.status.success(),
    )
}

#[test]
fn as_process_1_it_is_its_own_gateway_with_the_score_before_the_raise() {
    if lacks_own_pids() {
        return;
    }
    let script = "echo 300 > /proc/self/oom_score_adj; exec \"$0\" --check";
    let output = as_process_1(&["sh", "-c", script, oomexec()]).output();
    let checked = Checked::new(&output.expect("unshare"));
    let words = "process 1 'oomexec' at 300: margin 70% of the limit";
    checked.begins("gateway", "note", words);
    assert_eq!(checked.find("raise"), ("ok", "300, then 1000"));
}

/// Starts a pid namespace whose process 1 is a shell at 300.
fn container() -> Running {
    let script = format!("echo 300 > /proc/self/oom_score_adj; {RUN}");
    let mut init = as_process_1(&["sh", "-c", &script]);
    let init = init.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    Running::new(init.expect("unshare"))
}

/// Runs a check in the container; `pids`: also in its pid namespace.
fn check_within(container: &Running, pids: bool) -> Checked {
    // This is unshare(1): process 1 is its child, the other namespaces are its own.
    let outside = container.0.id().to_string();
    let mut command = Command::new(tool("nsenter"));
    command.args(["--target", &outside, "--mount"]);
    if !is_root() {
        command.args(["--user", "--preserve-credentials"]);
    }
    if pids {
        command.arg(format!("--pid=/proc/{outside}/ns/pid_for_children"));
    }
    command.args([oomexec(), "--check"]);
    Checked::new(&command.output().expect("nsenter"))
}

#[test]
fn where_the_parent_is_outside_of_the_pid_namespace_process_1_is_the_gateway() {
    if lacks_own_pids() {
        return;
    }
    let checked = check_within(&container(), true);
    let words = "process 1 'sh' at 300: margin 70% of the limit";
    checked.begins("gateway", "note", words);
    assert_eq!(checked.find("raise").0, "ok");
}

#[test]
fn with_the_proc_of_another_pid_namespace_it_cannot_raise_and_says_why() {
    if lacks_own_pids() {
        return;
    }
    let checked = check_within(&container(), false);
    let words = "cannot write '/proc/self/oom_score_adj': No such file or directory \
        (mount the /proc of this pid namespace)";
    assert_eq!(checked.find("raise"), ("FAIL", words));
    let (rank, words) = checked.find("gateway");
    assert_eq!(rank, "note");
    assert!(
        words.starts_with("/proc does not tell which process "),
        "{words}"
    );
}

/// Asserts that /proc is another namespace's and does not show the gateway.
#[track_caller]
fn is_foreign(checked: &Checked, gateway: u32) {
    let words = format!(
        "/proc does not tell which process {gateway} is (mount the /proc of this pid namespace)"
    );
    assert_eq!(checked.find("gateway"), ("note", &*words));
}

#[test]
fn with_the_old_proc_in_a_new_pid_namespace_the_gateway_is_unknown() {
    if lacks_own_pids() {
        return;
    }
    let mut command = Command::new(tool("unshare"));
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    // The shell is process 1, but this /proc shows another process 1.
    let script = "\"$0\" --check; exit $?";
    command.args(["--pid", "--fork", "sh", "-c", script, oomexec()]);
    let checked = Checked::new(&command.output().expect("unshare"));
    is_foreign(&checked, 1);
    assert_eq!(checked.status, 125);
    assert_eq!(checked.find("raise").0, "ok");
}

/// Returns a launch of `oomexec --check` as an unprivileged user.
fn unprivileged(dir: &TempDir) -> Launch {
    let oomexec = dir.copy(oomexec(), "oomexec");
    Launch::through(oomexec, ["--check"]).unprivileged()
}

#[test]
fn the_floor_is_the_lowest_score_that_can_be_written() {
    if foreign_calls("its seccomp filter is for 64-bit calls") {
        return;
    }
    if here::lacks_score_0() {
        return;
    }
    let dir = TempDir::new();
    checked(unprivileged(&dir)).begins("floor", "note", "can be lowered to 0 again");

    // A higher floor needs CAP_SYS_RESOURCE, so seccomp simulates it: it filters by
    // the number of bytes written, and scores with fewer digits are lower.
    let at_most = |lens: &[u32]| {
        let refuse = |launch, len: &u32| {
            refused(launch, libc::SYS_write, Calls::With(2, *len), libc::EACCES)
        };
        checked(lens.iter().fold(unprivileged(&dir), refuse))
    };
    let some = at_most(&[1, 2, 5]);
    some.begins("floor", "note", "can be lowered to 100 again");
    let all = at_most(&[1, 2, 3, 5]);
    assert_eq!(all.find("floor"), ("ok", "cannot be lowered again"));
}

#[test]
fn the_landlock_abi_of_this_kernel_is_named() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    const VERSION: libc::c_uint = 1;
    let call = libc::SYS_landlock_create_ruleset;
    // SAFETY: with this flag, the call takes no pointer.
    let abi = unsafe { libc::syscall(call, ptr::null::<u8>(), 0_usize, VERSION) };
    let checked = checked(launch());
    match abi {
        3.. => assert_eq!(
            checked.find("pin"),
            (
                "ok",
                &*format!("Landlock ABI {abi}: --pin and --pin=write hold")
            )
        ),
        1..3 => checked.begins("pin", "note", &format!("Landlock ABI {abi}; it needs 3")),
        _ => checked.begins("pin", "note", "no Landlock: "),
    }
}

#[test]
fn a_landlock_that_is_too_old_is_named_with_the_abi_that_it_needs() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    for (abi, pin) in [
        (1, ("note", "Landlock ABI 1; it needs 3 (Linux 6.2)")),
        (2, ("note", "Landlock ABI 2; it needs 3 (Linux 6.2)")),
        (3, ("ok", "Landlock ABI 3: --pin and --pin=write hold")),
    ] {
        // The first call asks for the ABI; the one that creates a ruleset comes later.
        let fault = format!("inject=landlock_create_ruleset:retval={abi}:when=1");
        let args = ["-o", "/dev/null", "-e", &fault, oomexec(), "--check"];
        let checked = checked(Launch::through(tool("strace"), args));
        assert_eq!(checked.find("pin"), pin);
    }
}

#[test]
fn without_landlock_it_says_why() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    for (errno, why) in [
        (libc::ENOSYS, "Function not implemented ("),
        (libc::EPERM, "Operation not permitted ("),
        (libc::EOPNOTSUPP, ""),
    ] {
        let call = libc::SYS_landlock_create_ruleset;
        let checked = checked(refused(launch(), call, Calls::All, errno));
        checked.begins("pin", "note", &format!("no Landlock: {why}"));
        let (_, words) = checked.find("pin");
        assert!(words.ends_with(')'), "{words}");
    }
}

#[test]
fn used_up_landlock_layers_are_noted() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    if lacks_landlock(3) {
        return;
    }
    const TRUNCATE: u64 = LANDLOCK_ACCESS_FS_TRUNCATE;
    let under =
        |layers| (0..layers).fold(launch(), |launch, _| landlocked(launch, TRUNCATE, TRUNCATE));
    assert_eq!(checked(under(15)).find("pin").0, "ok");
    let all = checked(under(16));
    let (rank, words) = all.find("pin");
    assert_eq!(rank, "note");
    assert!(
        words.ends_with(": all 16 layers of Landlock are in use"),
        "{words}"
    );
    assert_eq!(all.status, checked(launch()).status);
}

#[test]
fn a_root_that_cannot_be_read_is_named_as_the_reason_for_no_pin() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    if lacks_landlock(3) || lacks("the right to become another user", is_root()) {
        return;
    }
    let tree = Tree::v2("/");
    set_mode(tree.0.path(), 0o711);
    let launch = Launch::new("/oomexec", ["oomexec", "--check", "7"]);
    let checked = checked(launch.in_root(&tree.0).unprivileged());
    let (rank, words) = checked.find("pin");
    assert_eq!(rank, "note");
    assert!(
        words.ends_with(": cannot read '/': Permission denied"),
        "{words}"
    );
}

#[test]
fn a_fifo_in_place_of_a_file_does_not_block_the_check() {
    if lacks_own_mounts() {
        return;
    }
    for file in [
        "proc/self/oom_score_adj",
        "proc/7/oom_score_adj",
        "proc/self/mountinfo",
    ] {
        let tree = Tree::v2("/").without(&format!("/{file}"));
        tree.0.fifo(file);
        tree.check_at_any_score();
    }
}

#[test]
fn an_opt_out_in_the_environment_fails() {
    let checked = checked(launch().env("OPENCLAW_CHILD_OOM_SCORE_ADJ=0"));
    let (rank, words) = checked.find("raise");
    assert_eq!(rank, "FAIL");
    assert!(words.contains("OPENCLAW_CHILD_OOM_SCORE_ADJ"), "{words}");
}

/// Asserts that the own score cannot be written, for this reason.
#[track_caller]
fn cannot_raise(checked: &Checked, why: &str) {
    let words = format!("cannot write '/proc/self/oom_score_adj': {why}");
    assert_eq!(checked.find("raise"), ("FAIL", &*words));
    assert_eq!(checked.status, 1);
}

#[test]
fn where_proc_is_read_only_it_says_so() {
    if lacks_own_mounts() {
        return;
    }
    let checked = checked(read_only_proc(launch()));
    cannot_raise(&checked, "Read-only file system (mount /proc read-write)");
}

#[test]
fn where_seccomp_refuses_the_open_or_the_write_it_says_so() {
    if foreign_calls("its seccomp filter is for 64-bit calls") {
        return;
    }
    for (errno, why) in [
        (libc::EPERM, "Operation not permitted (seccomp)"),
        (libc::ENOSYS, "Function not implemented (seccomp)"),
    ] {
        let write = refused(launch(), libc::SYS_write, Calls::With(2, 4), errno);
        cannot_raise(&checked(write), why);
        let open = refused(launch(), libc::SYS_openat, Calls::All, errno);
        cannot_raise(&checked(open), why);
    }
}

#[test]
fn where_landlock_refuses_the_write_it_says_so() {
    if lacks_landlock(1) {
        return;
    }
    let confined = landlocked(launch(), LANDLOCK_ACCESS_FS_WRITE_FILE, 0);
    let why = "Permission denied (Landlock, AppArmor, SELinux)";
    cannot_raise(&checked(confined), why);
}

#[test]
fn an_execute_only_oomexec_says_so() {
    if lacks("the right to become another user", is_root()) {
        return;
    }
    let dir = TempDir::new();
    let launch = unprivileged(&dir);
    set_mode(&dir.join("oomexec"), 0o711);
    let why = "Permission denied (install oomexec with mode 0755)";
    cannot_raise(&checked(launch), why);
}

#[test]
fn without_a_free_descriptor_it_says_so() {
    if emulated("qemu needs a free descriptor to start") {
        return;
    }
    let launch = launch().prepare(|| {
        let limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 20,
        };
        // SAFETY: the limit is this function's own.
        check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })
    });
    let why = "Too many open files (limit of open files)";
    cannot_raise(&checked(launch), why);
}

#[test]
fn a_write_without_an_effect_fails() {
    if foreign_calls("its seccomp filter is for 64-bit calls") {
        return;
    }
    if here::lacks_score_0() {
        return;
    }
    // Seccomp makes the write return 0 bytes and no error.
    let checked = checked(refused(launch(), libc::SYS_write, Calls::With(2, 4), 0));
    let words = "0, then 0: the write has no effect";
    assert_eq!(checked.find("raise"), ("FAIL", words));
}

#[test]
fn where_stdout_cannot_be_written_it_says_so_once() {
    let closed = launch().prepare(|| {
        // SAFETY: the descriptor is this process's own.
        check(unsafe { libc::close(1) })
    });
    let line = "oomexec: cannot write to stdout: Bad file descriptor";
    failed(&closed.output(), 125, line);
    let full = File::options().write(true).open("/dev/full").expect("full");
    let line = "oomexec: cannot write to stdout: No space left on device";
    failed(&launch().stdout(full).output(), 125, line);
}

#[test]
fn anything_but_one_process_id_is_a_usage_error() {
    for args in [
        &["--check", "x"][..],
        &["--check", "self"],
        &["--check", "0"],
        &["--check", "-1"],
        &["--check", "2147483648"],
        &["--check", "1", "2"],
        &["--check", "--", "1", "2"],
        &["--check", "-n", "5"],
        &["--check", "--pin"],
    ] {
        let output = Launch::oomexec(args).output();
        let line = text(&output.stderr);
        assert!(line.starts_with("oomexec: "), "{args:?}: {line}");
        assert!(
            line.ends_with("; try 'oomexec --help'\n"),
            "{args:?}: {line}"
        );
        failed(&output, 125, line.trim_end());
    }
}

/// A root with oomexec and the files that a check reads; process 7 is the gateway.
struct Tree(TempDir);

impl Tree {
    /// Creates a root without a memory cgroup in which nothing else is wrong.
    fn new() -> Self {
        let dir = TempDir::new();
        dir.copy(oomexec(), "oomexec");
        Self(dir)
            .file("/proc/self/oom_score_adj", "0\n")
            .file("/proc/self/cgroup", "")
            .file("/proc/self/mountinfo", "")
            .file("/proc/7/oom_score_adj", "0\n")
            .file("/proc/7/comm", "server\n")
            .file("/proc/sys/vm/panic_on_oom", "0\n")
            .file("/proc/sys/vm/oom_kill_allocating_task", "0\n")
    }

    /// Creates a root with cgroup v2 only, in the cgroup `path`.
    fn v2(path: &str) -> Self {
        Self::new()
            .file("/proc/self/cgroup", format!("0::{path}\n"))
            .file("/proc/self/mountinfo", mountinfo(&[V2]))
            .cgroup(&format!("/sys/fs/cgroup{path}"))
    }

    /// Creates a root with cgroup v1 only, in the memory cgroup `path`.
    fn v1(path: &str) -> Self {
        Self::new()
            .file(
                "/proc/self/cgroup",
                format!("9:name=memory:/no\n8:cpu,cpuacct:/no\n4:memory:{path}\n1:pids:/no\n"),
            )
            .file("/proc/self/mountinfo", mountinfo(&[V1]))
            .cgroup(&format!("/sys/fs/cgroup/memory{path}"))
    }

    /// Adds a cgroup in this directory.
    fn cgroup(self, dir: &str) -> Self {
        self.file(&format!("{dir}/cgroup.procs"), "7\n")
    }

    /// Adds this file.
    fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let file = self.0.join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().expect("a file")).expect("directories");
        fs::write(file, content).expect("written");
        self
    }

    /// Adds a directory in place of a file.
    fn dir(self, path: &str) -> Self {
        self.0.dir(path.trim_start_matches('/'));
        self
    }

    /// Removes this file.
    fn without(self, path: &str) -> Self {
        fs::remove_file(self.0.join(path.trim_start_matches('/'))).expect("removed");
        self
    }

    /// Runs a check in this root, by a process at 0.
    #[track_caller]
    fn check(&self) -> Checked {
        let score = self.0.join("proc/self/oom_score_adj");
        fs::write(score, "0\n").expect("written");
        self.check_at_any_score()
    }

    #[track_caller]
    fn check_at_any_score(&self) -> Checked {
        let launch = Launch::new("/oomexec", ["oomexec", "--check", "7"]);
        checked(launch.in_root(&self.0).or_alarm())
    }
}

const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
const V1: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory";

/// Returns a mountinfo with these lines after lines of other file systems.
fn mountinfo(lines: &[&str]) -> String {
    let others = [
        "21 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw",
        "23 21 0:5 / /proc rw,nosuid shared:2 master:1 - proc proc rw",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755",
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct",
        "33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd",
    ];
    let lines = others.iter().chain(lines);
    lines.map(|line| format!("{line}\n")).collect()
}

/// 256 MiB and 12 MiB, as the kernel writes them.
const LIMIT: &str = "268435456\n";
const USED: &str = "12582912\n";

/// Asserts that the limit is in this file.
#[track_caller]
fn has_limit(checked: &Checked, file: &str) {
    let words = format!("'{file}': 12 MiB of 256 MiB");
    assert_eq!(
        checked.find("memory limit"),
        ("ok", &*words),
        "{checked:#?}"
    );
}

/// Asserts that everything about the cgroup is unknown for this reason.
#[track_caller]
fn cannot_tell(checked: &Checked, words: &str) {
    for subject in ["memory limit", "group kill", "kills so far"] {
        assert_eq!(checked.find(subject), ("note", words));
    }
    assert_eq!(checked.status, 125);
}

/// Asserts that this file shows no memory cgroup.
#[track_caller]
fn has_no_cgroup(checked: &Checked, file: &str) {
    let words = format!("no memory cgroup in '{file}'");
    cannot_tell(checked, &words);
}

#[test]
fn with_cgroup_v2_at_the_root_the_hosts_memory_is_the_limit() {
    if emulated_32("qemu cuts sysinfo(2) to 4 GiB") {
        return;
    }
    if lacks_own_mounts() {
        return;
    }
    // The root cgroup has none of the files.
    let checked = Tree::v2("/").check();
    is_none_but_the_hosts(&checked);
    assert_eq!(checked.find("group kill"), ("ok", "no"));
    let words = "cannot read '/sys/fs/cgroup/memory.events': No such file or directory";
    assert_eq!(checked.find("kills so far"), ("note", words));
    assert_eq!(checked.find("raise"), ("ok", "0, then 1000"));
    assert_eq!(checked.find("gateway"), ("ok", "process 7 'server' at 0"));
    assert_eq!(checked.status, 0);
}

#[test]
fn without_an_id_the_parent_is_the_gateway_in_a_container_too() {
    if lacks_own_mounts() {
        return;
    }
    let parent = process::id();
    let tree = Tree::v2("/")
        .file(&format!("/proc/{parent}/oom_score_adj"), "-500\n")
        .file(&format!("/proc/{parent}/comm"), "node\n");
    let launch = Launch::new("/oomexec", ["oomexec", "--check"]);
    let checked = checked(launch.in_root(&tree.0));
    let words = format!("process {parent} 'node' at -500");
    assert_eq!(checked.find("gateway"), ("ok", &*words));
}

#[test]
fn the_margin_is_1000_less_the_gateways_score() {
    if lacks_own_mounts() {
        return;
    }
    let mut tree = Tree::v2("/");
    for (score, rank, words, status) in [
        ("-1000", "note", ": never killed, even if it leaks", 0),
        ("-999", "ok", "", 0),
        ("1", "note", ": margin 99.9% of the limit", 0),
        ("999", "note", ": margin 0.1% of the limit", 0),
        ("1000", "FAIL", ": margin 0% of the limit; ", 1),
    ] {
        tree = tree.file("/proc/7/oom_score_adj", format!("{score}\n"));
        let checked = tree.check();
        let words = format!("process 7 'server' at {score}{words}");
        checked.begins("gateway", rank, &words);
        assert_eq!(checked.status, status);
    }
}

#[test]
fn an_invalid_score_of_the_gateway_is_noted() {
    if lacks_own_mounts() {
        return;
    }
    let mut tree = Tree::v2("/");
    for score in ["", "\n", "x\n", "1001\n", "99999999999999999999\n"] {
        tree = tree.file("/proc/7/oom_score_adj", score);
        let checked = tree.check();
        let words = "cannot read '/proc/7/oom_score_adj': ";
        checked.begins("gateway", "note", words);
        assert_eq!(checked.status, 125, "{score:?}");
    }
}

#[test]
fn a_group_kill_in_the_own_cgroup_or_above_fails_and_is_named() {
    if lacks_own_mounts() {
        return;
    }
    for (own, group) in [
        ("/a/b/c", "/sys/fs/cgroup/a/b/c"),
        ("/a/b/c", "/sys/fs/cgroup/a/b"),
        ("/a/b/c", "/sys/fs/cgroup/a"),
    ] {
        let mut tree = Tree::v2(own);
        for dir in ["a", "a/b", "a/b/c"] {
            tree = tree.file(&format!("/sys/fs/cgroup/{dir}/memory.oom.group"), "0\n");
        }
        assert_eq!(tree.check().find("group kill"), ("ok", "no"));

        let file = format!("{group}/memory.oom.group");
        let checked = tree.file(&file, "1\n").check();
        checked.begins("group kill", "FAIL", &format!("'{file}' is 1: "));
        let (_, words) = checked.find("group kill");
        for remedy in ["singleProcessOOMKill", "OOMPolicy=continue"] {
            assert!(words.contains(remedy), "{words}");
        }
        assert_eq!(checked.status, 1);
    }
}

/// The file that tells of a group kill in [`group_kill`].
const GROUP: &str = "/sys/fs/cgroup/a/memory.oom.group";

/// Creates a tree with a group kill in the cgroup /a, and this bounding set.
fn group_kill(bounding: &str) -> Tree {
    let status = format!("Name:\toomexec\nCapEff:\t{bounding}\nCapBnd:\t{bounding}\n");
    Tree::v2("/a")
        .file(GROUP, "1\n")
        .file("/proc/self/status", status)
}

/// Only CAP_SYS_RESOURCE, and all but that one, as the kernel writes them.
const RESOURCE: &str = "0000000001000000";
const NO_RESOURCE: &str = "000001fffeffffff";

/// Asserts that a group kill fails the check, and who is said to be spared.
#[track_caller]
fn spares(checked: &Checked, gateway: &str) {
    let words = format!(
        "'{GROUP}' is 1: all in it dies together \
         (Kubernetes: singleProcessOOMKill, systemd: OOMPolicy=continue){gateway}"
    );
    assert_eq!(checked.find("group kill"), ("FAIL", &*words));
    assert_eq!(checked.status, 1);
}

#[test]
fn where_the_score_can_be_minus_1000_a_group_kill_names_that_as_the_way_out() {
    if lacks_own_mounts() {
        return;
    }
    // Every score can be written to the file in this root.
    let words = "; a gateway started with 'oomexec -n -1000' is spared";
    spares(&group_kill(RESOURCE).check(), words);
    spares(&group_kill(NO_RESOURCE).check(), words);
    spares(&Tree::v2("/a").file(GROUP, "1\n").check(), words);
}

#[test]
fn where_the_score_cannot_be_minus_1000_a_group_kill_names_what_that_needs() {
    if foreign_calls("its seccomp filter is for 64-bit calls") {
        return;
    }
    if lacks_own_mounts() {
        return;
    }
    // Seccomp refuses to write `-1000`, and no other score: it has the most digits.
    let check = |tree: Tree| {
        let launch = Launch::new("/oomexec", ["oomexec", "--check", "7"]).in_root(&tree.0);
        let launch = refused(launch, libc::SYS_write, Calls::With(2, 5), libc::EACCES);
        let checked = checked(launch);
        checked.begins("floor", "note", "can be lowered to -999 again");
        checked
    };
    let as_root = "; a gateway started as root with 'oomexec -n -1000' is spared";
    spares(&check(group_kill(RESOURCE)), as_root);
    spares(&check(group_kill("000001ffffffffff")), as_root);

    let with = "; a gateway started with CAP_SYS_RESOURCE and 'oomexec -n -1000' is spared";
    spares(&check(group_kill(NO_RESOURCE)), with);
    spares(&check(group_kill("0000000000000000")), with);
    // What the kernel does not say is not there.
    for unlike in ["", "x", "1", "00000000x1000000"] {
        spares(&check(group_kill(unlike)), with);
    }

    // The capability of a user namespace does not count for the score.
    let map = |map: &str| group_kill(RESOURCE).file("/proc/self/uid_map", map);
    spares(&check(map("         0       1000          1\n")), "");
    spares(&check(map("         0          0      65536\n")), "");
    spares(&check(map("         0          0 4294967295\n")), as_root);
}

#[test]
fn where_the_score_cannot_be_raised_a_group_kill_names_what_minus_1000_needs() {
    if lacks_own_mounts() {
        return;
    }
    let tree = group_kill(NO_RESOURCE).without("/proc/self/oom_score_adj");
    let words = "; a gateway started with CAP_SYS_RESOURCE and 'oomexec -n -1000' is spared";
    spares(&tree.check_at_any_score(), words);
}

#[test]
fn a_gateway_at_minus_1000_survives_a_group_kill() {
    if lacks_own_mounts() {
        return;
    }
    let mut tree = group_kill(RESOURCE);
    for (score, rank, status) in [("-1000", "note", 0), ("-999", "FAIL", 1)] {
        tree = tree.file("/proc/7/oom_score_adj", format!("{score}\n"));
        let checked = tree.check();
        let words = format!("'{GROUP}' is 1: all in it dies together");
        checked.begins("group kill", rank, &words);
        assert_eq!(checked.status, status);
    }
    let tree = tree.file("/proc/7/oom_score_adj", "-1000\n");
    let words = format!("'{GROUP}' is 1: all in it dies together, but for the gateway");
    assert_eq!(tree.check().find("group kill"), ("note", &*words));
}

#[test]
fn the_nearest_limit_upwards_counts_and_its_usage_is_shown() {
    if lacks_own_mounts() {
        return;
    }
    let tree = Tree::v2("/a/b/c")
        .file("/sys/fs/cgroup/a/b/c/memory.max", "max\n")
        .file("/sys/fs/cgroup/a/b/c/memory.current", "1048576\n")
        .file("/sys/fs/cgroup/a/b/memory.max", LIMIT)
        .file("/sys/fs/cgroup/a/b/memory.current", USED)
        .file("/sys/fs/cgroup/a/memory.max", "536870912\n")
        .file("/sys/fs/cgroup/a/memory.current", "104857600\n");
    let checked = tree.check();
    has_limit(&checked, "/sys/fs/cgroup/a/b/memory.max");
    assert_eq!(checked.status, 0);
}

#[test]
fn a_size_is_in_whole_mebibytes() {
    if lacks_own_mounts() {
        return;
    }
    let mut tree = Tree::v2("/a");
    for (used, limit, words) in [
        ("0", "4096", "0 MiB of 0 MiB"),
        ("10485759", "10485760", "9 MiB of 10 MiB"),
        ("10485760", "1099511627776", "10 MiB of 1048576 MiB"),
    ] {
        tree = tree
            .file("/sys/fs/cgroup/a/memory.current", format!("{used}\n"))
            .file("/sys/fs/cgroup/a/memory.max", format!("{limit}\n"));
        let words = format!("'/sys/fs/cgroup/a/memory.max': {words}");
        assert_eq!(tree.check().find("memory limit"), ("ok", &*words));
    }
}

#[test]
fn with_cgroup_v1_the_largest_value_means_no_limit() {
    if emulated_32("qemu cuts sysinfo(2) to 4 GiB") {
        return;
    }
    if lacks_own_mounts() {
        return;
    }
    let none = "9223372036854771712\n";
    let checked = Tree::v1("/a")
        .file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", none)
        .file("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", USED)
        .file("/sys/fs/cgroup/memory/memory.limit_in_bytes", none)
        .check();
    is_none_but_the_hosts(&checked);
    assert_eq!(checked.find("group kill"), ("ok", "no"));
    assert_eq!(checked.status, 0);
}

#[test]
fn with_cgroup_v1_a_limit_is_found_and_the_kills_are_counted() {
    if lacks_own_mounts() {
        return;
    }
    let control = |kills| format!("oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n");
    let file = "/sys/fs/cgroup/memory/a/memory.oom_control";
    let mut tree = Tree::v1("/a/b")
        .file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", LIMIT)
        .file("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", USED);
    has_limit(
        &tree.check(),
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
    );
    // Several controllers at one mount.
    let cgroup = "4:cpu,memory,pids:/a\n";
    let mount = V1.replace("rw,memory", "rw,cpu,memory,pids");
    tree = tree
        .cgroup("/sys/fs/cgroup/memory/a")
        .file("/proc/self/cgroup", cgroup)
        .file("/proc/self/mountinfo", mountinfo(&[&mount]));
    for (kills, rank) in [(0, "ok"), (2, "note")] {
        tree = tree.file(file, control(kills));
        let checked = tree.check();
        has_limit(&checked, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes");
        let words = format!("'{file}': {kills}");
        assert_eq!(checked.find("kills so far"), (rank, &*words));
        assert_eq!(checked.status, 0);
    }
}

#[test]
fn kills_are_read_from_memory_events_of_the_own_cgroup() {
    if lacks_own_mounts() {
        return;
    }
    let events =
        |kills| format!("low 0\nhigh 7\nmax 9\noom 8\noom_kill {kills}\noom_group_kill 5\n");
    let file = "/sys/fs/cgroup/a/memory.events";
    let mut tree = Tree::v2("/a").file("/sys/fs/cgroup/memory.events", events(6));
    for (kills, rank) in [(0, "ok"), (3, "note")] {
        tree = tree.file(file, events(kills));
        let checked = tree.check();
        let words = format!("'{file}': {kills}");
        assert_eq!(checked.find("kills so far"), (rank, &*words));
        assert_eq!(checked.status, 0);
    }
}

#[test]
fn on_a_hybrid_machine_the_memory_controllers_own_hierarchy_counts() {
    if lacks_own_mounts() {
        return;
    }
    let unified = V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified");
    let tree = Tree::new()
        .cgroup("/sys/fs/cgroup/memory/a")
        .file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", LIMIT)
        .file("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", USED)
        .file("/sys/fs/cgroup/unified/a/memory.max", "1048576\n");
    let mut tree = tree;
    for (cgroup, mounts) in [
        ("4:memory:/a\n0::/a\n", [V1, &unified]),
        ("0::/a\n4:memory:/a\n", [&unified, V1]),
    ] {
        tree = tree
            .file("/proc/self/cgroup", cgroup)
            .file("/proc/self/mountinfo", mountinfo(&mounts));
        let file = "/sys/fs/cgroup/memory/a/memory.limit_in_bytes";
        has_limit(&tree.check(), file);
    }
    // cgroup v2 does not replace a missing v1 mount.
    let tree = tree.file("/proc/self/mountinfo", mountinfo(&[&unified]));
    has_no_cgroup(&tree.check(), "/proc/self/mountinfo");
}

/// Runs a check in this cgroup, whose directory is `own`, with these cgroup v2 mounts
/// (root and mount point) and the limit in the directory `at`.
#[track_caller]
fn mounted(cgroup: &str, own: &str, mounts: &[(&str, &str)], at: &str) -> Checked {
    let line = |(root, point): &(&str, &str)| {
        format!("30 23 0:26 {root} {point} rw,nosuid - cgroup2 cgroup rw")
    };
    let lines: Vec<_> = mounts.iter().map(line).collect();
    let lines: Vec<_> = lines.iter().map(|line| &**line).collect();
    Tree::v2(cgroup)
        .file("/proc/self/mountinfo", mountinfo(&lines))
        .cgroup(own)
        .file(&format!("{at}/memory.max"), LIMIT)
        .file(&format!("{at}/memory.current"), USED)
        .check()
}

#[test]
fn the_root_of_a_mount_decides_where_a_cgroup_is() {
    if lacks_own_mounts() {
        return;
    }
    let top = "/sys/fs/cgroup";
    for (cgroup, root, own, at) in [
        // In a cgroup namespace.
        ("/", "/", "", ""),
        ("/a", "/", "/a", "/a"),
        // In a container without a cgroup namespace.
        ("/docker/abc", "/docker/abc", "", ""),
        ("/docker/abc/d", "/docker/abc", "/d", "/d"),
        ("/docker/abc/d/e", "/docker/abc", "/d/e", "/d"),
        // White space, which mountinfo escapes and cgroup does not.
        ("/a b", "/a\\040b", "", ""),
    ] {
        let [own, at] = [own, at].map(|dir| format!("{top}{dir}"));
        let checked = mounted(cgroup, &own, &[(root, top)], &at);
        has_limit(&checked, &format!("{at}/memory.max"));
        assert_eq!(checked.status, 0);
    }
}

#[test]
fn nothing_above_a_mount_point_is_read() {
    if emulated_32("qemu cuts sysinfo(2) to 4 GiB") {
        return;
    }
    if lacks_own_mounts() {
        return;
    }
    let mounts = [("/a", "/sys/fs/cgroup")];
    let checked = mounted("/a/b", "/sys/fs/cgroup/b", &mounts, "/sys/fs");
    is_none_but_the_hosts(&checked);
}

#[test]
fn a_mount_point_with_white_space_or_a_backslash_is_found() {
    if lacks_own_mounts() {
        return;
    }
    let mounts = [("/", "/mnt/c\\040\\134g")];
    let dir = "/mnt/c \\g/a";
    has_limit(&mounted("/a", dir, &mounts, dir), "/mnt/c \\g/a/memory.max");
    // The check prints a tab as an escape.
    let dir = "/mnt/c\tg/a";
    let checked = mounted("/a", dir, &[("/", "/mnt/c\\011g")], dir);
    has_limit(&checked, "/mnt/c\\tg/a/memory.max");
}

#[test]
fn the_mount_that_shows_the_own_cgroup_counts() {
    if lacks_own_mounts() {
        return;
    }
    let mounts = [("/x", "/mnt/x"), ("/a", "/mnt/a"), ("/ab", "/mnt/ab")];
    let checked = mounted("/ab/c", "/mnt/ab/c", &mounts, "/mnt/ab/c");
    has_limit(&checked, "/mnt/ab/c/memory.max");
}

#[test]
fn a_cgroup_that_no_mount_shows_is_noted() {
    if lacks_own_mounts() {
        return;
    }
    for (cgroup, root) in [
        // Outside of its cgroup namespace.
        ("/..", "/"),
        ("/../x", "/"),
        ("/../../x/y", "/"),
        // In a new cgroup namespace with the mounts of the old one.
        ("/", "/../.."),
        // Another cgroup is mounted.
        ("/docker/abc", "/docker/ab"),
        ("/docker", "/docker/abc"),
    ] {
        let top = "/sys/fs/cgroup";
        let checked = mounted(cgroup, top, &[(root, top)], top);
        has_no_cgroup(&checked, "/proc/self/mountinfo");
    }
}

#[test]
fn without_any_memory_cgroup_the_hosts_memory_is_the_limit() {
    if emulated_32("qemu cuts sysinfo(2) to 4 GiB") {
        return;
    }
    if lacks_own_mounts() {
        return;
    }
    let cgroups = "1:cpu:/a\n2:name=systemd:/\n";
    let checked = Tree::new().file("/proc/self/cgroup", cgroups).check();
    is_none_but_the_hosts(&checked);
    assert_eq!(checked.find("group kill"), ("ok", "no"));
    let words = "no memory cgroup in '/proc/self/cgroup'";
    assert_eq!(checked.find("kills so far"), ("note", words));
    assert_eq!(checked.status, 0);
}

#[test]
fn without_any_cgroup_file_system_the_limit_is_unknown() {
    if lacks_own_mounts() {
        return;
    }
    // The machine has none, or it is not mounted here.
    has_no_cgroup(&Tree::new().check(), "/proc/self/cgroup");
    let tree = Tree::v2("/").file("/proc/self/mountinfo", mountinfo(&[]));
    has_no_cgroup(&tree.check(), "/proc/self/mountinfo");
}

#[test]
fn a_missing_cgroup_directory_is_named() {
    if lacks_own_mounts() {
        return;
    }
    let file = "/sys/fs/cgroup/a/cgroup.procs";
    let words = format!("cannot read '{file}': No such file or directory");
    // The cgroup is gone, or another file system is mounted over it.
    cannot_tell(
        &Tree::v2("/").file("/proc/self/cgroup", "0::/a\n").check(),
        &words,
    );
    cannot_tell(&Tree::v2("/a").without(file).check(), &words);
}

#[test]
fn with_a_tmpfs_over_this_machines_cgroups_the_group_kill_is_unknown() {
    let own = here::Cgroup::own();
    if lacks_own_mounts() || lacks("a memory cgroup", own.is_some()) {
        return;
    }
    let own = own.unwrap();
    let dir = testenv::c_string(&own.dir);
    let launch = launch().own_mounts().prepare(move || {
        let tmpfs = c"tmpfs".as_ptr();
        // SAFETY: the paths are C strings.
        check(unsafe { libc::mount(tmpfs, dir.as_ptr(), tmpfs, 0, ptr::null()) })
    });
    let checked = checked(launch);
    let file = own.dir.join("cgroup.procs");
    let words = format!(
        "cannot read '{}': No such file or directory",
        file.display()
    );
    cannot_tell(&checked, &words);
}

#[test]
fn a_memory_cgroup_that_cannot_be_seen_is_noted() {
    if lacks_own_mounts() {
        return;
    }
    let tree = Tree::new();
    let tree = tree
        .file("/proc/self/cgroup", "0::/a\n")
        .file("/proc/self/mountinfo", mountinfo(&[]));
    has_no_cgroup(&tree.check(), "/proc/self/mountinfo");

    for file in ["/proc/self/mountinfo", "/proc/self/cgroup"] {
        let checked = Tree::v2("/").without(file).check();
        let words = format!("cannot read '{file}': No such file or directory");
        cannot_tell(&checked, &words);
    }
}

#[test]
fn a_limit_that_cannot_be_read_is_named() {
    if lacks_own_mounts() {
        return;
    }
    let file = "/sys/fs/cgroup/a/memory.max";
    let mut tree = Tree::v2("/a").dir(file);
    let checked = tree.check();
    let words = format!("cannot read '{file}': Is a directory");
    assert_eq!(checked.find("memory limit"), ("note", &*words));
    assert_eq!(checked.status, 0);

    tree = Tree::v2("/a");
    for garbage in [
        "",
        "\n",
        "12x\n",
        "-1\n",
        "maximum\n",
        "99999999999999999999\n",
    ] {
        tree = tree.file(file, garbage);
        let checked = tree.check();
        checked.begins("memory limit", "note", &format!("cannot read '{file}': "));
        assert_eq!(checked.status, 0, "{garbage:?}");
    }
}

#[test]
fn a_group_kill_that_cannot_be_read_is_named() {
    if lacks_own_mounts() {
        return;
    }
    let file = "/sys/fs/cgroup/a/memory.oom.group";
    let tree = Tree::v2("/a").dir(file);
    let checked = tree.check();
    let words = format!("cannot read '{file}': Is a directory");
    assert_eq!(checked.find("group kill"), ("note", &*words));
    assert_eq!(checked.status, 125);
    // A failure has precedence.
    let tree = tree.file("/proc/7/oom_score_adj", "1000\n");
    assert_eq!(tree.check().status, 1);
}

#[test]
fn kills_that_cannot_be_read_are_noted() {
    if lacks_own_mounts() {
        return;
    }
    let file = "/sys/fs/cgroup/a/memory.events";
    let garbage = ["", "oom 1\n", "oom_kill\n", "oom_kill x\n"];
    for tree in garbage.map(|text| Tree::v2("/a").file(file, text)) {
        let checked = tree.check();
        checked.begins("kills so far", "note", &format!("cannot read '{file}': "));
        assert_eq!(checked.status, 0);
    }
    let checked = Tree::v2("/a").dir(file).check();
    let words = format!("cannot read '{file}': Is a directory");
    assert_eq!(checked.find("kills so far"), ("note", &*words));
}

#[test]
fn a_sysctl_fails_if_it_applies_to_the_limit_that_counts() {
    if lacks_own_mounts() {
        return;
    }
    for (name, value, rank_with_limit) in [
        ("panic_on_oom", "1", "note"),
        ("panic_on_oom", "2", "FAIL"),
        ("oom_kill_allocating_task", "1", "note"),
    ] {
        let file = format!("/proc/sys/vm/{name}");
        let words = format!("'{file}' is {value}: set it to 0");
        let tree = Tree::v2("/a").file(&file, format!("{value}\n"));
        let checked = tree.check();
        assert_eq!(checked.find("sysctl"), ("FAIL", &*words));
        assert_eq!(checked.status, 1);

        let limited = tree.file("/sys/fs/cgroup/a/memory.max", LIMIT);
        let checked = limited.check();
        assert_eq!(checked.find("sysctl"), (rank_with_limit, &*words));
        assert_eq!(checked.status, i32::from(rank_with_limit == "FAIL"));
    }
}

#[test]
fn a_sysctl_that_cannot_be_read_is_named_and_one_at_0_is_not() {
    if lacks_own_mounts() {
        return;
    }
    let mut tree = Tree::v2("/");
    assert_eq!(tree.check().all("sysctl"), []);
    let files = [
        "/proc/sys/vm/panic_on_oom",
        "/proc/sys/vm/oom_kill_allocating_task",
    ];
    for file in files {
        tree = tree.without(file);
    }
    let words = files.map(|file| format!("cannot read '{file}': No such file or directory"));
    let checked = tree.check();
    let expected: Vec<_> = words.iter().map(|words| ("note", &**words)).collect();
    assert_eq!(checked.all("sysctl"), expected);
    assert_eq!(checked.status, 0);
}

#[test]
fn without_a_shell_there_is_no_fallback() {
    if lacks_own_mounts() {
        return;
    }
    let tree = Tree::v2("/");
    assert_eq!(tree.check().find("fallback"), ("note", "no /bin/sh"));
    let tree = tree.file("/bin/sh", "");
    assert_eq!(tree.check().find("fallback"), ("ok", "/bin/sh"));
}

#[test]
fn on_an_empty_image_every_missing_file_is_named() {
    if lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.copy(oomexec(), "oomexec");
    let launch = Launch::new("/oomexec", ["oomexec", "--check"]);
    let checked = checked(launch.in_root(&dir));
    let why = "No such file or directory (mount the /proc of this pid namespace)";
    cannot_raise(&checked, why);
    let missing = |file: &str| format!("cannot read '{file}': No such file or directory");
    is_foreign(&checked, process::id());
    let cgroup = missing("/proc/self/cgroup");
    assert_eq!(checked.find("memory limit"), ("note", &*cgroup));
    let panic = missing("/proc/sys/vm/panic_on_oom");
    let allocating = missing("/proc/sys/vm/oom_kill_allocating_task");
    let sysctls = [("note", &*panic), ("note", &*allocating)];
    assert_eq!(checked.all("sysctl"), sysctls);
    assert_eq!(checked.find("fallback"), ("note", "no /bin/sh"));
}

/// Creates a tree with a limit in the cgroup /a.
fn limited() -> Tree {
    Tree::v2("/a")
        .file("/sys/fs/cgroup/a/memory.max", LIMIT)
        .file("/sys/fs/cgroup/a/memory.current", USED)
}

#[test]
fn the_last_of_2000_mounts_is_found() {
    if lacks_own_mounts() {
        return;
    }
    let other = |number| {
        format!(
            "{number} 21 0:{number} / /mnt/{number} rw,relatime shared:{number} - tmpfs tmpfs rw\n"
        )
    };
    let mut lines: String = (100..2099).map(other).collect();
    lines.push_str(&format!("{V2}\n"));
    assert_eq!(lines.lines().count(), 2000);
    let tree = limited().file("/proc/self/mountinfo", lines);
    has_limit(&tree.check(), "/sys/fs/cgroup/a/memory.max");
}

/// Longer than any buffer.
const OVERLONG: usize = 20_000;

#[test]
fn a_line_longer_than_any_buffer_hides_no_other() {
    if lacks_own_mounts() {
        return;
    }
    let fill = "x".repeat(OVERLONG);
    let mount = format!("40 23 0:40 / /{fill} rw - overlay overlay rw,lowerdir=/{fill}\n");
    let cgroup = format!("3:name=x:/{fill}\n");
    let tree = limited()
        .file("/proc/self/mountinfo", format!("{mount}{V2}\n{mount}"))
        .file("/proc/self/cgroup", format!("{cgroup}0::/a\n{cgroup}"));
    has_limit(&tree.check(), "/sys/fs/cgroup/a/memory.max");
}

#[test]
fn no_piece_of_an_overlong_line_is_taken_for_a_line() {
    if lacks_own_mounts() {
        return;
    }
    // Each line is shifted by one byte, so that wherever lines are cut, a piece of
    // one of them begins like a line.
    let pieces = |head: &str, piece: &str| -> String {
        let count = OVERLONG / piece.len();
        let line = |shift| format!("{head}{}{}\n", "x".repeat(shift), piece.repeat(count));
        (0..piece.len()).map(line).collect()
    };
    let mount = pieces(
        "40 23 0:40 / /x rw - tmpfs x",
        " 9 9 0:9 / /wrong rw - cgroup2 cgroup2 rw ",
    );
    let cgroup = pieces("3:name=x:/", "4:memory:/wrong/5::/wrong/");
    let tree = limited()
        .file("/proc/self/mountinfo", format!("{mount}{V2}\n"))
        .file("/proc/self/cgroup", format!("{cgroup}0::/a\n{cgroup}"))
        .file("/wrong/a/memory.max", "1048576\n");
    has_limit(&tree.check(), "/sys/fs/cgroup/a/memory.max");
}

#[test]
fn an_overlong_cgroup_path_is_noted() {
    if lacks_own_mounts() {
        return;
    }
    // The top has a limit, so that a truncated path could find one.
    let mut tree = Tree::v2("/").file("/sys/fs/cgroup/memory.max", LIMIT);
    for len in [4000, 4080, 4095, 4096, 4097, 5000, OVERLONG] {
        let cgroup = format!("0::/{}\n", "x".repeat(len));
        tree = tree.file("/proc/self/cgroup", cgroup);
        assert_eq!(tree.check().find("memory limit").0, "note", "{len}");
    }
}

#[test]
fn a_value_without_a_final_newline_is_read() {
    if lacks_own_mounts() {
        return;
    }
    let tree = limited()
        .file("/proc/self/oom_score_adj", "0")
        .file("/proc/7/oom_score_adj", "300")
        .file("/proc/7/comm", "server")
        .file("/sys/fs/cgroup/a/memory.max", LIMIT.trim_end())
        .file("/sys/fs/cgroup/a/memory.current", USED.trim_end())
        .file("/sys/fs/cgroup/a/memory.events", "oom_kill 3")
        .file("/sys/fs/cgroup/a/memory.oom.group", "1")
        .file("/proc/sys/vm/panic_on_oom", "2");
    let checked = tree.check_at_any_score();
    has_limit(&checked, "/sys/fs/cgroup/a/memory.max");
    assert_eq!(checked.find("raise"), ("ok", "0, then 1000"));
    checked.begins(
        "gateway",
        "note",
        "process 7 'server' at 300: margin 70% of the limit",
    );
    let kills = ("note", "'/sys/fs/cgroup/a/memory.events': 3");
    assert_eq!(checked.find("kills so far"), kills);
    assert_eq!(checked.find("group kill").0, "FAIL");
    assert_eq!(checked.find("sysctl").0, "FAIL");
}

#[test]
fn a_list_without_a_final_newline_is_read_or_named() {
    if lacks_own_mounts() {
        return;
    }
    // The kernel ends every line, so an unfinished one need not count.
    for (file, content) in [
        ("/proc/self/cgroup", "0::/a".to_owned()),
        ("/proc/self/mountinfo", mountinfo(&[V2]).trim_end().into()),
    ] {
        let checked = limited().file(file, content).check();
        let (rank, words) = checked.find("memory limit");
        let limit = "'/sys/fs/cgroup/a/memory.max': 12 MiB of 256 MiB";
        let none = format!("no memory cgroup in '{file}'");
        let either = [("ok", limit), ("note", &none)];
        assert!(either.contains(&(rank, words)), "{words}");
    }
}

#[test]
fn a_name_with_control_characters_is_shown_without_them() {
    if lacks_own_mounts() {
        return;
    }
    // Every parsed line is checked for control characters.
    let tree = Tree::v2("/").file("/proc/7/comm", "a\x1b[31m\nb\r\x7f\n");
    let checked = tree.check();
    checked.begins("gateway", "ok", "process 7 'a");
    let (_, words) = checked.find("gateway");
    assert!(
        words.contains("[31m") && words.ends_with("' at 0"),
        "{words}"
    );
}

#[test]
fn garbage_in_any_file_causes_no_crash_and_no_malformed_line() {
    if lacks_own_mounts() {
        return;
    }
    const FILES: [&str; 12] = [
        "/proc/self/oom_score_adj",
        "/proc/self/cgroup",
        "/proc/self/mountinfo",
        "/proc/7/oom_score_adj",
        "/proc/7/comm",
        "/proc/sys/vm/panic_on_oom",
        "/proc/sys/vm/oom_kill_allocating_task",
        "/sys/fs/cgroup/a/memory.max",
        "/sys/fs/cgroup/a/memory.current",
        "/sys/fs/cgroup/a/memory.events",
        "/sys/fs/cgroup/a/memory.oom.group",
        "/sys/fs/cgroup/memory.max",
    ];
    let any: Vec<u8> = (0..=255).collect();
    let likely = b"0123456789:::///,-- \n\nmemorycgroup2xa\\040";
    let mut random = Random(3);
    let mut tree = limited();
    for _ in 0..150 {
        for file in FILES {
            // Some files stay valid, so that the check reaches the later ones.
            let content = match (random.below(4), file) {
                (0, _) => random.bytes(&any, 600),
                (1, _) => random.bytes(likely, 6000),
                (_, "/proc/self/cgroup") => b"0::/a\n".to_vec(),
                (_, "/proc/self/mountinfo") => mountinfo(&[V2]).into_bytes(),
                _ => b"0\n".to_vec(),
            };
            tree = tree.file(file, content);
        }
        // This asserts what holds for every check.
        tree.check_at_any_score();
    }
}
