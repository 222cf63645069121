//! The findings on this process's memory cgroup: the limit, a group kill, the kills so
//! far.

use core::fmt;

use super::cgroup::{Cgroup, NotFound, Version};
use super::{Rank, Report, amount};
use crate::output::Quoted;
use crate::score::Score;
use crate::sys::{self, CAP_SYS_RESOURCE, Errno, File, Process, number};

const LIMIT: &str = "memory limit";
const GROUP_KILL: &str = "group kill";
const KILLS: &str = "kills so far";

/// From here on a limit is none: with cgroup v1 that is the most pages that there
/// can be (`PAGE_COUNTER_MAX`, linux/page_counter.h), with v2 the word `max`.
const NO_LIMIT: u64 = if cfg!(target_pointer_width = "64") {
    (i64::MAX as u64) >> 16 << 16
} else {
    (i32::MAX as u64) << 12
};

/// Adds the findings, for a gateway at this score; `floor` is the lowest one that this
/// process can write. Returns whether there is a limit below the host's memory.
pub fn check(report: &mut Report, gateway: Option<Score>, floor: Option<Score>) -> bool {
    let mut cgroup = Cgroup::new();
    if let Err(not_found) = cgroup.find() {
        let why = Unseen(cgroup.last().to_bytes(), not_found);
        if not_found == NotFound::NoController {
            no_limit(report);
            no_group_kill(report);
        } else {
            report.add(Rank::Note, LIMIT, format_args!("{why}"));
            report.add(Rank::Unknown, GROUP_KILL, format_args!("{why}"));
        }
        report.add(Rank::Note, KILLS, format_args!("{why}"));
        return false;
    }
    let is_limited = limit(report, &mut cgroup);
    group_kill(report, &mut cgroup, gateway, floor);
    kills(report, &mut cgroup);
    is_limited
}

/// The nearest limit upwards, and what is in use there.
fn limit(report: &mut Report, cgroup: &mut Cgroup) -> bool {
    let (file, used) = match cgroup.version() {
        Some(Version::V1) => (c"/memory.limit_in_bytes", c"/memory.usage_in_bytes"),
        _ => (c"/memory.max", c"/memory.current"),
    };
    match cgroup.nearest(file, 0..NO_LIMIT) {
        Ok(Some((limit, dir))) => {
            match amount(cgroup.file(dir, used), b"") {
                Ok(used) => {
                    let file = Quoted(cgroup.file(dir, file).to_bytes());
                    let (used, limit) = (Mebibytes(used), Mebibytes(limit));
                    report.add(Rank::Ok, LIMIT, format_args!("{file}: {used} of {limit}"));
                }
                Err(errno) => unread(report, Rank::Note, LIMIT, cgroup, errno),
            }
            return true;
        }
        Ok(None) => no_limit(report),
        Err(errno) => unread(report, Rank::Note, LIMIT, cgroup, errno),
    }
    false
}

fn no_limit(report: &mut Report) {
    let memory = Mebibytes(sys::host_memory());
    report.add(
        Rank::Ok,
        LIMIT,
        format_args!("none but the host's memory: {memory}"),
    );
}

/// Whether all die together, here or above; but for a gateway at -1000, the one score
/// that a group kill spares (`oom_kill_memcg_member`, mm/oom_kill.c).
fn group_kill(
    report: &mut Report,
    cgroup: &mut Cgroup,
    gateway: Option<Score>,
    floor: Option<Score>,
) {
    match cgroup.nearest(c"/memory.oom.group", 1..2) {
        Ok(None) => no_group_kill(report),
        Ok(Some(_)) => {
            let file = Quoted(cgroup.last().to_bytes());
            let (rank, settings, spared) = match gateway {
                Some(Score::MIN) => (Rank::Note, "", ", but for the gateway"),
                _ => (
                    Rank::Fail,
                    " (Kubernetes: singleProcessOOMKill, systemd: OOMPolicy=continue)",
                    spared(floor),
                ),
            };
            report.add(
                rank,
                GROUP_KILL,
                format_args!("{file} is 1: all in it dies together{settings}{spared}"),
            );
        }
        Err(errno) => unread(report, Rank::Unknown, GROUP_KILL, cgroup, errno),
    }
}

/// Returns which gateway a group kill spares: one that gets to -1000. `floor` is the
/// lowest score that this process can write.
fn spared(floor: Option<Score>) -> &'static str {
    if floor == Some(Score::MIN) {
        "; a gateway started with 'oomexec -n -1000' is spared"
    } else if is_in_user_namespace() {
        // The kernel asks for the capability in the first namespace.
        ""
    } else if is_within_bounds(CAP_SYS_RESOURCE) {
        // Root gets what is within the bounds, and other users do not (capabilities(7)).
        "; a gateway started as root with 'oomexec -n -1000' is spared"
    } else {
        "; a gateway started with CAP_SYS_RESOURCE and 'oomexec -n -1000' is spared"
    }
}

/// Whether this process is in a user namespace other than the first, which alone maps all
/// ids (user_namespaces(7)).
fn is_in_user_namespace() -> bool {
    let mut ids = 0_u64;
    let file = Process::Own.file("uid_map");
    let read = File::each_line(file.as_thin_c_str(), |line| {
        let count = line.rsplit(|byte| *byte == b' ').next();
        ids = ids.saturating_add(count.and_then(number).unwrap_or(0));
    });
    read.is_ok() && ids < u64::from(u32::MAX)
}

/// Whether the bounding set of this process has a capability (proc_pid_status(5)).
fn is_within_bounds(capability: u32) -> bool {
    let mut is_within = false;
    let file = Process::Own.file("status");
    let _ = File::each_line(file.as_thin_c_str(), |line| {
        if let Some(set) = line.strip_prefix(b"CapBnd:\t") {
            is_within = hexadecimal(set).is_some_and(|set| set >> capability & 1 == 1);
        }
    });
    is_within
}

/// Parses a hexadecimal number; cuts off what is above 64 bits.
fn hexadecimal(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |number, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(number << 4 | u64::from(digit))
    })
}

fn no_group_kill(report: &mut Report) {
    report.add(Rank::Ok, GROUP_KILL, format_args!("no"));
}

/// How often the OOM killer has killed in this process's own cgroup.
fn kills(report: &mut Report, cgroup: &mut Cgroup) {
    let file = match cgroup.version() {
        Some(Version::V1) => c"/memory.oom_control",
        _ => c"/memory.events",
    };
    match amount(cgroup.file(usize::MAX, file), b"oom_kill ") {
        Ok(kills) => {
            let rank = if kills == 0 { Rank::Ok } else { Rank::Note };
            let file = Quoted(cgroup.last().to_bytes());
            report.add(rank, KILLS, format_args!("{file}: {kills}"));
        }
        Err(errno) => unread(report, Rank::Note, KILLS, cgroup, errno),
    }
}

/// A file of the cgroup's, the last one looked at, cannot be read.
fn unread(report: &mut Report, rank: Rank, subject: &str, cgroup: &Cgroup, errno: Errno) {
    let why = Unseen(cgroup.last().to_bytes(), NotFound::Unread(errno));
    report.add(rank, subject, format_args!("{why}"));
}

/// Why something of a cgroup is not known: this file says nothing of it, or cannot be
/// read.
struct Unseen<'a>(&'a [u8], NotFound);

impl fmt::Display for Unseen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = Quoted(self.0);
        match self.1 {
            NotFound::Unread(errno) => write!(f, "cannot read {file}: {errno}"),
            NotFound::NoController | NotFound::Unsaid => {
                write!(f, "no memory cgroup in {file}")
            }
        }
    }
}

/// An amount of memory in bytes, shown in whole mebibytes.
struct Mebibytes(u64);

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB", self.0 >> 20)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Mebibytes;
    use std::string::ToString;

    #[test]
    fn memory_is_shown_in_whole_mebibytes_however_much_it_is() {
        for (bytes, shown) in [
            (0, "0 MiB"),
            ((10 << 20) - 1, "9 MiB"),
            (10 << 20, "10 MiB"),
            (u64::MAX, "17592186044415 MiB"),
        ] {
            assert_eq!(Mebibytes(bytes).to_string(), shown);
        }
    }
}
