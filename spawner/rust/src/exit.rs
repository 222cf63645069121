//! Explains why a child ended, from the kernel's counters.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// The kernel's count of OOM kills in a cgroup, and its file.
///
/// ```
/// use oomexec_spawner::{Launch, OomKills, explain_exit};
///
/// # fn main() -> std::io::Result<()> {
/// let before = OomKills::read();
/// let mut prepared = Launch::new("true").prepare();
/// let status = prepared.spawn()?.wait()?;
/// let after = before.as_ref().and_then(OomKills::again);
/// println!("{}", explain_exit(status, prepared.wrapped(), before.as_ref(), after.as_ref()).text);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OomKills {
    /// The cgroup's `memory.events` (v2) or `memory.oom_control` (v1).
    pub file: PathBuf,
    /// The file's `oom_kill` value.
    pub kills: u64,
}

impl OomKills {
    /// Reads the count of this process's memory cgroup; `None` if there is none.
    pub fn read() -> Option<Self> {
        Self::read_in("self")
    }

    /// Reads the count of another process's memory cgroup.
    pub fn read_of(pid: u32) -> Option<Self> {
        Self::read_in(&pid.to_string())
    }

    /// Reads the same file again. An ended child's pid no longer leads to its cgroup.
    pub fn again(&self) -> Option<Self> {
        read_counter(&self.file)
    }

    fn read_in(process: &str) -> Option<Self> {
        let lines = read_text(&format!("/proc/{process}/cgroup"))?;
        let mounts = read_text("/proc/self/mountinfo")?;
        for (hierarchy, cgroup) in memberships(&lines) {
            for mount in mounts.lines() {
                let Some((point, below)) = directory_in(mount, &hierarchy, cgroup) else {
                    continue;
                };
                let counter = upwards(&point, below)
                    .find_map(|directory| read_counter(&directory.join(hierarchy.file)));
                if counter.is_some() {
                    return counter;
                }
            }
        }
        None
    }
}

fn read_text(file: &str) -> Option<String> {
    let bytes = fs::read(file).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

struct Hierarchy {
    file_system: &'static str,
    super_option: Option<&'static str>,
    file: &'static str,
}

const V1: Hierarchy = Hierarchy {
    file_system: "cgroup",
    super_option: Some("memory"),
    file: "memory.oom_control",
};
const V2: Hierarchy = Hierarchy {
    file_system: "cgroup2",
    super_option: None,
    file: "memory.events",
};

/// Parses /proc/PID/cgroup, with lines like `4:memory:/path` (v1) or `0::/path` (v2). If both exist, memory is on v1.
fn memberships(lines: &str) -> impl Iterator<Item = (Hierarchy, &str)> {
    let fields = |line| {
        let mut fields = str::splitn(line, 3, ':').skip(1);
        Some((fields.next()?, fields.next()?))
    };
    let all = move || lines.lines().filter_map(fields);
    let v1 = all().filter(|(controllers, _)| controllers.split(',').any(|c| c == "memory"));
    let v2 = all().filter(|(controllers, _)| controllers.is_empty());
    v1.map(|(_, path)| (V1, path))
        .chain(v2.map(|(_, path)| (V2, path)))
}

/// Returns the mount point, and the cgroup's path below it, for a line of mountinfo:
/// `id parent major:minor ROOT POINT options... - TYPE source SUPER`.
fn directory_in<'a>(
    mount: &str,
    hierarchy: &Hierarchy,
    cgroup: &'a str,
) -> Option<(String, &'a str)> {
    let (left, right) = mount.split_once(" - ")?;
    let mut right = right.split(' ');
    if right.next() != Some(hierarchy.file_system) {
        return None;
    }
    if let Some(option) = hierarchy.super_option {
        let super_options = right.nth(1).unwrap_or("");
        if !super_options.split(',').any(|one| one == option) {
            return None;
        }
    }
    let mut left = left.split(' ').skip(3).map(decode);
    let (root, point) = (left.next()?, left.next()?);
    let below = cgroup.strip_prefix(root.trim_end_matches('/'))?;
    let is_whole_name = below.is_empty() || below.starts_with('/');
    is_whole_name.then(|| (point, below.trim_end_matches('/')))
}

/// Decodes white space and backslashes, which the kernel writes as a backslash and three octal digits.
fn decode(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut decoded = parts.next().unwrap_or("").to_owned();
    for part in parts {
        match part
            .get(..3)
            .and_then(|code| u8::from_str_radix(code, 8).ok())
        {
            Some(byte) => {
                decoded.push(char::from(byte));
                decoded.push_str(&part[3..]);
            }
            None => {
                decoded.push('\\');
                decoded.push_str(part);
            }
        }
    }
    decoded
}

/// Lists a cgroup and those above it, up to the mount point.
///
/// A cgroup without its own memory counter is counted in the nearest one above that has one. In a container the mount
/// point may be the process's own cgroup, while /proc names it by the host's path.
fn upwards(point: &str, below: &str) -> impl Iterator<Item = PathBuf> {
    let below = Path::new(below.trim_start_matches('/'));
    below
        .ancestors()
        .map(move |part| Path::new(point).join(part))
}

fn read_counter(file: &Path) -> Option<OomKills> {
    let counters = fs::read_to_string(file).ok()?;
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?;
    Some(OomKills {
        file: file.to_owned(),
        kills: line.parse().ok()?,
    })
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExitKind {
    /// By SIGKILL, and the OOM killer killed a process in the cgroup.
    OomKilled,
    /// By SIGKILL, and the OOM killer killed nothing in the cgroup.
    Killed,
    /// By SIGKILL, and there are no counts to compare.
    KilledUnknown,
    /// By another signal.
    Signal,
    /// With 127, from a wrapped command.
    NotFound,
    /// With 126, from a wrapped command.
    CannotRun,
    /// With any other exit status.
    Exit,
}

impl ExitKind {
    /// Returns a code for logs, the same as in the Node library.
    pub fn code(self) -> &'static str {
        match self {
            Self::OomKilled => "oom-killed",
            Self::Killed => "killed",
            Self::KilledUnknown => "killed-unknown",
            Self::Signal => "signal",
            Self::NotFound => "not-found",
            Self::CannotRun => "cannot-run",
            Self::Exit => "exit",
        }
    }
}

impl fmt::Display for ExitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// Why a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// For programs.
    pub kind: ExitKind,
    /// One line for people.
    pub text: String,
}

const SIGKILL: i32 = 9;

/// Explains why a child ended.
///
/// `before` and `after` are the counts from before its start and after its exit. The kernel counts a kill before it
/// sends the signal, so the second reading never comes too early.
pub fn explain_exit(
    status: ExitStatus,
    wrapped: bool,
    before: Option<&OomKills>,
    after: Option<&OomKills>,
) -> Explanation {
    let (kind, text) = match (signal_of(status), status.code()) {
        (Some(SIGKILL), _) => explain_kill("ended by SIGKILL", before, after),
        (Some(signal), _) => (ExitKind::Signal, format!("ended by {}", name_of(signal))),
        // A shell or an init exits with 137 when SIGKILL ended its own child.
        (None, Some(137)) => {
            let how = "exit status 137: a process below it was ended by SIGKILL";
            explain_kill(how, before, after)
        }
        (None, Some(127)) if wrapped => {
            let text = "exit status 127: the command, or one that it runs, was not found";
            (ExitKind::NotFound, text.to_owned())
        }
        (None, Some(126)) if wrapped => {
            let text =
                "exit status 126: the command, or one that it runs, was found but cannot be run";
            (ExitKind::CannotRun, text.to_owned())
        }
        (None, Some(code)) => (ExitKind::Exit, format!("exit status {code}")),
        (None, None) => (ExitKind::Exit, status.to_string()),
    };
    Explanation { kind, text }
}

fn explain_kill(
    how: &str,
    before: Option<&OomKills>,
    after: Option<&OomKills>,
) -> (ExitKind, String) {
    let kills = match (before, after) {
        (Some(before), Some(after)) if before.file == after.file => {
            after.kills.checked_sub(before.kills)
        }
        _ => None,
    };
    match kills {
        None => {
            let text = format!("{how}; whether memory ran out is not known: no counter to compare");
            (ExitKind::KilledUnknown, text)
        }
        Some(0) => {
            let text = format!(
                "{how}, not by the kernel's OOM killer: it killed nothing in the cgroup meanwhile"
            );
            (ExitKind::Killed, text)
        }
        Some(kills) => {
            let what = if kills == 1 { "process" } else { "processes" };
            let text = format!(
                "{how}: memory ran out, the kernel's OOM killer killed {kills} {what} in the cgroup meanwhile"
            );
            (ExitKind::OomKilled, text)
        }
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}

/// Returns a signal's name if its number is the same on every architecture, else the number.
fn name_of(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_is_found_below_its_mount() {
        let line =
            |root: &str| format!("35 31 0:32 {root} /sys/fs/a\\040b rw - cgroup cgroup rw,memory");
        let point = || "/sys/fs/a b".to_owned();
        for (root, cgroup, expected) in [
            ("/", "/", Some("")),
            ("/", "/a/b", Some("/a/b")),
            ("/a", "/a", Some("")),
            ("/a", "/a/b", Some("/b")),
            ("/a", "/ab", None),
            ("/a", "/", None),
        ] {
            let expected = expected.map(|below| (point(), below));
            assert_eq!(
                directory_in(&line(root), &V1, cgroup),
                expected,
                "{root} {cgroup}"
            );
            assert_eq!(directory_in(&line(root), &V2, cgroup), None);
        }
        let cpu = line("/").replace("rw,memory", "rw,cpu");
        assert_eq!(directory_in(&cpu, &V1, "/"), None);
    }

    #[test]
    fn the_search_stops_at_the_mount_point() {
        let all: Vec<PathBuf> = upwards("/sys/fs/cgroup", "/a/b").collect();
        let expected = ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"];
        assert_eq!(all, expected.map(PathBuf::from));
    }

    #[test]
    fn version_1_comes_first_if_both_are_present() {
        let lines = "4:cpu,memory:/one\n1:name=systemd:/x\n0::/two:three\n";
        let files: Vec<_> = memberships(lines).map(|(v, path)| (v.file, path)).collect();
        assert_eq!(
            files,
            [
                ("memory.oom_control", "/one"),
                ("memory.events", "/two:three")
            ]
        );
    }
}
