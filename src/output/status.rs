//! The exit statuses of oomexec itself: those of env(1), nice(1), nohup(1) and
//! timeout(1) (POSIX, XCU 2.8.2).

use libc::ENOENT;

use crate::sys::Errno;

/// An exit status.
pub type Status = u8;

/// `--help`, `--version` or `--pid` did what was asked.
pub const SUCCESS: Status = 0;

/// `--check` found that the gateway would not survive.
pub const NO: Status = 1;

/// oomexec itself failed: bad usage, or a request that it could not meet.
pub const OWN_FAILURE: Status = 125;

/// The command was found but cannot be run.
pub const CANNOT_RUN: Status = 126;

/// The command was not found, or a file that it needs.
pub const NOT_FOUND: Status = 127;

/// Returns the status for a command that execve(2) refuses.
pub const fn for_errno(errno: Errno) -> Status {
    match errno {
        Errno(ENOENT) => NOT_FOUND,
        _ => CANNOT_RUN,
    }
}
