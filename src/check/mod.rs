//! `--check`: tells whether the OOM killer would pick a child that is launched here
//! before the gateway. It prints one finding a line; one place reads, weighs and words
//! each.
//!
//! It writes to its own score alone, and pins itself last of all.

mod cgroup;
mod memory;

use core::ffi::CStr;
use core::fmt;

use libc::{E2BIG, EACCES, EINVAL, EMFILE, ENFILE, ENOENT, ENOSYS, EOPNOTSUPP, EROFS};

use crate::output::{self, Quoted, Status, status};
use crate::pin::{self, PinError, Strength};
use crate::score::{self, Score};
use crate::sys::{self, CAP_SYS_RESOURCE, Errno, File, OFlags, Pid, Process, ThinCStr, number};

pub use cgroup::{Version, beneath, membership, mount, unescape};

/// The weight of a finding. The heaviest decides the exit status.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Rank {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Without this the answer is not known.
    Unknown,
    /// The OOM killer would not pick the child first.
    Fail,
}

/// The findings so far.
struct Report {
    worst: Rank,
    /// The status of printing them; a failure ends it.
    printed: Status,
}

impl Report {
    /// Prints a finding.
    fn add(&mut self, rank: Rank, subject: &str, words: fmt::Arguments<'_>) {
        self.worst = self.worst.max(rank);
        if self.printed == status::SUCCESS {
            let rank = match rank {
                Rank::Ok => "ok",
                Rank::Note | Rank::Unknown => "note",
                Rank::Fail => "FAIL",
            };
            self.printed = output::print_line(format_args!("{rank:<6}{subject:<14}{words}"));
        }
    }

    const fn status(&self) -> Status {
        match self.worst {
            _ if self.printed != status::SUCCESS => self.printed,
            Rank::Ok | Rank::Note => status::SUCCESS,
            Rank::Unknown => status::OWN_FAILURE,
            Rank::Fail => status::NO,
        }
    }
}

/// Tells whether the gateway would survive: the process with this id, or else the
/// parent. Returns 0 if so, 1 if not, 125 if that is not known.
pub fn check(gateway: Option<Pid>, opted_out: bool) -> Status {
    let mut report = Report {
        worst: Rank::Ok,
        printed: status::SUCCESS,
    };
    let gateway = gateway.map_or_else(Process::parent, Process::Id);
    // Before the raise: the gateway may be this process itself.
    let score = score::get(gateway);

    let floor = raise(&mut report, opted_out);
    let score = self::gateway(&mut report, gateway, score);
    let is_limited = memory::check(&mut report, score, floor);
    // 2 panics also where a cgroup's limit is met (check_panic_on_oom).
    sysctl(&mut report, is_limited, c"/proc/sys/vm/panic_on_oom", 1);
    let allocating = c"/proc/sys/vm/oom_kill_allocating_task";
    sysctl(&mut report, is_limited, allocating, u64::MAX);
    fallback(&mut report);
    pin(&mut report);
    report.status()
}

/// Whether the score can be raised, and lowered again; returns the lowest that can be
/// written, if it can be raised.
fn raise(report: &mut Report, opted_out: bool) -> Option<Score> {
    let mut found = |rank, words: fmt::Arguments<'_>| report.add(rank, "raise", words);
    if opted_out {
        found(
            Rank::Fail,
            format_args!("OPENCLAW_CHILD_OOM_SCORE_ADJ turns it off"),
        );
        return None;
    }
    match raised() {
        Ok((before, Score::MAX)) => {
            found(Rank::Ok, format_args!("{before}, then {}", Score::MAX));
            Some(floor(report))
        }
        Ok((before, after)) => {
            found(
                Rank::Fail,
                format_args!("{before}, then {after}: the write has no effect"),
            );
            None
        }
        Err(errno) => {
            let cause = cause(errno, sys::is_dumpable());
            found(
                Rank::Fail,
                format_args!("cannot write '/proc/self/oom_score_adj': {errno} ({cause})"),
            );
            None
        }
    }
}

/// Raises this process's score; returns what it was, and is.
fn raised() -> Result<(Score, Score), Errno> {
    let before = score::get(Process::Own)?;
    score::put(Process::Own, Score::MAX)?;
    Ok((before, score::get(Process::Own)?))
}

const MOUNT_PROC: &str = "mount the /proc of this pid namespace";

/// Returns the usual cause of a raise that fails, or what to do about it.
fn cause(errno: Errno, is_dumpable: bool) -> &'static str {
    match errno.0 {
        ENOENT => MOUNT_PROC,
        EROFS => "mount /proc read-write",
        EACCES if !is_dumpable => "install oomexec with mode 0755",
        EACCES => "Landlock, AppArmor, SELinux",
        EMFILE | ENFILE => "limit of open files",
        _ => "seccomp",
    }
}

/// Finds the lowest score that can be written again, by halves; returns it.
fn floor(report: &mut Report) -> Score {
    let (mut lowest, mut writable) = (Score::MIN, Score::MAX);
    while lowest < writable {
        let middle = Score::middle(lowest, writable);
        match score::put(Process::Own, middle) {
            Ok(()) => writable = middle,
            Err(_) => lowest = middle.next(),
        }
    }
    let mut found = |rank, words: fmt::Arguments<'_>| report.add(rank, "floor", words);
    match lowest {
        // A capability that only a user namespace gives does not count for the kernel:
        // with that one the floor would not be as low.
        Score::MIN if sys::has_capability(CAP_SYS_RESOURCE) => found(
            Rank::Ok,
            format_args!("{} for a child without CAP_SYS_RESOURCE", Score::MAX),
        ),
        Score::MAX => found(Rank::Ok, format_args!("cannot be lowered again")),
        lowest => found(
            Rank::Note,
            format_args!(
                "can be lowered to {lowest} again; --pin stops browsers, --pin=write all programs"
            ),
        ),
    }
    lowest
}

/// How much margin the gateway's score leaves; returns the score, if it is known.
fn gateway(report: &mut Report, process: Process, score: Result<Score, Errno>) -> Option<Score> {
    let mut found = |rank, words: fmt::Arguments<'_>| report.add(rank, "gateway", words);
    let score = match score {
        _ if Process::has_foreign_proc() => {
            found(
                Rank::Unknown,
                format_args!("/proc does not tell which process {process} is ({MOUNT_PROC})"),
            );
            return None;
        }
        Ok(score) => score,
        Err(errno) => {
            found(
                Rank::Unknown,
                format_args!("cannot read '/proc/{process}/oom_score_adj': {errno}"),
            );
            return None;
        }
    };
    let mut name = sys::Buffer::<64>::new();
    let _ = File::each_line(process.file("comm").as_thin_c_str(), |line| {
        name.extend(line);
    });
    let name = Quoted(name.as_bytes());
    match margin(score) {
        None if score == Score::MIN => found(
            Rank::Note,
            format_args!("process {process} {name} at {score}: never killed, even if it leaks"),
        ),
        None => found(
            Rank::Ok,
            format_args!("process {process} {name} at {score}"),
        ),
        Some(margin) => found(
            if score == Score::MAX {
                Rank::Fail
            } else {
                Rank::Note
            },
            format_args!(
                "process {process} {name} at {score}: margin {margin} of the limit; \
                 start it at a lower score"
            ),
        ),
    }
    Some(score)
}

/// Returns by how much of the limit a gateway at this score may be bigger than a child
/// at 1000 and still survive; `None` if by all of it.
fn margin(score: Score) -> Option<Percent> {
    let left = Score::MAX.get() - score.get();
    (score.get() > 0).then_some(Percent(left))
}

/// So many thousandths, shown as a percentage.
#[derive(Debug, PartialEq, Eq)]
struct Percent(i16);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 10, self.0 % 10) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, tenths) => write!(f, "{whole}.{tenths}%"),
        }
    }
}

/// A setting of the kernel's that decides before the score does; up to `most` it does
/// not reach a cgroup's limit.
fn sysctl(report: &mut Report, is_limited: bool, file: &'static CStr, most: u64) {
    let mut found = |rank, words: fmt::Arguments<'_>| report.add(rank, "sysctl", words);
    let name = Quoted(file.to_bytes());
    match amount(file.into(), b"") {
        Ok(0) => {}
        Ok(value) if is_limited && value <= most => {
            found(Rank::Note, format_args!("{name} is {value}: set it to 0"));
        }
        Ok(value) => found(Rank::Fail, format_args!("{name} is {value}: set it to 0")),
        Err(errno) => found(Rank::Note, format_args!("cannot read {name}: {errno}")),
    }
}

/// Whether there is a shell for a spawner to fall back to.
fn fallback(report: &mut Report) {
    match File::open(c"/bin/sh".into(), OFlags::PATH) {
        Ok(_) => report.add(Rank::Ok, "fallback", format_args!("/bin/sh")),
        Err(_) => report.add(Rank::Note, "fallback", format_args!("no /bin/sh")),
    }
}

/// Whether the pin works, in both strengths: it pins this process, which ends anyway.
fn pin(report: &mut Report) {
    let mut found = |rank, words: fmt::Arguments<'_>| report.add(rank, "pin", words);
    let abi = match pin::abi() {
        Ok(abi @ pin::ABI_MIN..) => abi,
        Ok(abi) => {
            return found(
                Rank::Note,
                format_args!("Landlock ABI {abi}; it needs {} (Linux 6.2)", pin::ABI_MIN),
            );
        }
        Err(errno) => {
            let cause = match errno.0 {
                ENOSYS => "Linux 6.2 has it; or seccomp",
                EOPNOTSUPP => "add landlock to the kernel's lsm=",
                _ => "seccomp",
            };
            return found(Rank::Note, format_args!("no Landlock: {errno} ({cause})"));
        }
    };
    for (strength, flags) in [
        (Strength::Truncate, OFlags::TRUNC),
        (Strength::Write, OFlags::empty()),
    ] {
        match pin::pin(strength) {
            Ok(()) => {}
            // The first pin has taken the last layer.
            Err(PinError::Restrict(Errno(E2BIG))) if strength == Strength::Write => break,
            Err(error) => return found(Rank::Note, format_args!("Landlock ABI {abi}: {error}")),
        }
        let score = Process::Own.file("oom_score_adj");
        if File::open(score.as_thin_c_str(), flags.union(OFlags::WRONLY)).is_ok() {
            return found(
                Rank::Note,
                format_args!(
                    "Landlock ABI {abi}: {strength} has no effect: \
                     another entry of '/' leads to /proc"
                ),
            );
        }
    }
    found(
        Rank::Ok,
        format_args!("Landlock ABI {abi}: --pin and --pin=write hold"),
    );
}

/// Reads the number behind `prefix` in the first line of a file that has one; `max` is
/// as many as there are.
fn amount(file: ThinCStr<'_>, prefix: &[u8]) -> Result<u64, Errno> {
    let mut amount = None;
    File::each_line(file, |line| {
        if amount.is_none() {
            amount = match line.strip_prefix(prefix) {
                Some(b"max") => Some(u64::MAX),
                Some(text) => number(text),
                None => None,
            };
        }
    })?;
    amount.ok_or(Errno(EINVAL))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Rank, Report, cause, margin};
    use crate::output::status;
    use crate::score::Score;
    use crate::sys::Errno;
    use libc::*;
    use std::string::ToString;

    #[test]
    fn the_heaviest_finding_decides_the_status() {
        let status = |worst, printed| Report { worst, printed }.status();
        assert!(Rank::Ok < Rank::Note && Rank::Note < Rank::Unknown && Rank::Unknown < Rank::Fail);
        for (worst, expected) in [
            (Rank::Ok, 0),
            (Rank::Note, 0),
            (Rank::Unknown, 125),
            (Rank::Fail, 1),
        ] {
            assert_eq!(status(worst, status::SUCCESS), expected);
            // What cannot be printed is a failure of oomexec itself.
            assert_eq!(status(worst, status::OWN_FAILURE), 125);
        }
    }

    #[test]
    fn a_raise_that_fails_has_its_usual_cause() {
        for (errno, is_dumpable, words) in [
            (ENOENT, true, "mount the /proc of this pid namespace"),
            (EROFS, true, "mount /proc read-write"),
            (EACCES, true, "Landlock, AppArmor, SELinux"),
            (EACCES, false, "install oomexec with mode 0755"),
            (EMFILE, true, "limit of open files"),
            (ENFILE, true, "limit of open files"),
            (EPERM, true, "seccomp"),
            (ENOSYS, true, "seccomp"),
        ] {
            assert_eq!(cause(Errno(errno), is_dumpable), words);
        }
    }

    #[test]
    fn a_gateway_has_as_much_margin_as_its_score_leaves() {
        for (score, words) in [
            ("1", "99.9%"),
            ("300", "70%"),
            ("999", "0.1%"),
            ("1000", "0%"),
        ] {
            let margin = margin(Score::parse(score.as_bytes()).unwrap());
            assert_eq!(margin.expect(score).to_string(), words);
        }
        for score in [b"0".as_slice(), b"-1", b"-1000"] {
            assert_eq!(margin(Score::parse(score).unwrap()), None);
        }
    }
}
