//! What `--check` finds, how much each finding weighs, and the words for it.

use libc::{EACCES, EMFILE, ENFILE, ENODATA, ENOENT, ENOSYS, EOPNOTSUPP, EROFS, c_int};

use crate::c_text::CText;
use crate::cli::Pid;
use crate::message::{Line, NONE};
use crate::number::{SCORE_MAX, SCORE_MIN, Score};
use crate::status::{NO, OWN_FAILURE, SUCCESS, Status};
use crate::words::Message;

/// The first ABI of Landlock that knows truncation (landlock(7)): Linux 6.2.
pub const LANDLOCK_ABI_MIN: c_int = 3;

/// How much a finding weighs. A check is as its heaviest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub enum Rank {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Without this the answer is not known.
    Unknown,
    /// A child would not be killed before the gateway.
    Fail,
}

impl Rank {
    /// The exit status of a check that came to this.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Ok | Self::Note => SUCCESS,
            Self::Unknown => OWN_FAILURE,
            Self::Fail => NO,
        }
    }
}

/// A check in the making: each finding is a line, given to `print`.
pub struct Check {
    line: Line,
    worst: Rank,
    print: fn(&[u8]) -> Status,
    printed: Status,
    /// Whether the gateway is at the one score that a group kill passes over
    /// (`oom_kill_memcg_member`, mm/oom_kill.c).
    spared: bool,
}

impl Check {
    /// Nothing found yet. What `print` returns for a failure is the end of it.
    pub const fn new(print: fn(&[u8]) -> Status) -> Self {
        Self {
            line: Line::new(),
            worst: Rank::Ok,
            print,
            printed: SUCCESS,
            spared: false,
        }
    }

    /// The exit status of what it has come to.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.printed {
            SUCCESS => self.worst.status(),
            failed => failed,
        }
    }

    /// The own score was written: what it was, and is.
    pub fn raise(&mut self, before: Score, after: Score) {
        let (rank, message) = match after {
            SCORE_MAX => (Rank::Ok, Message::Raise),
            _ => (Rank::Fail, Message::RaiseInVain),
        };
        self.found(rank, message, NONE, before.into(), after.into());
    }

    /// The own score cannot be written; `dumpable` is false where the user may not
    /// read oomexec's file.
    pub fn no_raise(&mut self, errno: c_int, dumpable: bool) {
        let hint = match errno {
            ENOENT => Message::MountNamespace,
            EROFS => Message::MountWritable,
            EACCES if !dumpable => Message::InstallReadable,
            EACCES => Message::SecurityModule,
            EMFILE | ENFILE => Message::OpenFiles,
            _ => Message::Seccomp,
        };
        self.found_with(Rank::Fail, Message::NoRaise, errno, hint);
    }

    /// The environment opts out.
    pub fn opted_out(&mut self) {
        self.plain(Rank::Fail, Message::OptedOut);
    }

    /// The lowest score that can be written again.
    pub fn floor(&mut self, floor: Score) {
        let (rank, message) = match floor {
            SCORE_MAX => (Rank::Ok, Message::FloorFixed),
            _ => (Rank::Note, Message::Floor),
        };
        self.found(rank, message, NONE, floor.into(), 0);
    }

    /// The raise was made with CAP_SYS_RESOURCE, which moves the floor with it.
    pub fn floor_moved(&mut self) {
        self.plain(Rank::Ok, Message::FloorMoved);
    }

    /// Landlock's ABI, or the errno of asking for it.
    pub fn pin(&mut self, abi: Result<c_int, c_int>) {
        match abi {
            Ok(abi @ LANDLOCK_ABI_MIN..) => self.found(Rank::Ok, Message::Pin, NONE, abi, 0),
            Ok(abi) => self.found(Rank::Note, Message::PinTooOld, NONE, abi, LANDLOCK_ABI_MIN),
            Err(errno) => {
                let hint = match errno {
                    ENOSYS => Message::NewerKernel,
                    EOPNOTSUPP => Message::BootParameter,
                    _ => Message::Seccomp,
                };
                self.found_with(Rank::Note, Message::NoPin, errno, hint);
            }
        }
    }

    /// The gateway: its process id, its name, its score.
    pub fn gateway(&mut self, pid: Pid, name: CText<'_>, score: Score) {
        let rank = match score {
            SCORE_MAX.. => Rank::Fail,
            1.. => Rank::Note,
            _ => Rank::Ok,
        };
        self.spared = score == SCORE_MIN;
        self.begin(rank, Message::Gateway, name, pid, score.into());
        if score > 0 {
            let left = SCORE_MAX - score;
            self.line.number(Message::BiasLeft, left.into());
        }
        self.end();
    }

    /// The file that has the nearest limit, what is in use there, and the limit, in
    /// bytes.
    pub fn limit(&mut self, file: CText<'_>, used: u64, limit: u64) {
        let (used, limit) = (mebibytes(used), mebibytes(limit));
        self.found(Rank::Ok, Message::Limit, file, used, limit);
    }

    /// There is no limit but the host's memory, in bytes.
    pub fn no_limit(&mut self, memory: u64) {
        self.found(Rank::Ok, Message::NoLimit, NONE, mebibytes(memory), 0);
    }

    /// The file that says that everything dies together, if one does: after the
    /// gateway was found.
    pub fn group_kill(&mut self, file: Option<CText<'_>>) {
        let (rank, message) = match file {
            None => (Rank::Ok, Message::NoGroupKill),
            Some(_) if self.spared => (Rank::Note, Message::GroupKill),
            Some(_) => (Rank::Fail, Message::GroupKill),
        };
        self.found(rank, message, file.unwrap_or(NONE), 0, 0);
    }

    /// How often the OOM killer has killed, as this file has it.
    pub fn kills(&mut self, file: CText<'_>, kills: u64) {
        let rank = if kills == 0 { Rank::Ok } else { Rank::Note };
        self.found(rank, Message::Kills, file, number(kills), 0);
    }

    /// A setting of the kernel's that comes before the score.
    pub fn sysctl(&mut self, rank: Rank, file: CText<'_>, value: u64) {
        self.found(rank, Message::Sysctl, file, number(value), 0);
    }

    /// Whether there is a shell.
    pub fn fallback(&mut self, shell: bool) {
        let (rank, message) = match shell {
            true => (Rank::Ok, Message::Shell),
            false => (Rank::Note, Message::NoFallback),
        };
        self.plain(rank, message);
    }

    /// What cannot be read, and so is not known of a subject (`of`); ENODATA of a
    /// file that says nothing of it.
    #[inline(never)]
    pub fn unread(&mut self, rank: Rank, of: Message, file: CText<'_>, errno: c_int) {
        let message = match errno {
            ENODATA => Message::NoCgroup,
            _ => Message::Unread,
        };
        self.begin(rank, of, NONE, 0, 0);
        self.line.say(message, file, errno, 0);
        self.end();
    }

    #[inline(never)]
    fn found(&mut self, rank: Rank, message: Message, name: CText<'_>, a: i32, b: i32) {
        self.begin(rank, message, name, a, b);
        self.end();
    }

    /// A finding without a name or a number.
    #[inline(never)]
    fn plain(&mut self, rank: Rank, message: Message) {
        self.found(rank, message, NONE, 0, 0);
    }

    fn found_with(&mut self, rank: Rank, message: Message, errno: c_int, hint: Message) {
        self.begin(rank, message, NONE, errno, 0);
        self.line.tell(hint);
        self.end();
    }

    /// Begins a line: the rank, then the message.
    #[inline(never)]
    fn begin(&mut self, rank: Rank, message: Message, name: CText<'_>, a: i32, b: i32) {
        self.worst = self.worst.max(rank);
        let label = match rank {
            Rank::Ok => Message::Ok,
            Rank::Note | Rank::Unknown => Message::Note,
            Rank::Fail => Message::Fail,
        };
        self.line.start().tell(label).say(message, name, a, b);
    }

    #[inline(never)]
    fn end(&mut self) {
        self.line.end();
        if self.printed == SUCCESS {
            self.printed = (self.print)(self.line.as_bytes());
        }
    }
}

fn mebibytes(bytes: u64) -> i32 {
    number(bytes >> 20)
}

fn number(number: u64) -> i32 {
    number.min(i32::MAX as u64) as i32
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Check, Rank};
    use crate::status::Status;
    use libc::*;
    use std::cell::RefCell;
    use std::string::String;

    std::thread_local! {
        static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
    }

    fn print(line: &[u8]) -> Status {
        let line = std::str::from_utf8(line).unwrap();
        PRINTED.with_borrow_mut(|printed| printed.push_str(line));
        0
    }

    /// The lines of a check, and its exit status.
    fn found(find: impl FnOnce(&mut Check)) -> (String, Status) {
        let mut check = Check::new(print);
        find(&mut check);
        (PRINTED.take(), check.status())
    }

    #[test]
    fn what_cannot_be_printed_ends_the_printing_and_is_the_status() {
        let mut check = Check::new(|line| {
            print(line);
            125
        });
        check.opted_out();
        check.opted_out();
        assert_eq!(check.status(), 125);
        assert_eq!(PRINTED.take().lines().count(), 1);
    }

    #[track_caller]
    fn is(find: impl FnOnce(&mut Check), line: &str, status: Status) {
        assert_eq!(found(find), (std::format!("{line}\n"), status));
    }

    #[test]
    fn a_check_is_as_its_heaviest_finding() {
        assert_eq!(found(|_| ()), (String::new(), 0));
        let note = |check: &mut Check| check.fallback(false);
        let fail = |check: &mut Check| check.opted_out();
        let unknown = |check: &mut Check| {
            check.unread(
                Rank::Unknown,
                crate::words::Message::OfGateway,
                c"f".into(),
                EACCES,
            );
        };
        assert_eq!(found(note).1, 0);
        assert_eq!(found(unknown).1, 125);
        assert_eq!(found(fail).1, 1);
        let all = found(|check| {
            fail(check);
            unknown(check);
            note(check);
        });
        assert_eq!(all.1, 1);
        assert_eq!(all.0.lines().count(), 3);
    }

    #[test]
    fn a_raise_says_what_the_score_was_and_is() {
        is(
            |check| check.raise(0, 1000),
            "ok    raise         0, then 1000",
            0,
        );
        is(
            |check| check.raise(-7, 1000),
            "ok    raise         -7, then 1000",
            0,
        );
        is(
            |check| check.raise(0, 0),
            "FAIL  raise         0, then 0: the write has no effect",
            1,
        );
        is(
            |check| check.opted_out(),
            "FAIL  raise         OPENCLAW_CHILD_OOM_SCORE_ADJ turns it off",
            1,
        );
    }

    #[test]
    fn a_raise_that_fails_says_why_and_what_that_is_usually() {
        for (errno, dumpable, words) in [
            (
                ENOENT,
                true,
                "No such file or directory (mount the /proc of this pid namespace)",
            ),
            (
                EROFS,
                true,
                "Read-only file system (mount /proc read-write)",
            ),
            (
                EACCES,
                true,
                "Permission denied (Landlock, AppArmor, SELinux)",
            ),
            (
                EACCES,
                false,
                "Permission denied (install oomexec with mode 0755)",
            ),
            (EMFILE, true, "Too many open files (limit of open files)"),
            (
                ENFILE,
                true,
                "Too many open files in system (limit of open files)",
            ),
            (EPERM, true, "Operation not permitted (seccomp)"),
            (ENOSYS, true, "Function not implemented (seccomp)"),
        ] {
            is(
                |check| check.no_raise(errno, dumpable),
                &std::format!(
                    "FAIL  raise         cannot write '/proc/self/oom_score_adj': {words}"
                ),
                1,
            );
        }
    }

    #[test]
    fn a_floor_is_the_lowest_score_or_none() {
        is(
            |check| check.floor(200),
            "note  floor         can be lowered to 200 again; --pin holds programs that do",
            0,
        );
        is(
            |check| check.floor(1000),
            "ok    floor         cannot be lowered again",
            0,
        );
        is(
            |check| check.floor_moved(),
            "ok    floor         1000 for a child without CAP_SYS_RESOURCE",
            0,
        );
    }

    #[test]
    fn a_pin_needs_the_third_abi() {
        for (abi, line) in [
            (Ok(7), "ok    pin           Landlock ABI 7"),
            (Ok(3), "ok    pin           Landlock ABI 3"),
            (
                Ok(2),
                "note  pin           Landlock ABI 2; it needs 3 (Linux 6.2)",
            ),
            (
                Err(ENOSYS),
                "note  pin           no Landlock: Function not implemented \
                 (Linux 6.2 has it; or seccomp)",
            ),
            (
                Err(EOPNOTSUPP),
                "note  pin           no Landlock: Operation not supported \
                 (add landlock to the kernel's lsm=)",
            ),
            (
                Err(EPERM),
                "note  pin           no Landlock: Operation not permitted (seccomp)",
            ),
        ] {
            is(|check| check.pin(abi), line, 0);
        }
    }

    #[test]
    fn a_gateway_has_as_much_bias_left_as_its_score_leaves() {
        let gateway = |score| move |check: &mut Check| check.gateway(5, c"n\n".into(), score);
        is(gateway(0), "ok    gateway       process 5 'n\\n' at 0", 0);
        is(
            gateway(-1000),
            "ok    gateway       process 5 'n\\n' at -1000",
            0,
        );
        for (score, rank, left, status) in [
            (1, "note", 999, 0),
            (999, "note", 1, 0),
            (1000, "FAIL", 0, 1),
        ] {
            let line = std::format!(
                "{rank}  gateway       process 5 'n\\n' at {score}: {left} per mille of the limit \
                 left as bias, start it lower"
            );
            is(gateway(score), &line, status);
        }
    }

    #[test]
    fn memory_is_said_in_mebibytes_and_a_group_kill_with_what_to_do() {
        is(
            |check| check.limit(c"/m".into(), 3 << 20, 256 << 20),
            "ok    memory limit  '/m': 3 MiB of 256 MiB",
            0,
        );
        is(
            |check| check.no_limit(u64::MAX),
            "ok    memory limit  none but the host's memory: 2147483647 MiB",
            0,
        );
        is(
            |check| check.group_kill(Some(c"/g".into())),
            "FAIL  group kill    '/g' is 1: all in it dies together \
             (Kubernetes: singleProcessOOMKill, systemd: OOMPolicy=continue)",
            1,
        );
        // The one score that a group kill spares: only children die then.
        is(
            |check| {
                check.gateway(5, c"n".into(), -1000);
                check.group_kill(Some(c"/g".into()));
            },
            "ok    gateway       process 5 'n' at -1000\n\
             note  group kill    '/g' is 1: all in it dies together \
             (Kubernetes: singleProcessOOMKill, systemd: OOMPolicy=continue)",
            0,
        );
        is(|check| check.group_kill(None), "ok    group kill    no", 0);
        is(
            |check| check.kills(c"/k".into(), 0),
            "ok    kills so far  '/k': 0",
            0,
        );
        is(
            |check| check.kills(c"/k".into(), 3),
            "note  kills so far  '/k': 3",
            0,
        );
        is(
            |check| check.sysctl(Rank::Fail, c"/s".into(), 2),
            "FAIL  sysctl        '/s' is 2: set it to 0",
            1,
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        use crate::words::Message::{OfKills, OfLimit};
        is(
            |check| check.unread(Rank::Note, OfLimit, c"/f".into(), EACCES),
            "note  memory limit  cannot read '/f': Permission denied",
            0,
        );
        is(
            |check| check.unread(Rank::Note, OfKills, c"/f".into(), ENODATA),
            "note  kills so far  no memory cgroup in '/f'",
            0,
        );
    }
}
