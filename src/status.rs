//! The exit statuses of oomexec itself: one table, as env(1), nice(1), nohup(1)
//! and timeout(1) have it (POSIX, XCU 2.8.2).

use libc::{ENOENT, ENOTDIR, c_int};

/// An exit status.
pub type Status = u8;

/// `--help`, `--version` or `--pid` did what was asked.
pub const SUCCESS: Status = 0;

/// `--check` found that it would not work here.
pub const NO: Status = 1;

/// oomexec itself failed: bad usage, or a request that could not be met.
pub const OWN_FAILURE: Status = 125;

/// The command was found but cannot be run.
pub const CANNOT_RUN: Status = 126;

/// The command was not found.
pub const NOT_FOUND: Status = 127;

/// The status for a command of which execve(2) said `errno`, where nothing
/// shows that its file is there after all.
#[must_use]
pub const fn for_errno(errno: c_int) -> Status {
    match errno {
        ENOENT | ENOTDIR => NOT_FOUND,
        _ => CANNOT_RUN,
    }
}
