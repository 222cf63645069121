//! The findings on this process's memory cgroup: the limit, a group kill, the kills so
//! far.

use core::fmt;

use super::cgroup::{Cgroup, NotFound, Version};
use super::{Rank, Report, amount};
use crate::output::Quoted;
use crate::sys::{self, Errno};

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

/// Adds the findings. `is_spared`: the gateway has the one score that a group kill
/// spares. Returns whether there is a limit below the host's memory.
pub fn check(report: &mut Report, is_spared: bool) -> bool {
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
    group_kill(report, &mut cgroup, is_spared);
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

/// Whether all die together, here or above; but for a gateway that a group kill spares
/// (`oom_kill_memcg_member`, mm/oom_kill.c).
fn group_kill(report: &mut Report, cgroup: &mut Cgroup, is_spared: bool) {
    match cgroup.nearest(c"/memory.oom.group", 1..2) {
        Ok(None) => no_group_kill(report),
        Ok(Some(_)) => {
            let rank = if is_spared { Rank::Note } else { Rank::Fail };
            let file = Quoted(cgroup.last().to_bytes());
            report.add(
                rank,
                GROUP_KILL,
                format_args!(
                    "{file} is 1: all in it dies together \
                 (Kubernetes: singleProcessOOMKill, systemd: OOMPolicy=continue)"
                ),
            );
        }
        Err(errno) => unread(report, Rank::Unknown, GROUP_KILL, cgroup, errno),
    }
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
