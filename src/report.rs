//! What oomexec says, and the exit status that goes with it.

use core::ffi::c_int;

use libc::{EINTR, EIO};
use oomexec::cli::Usage;
use oomexec::message::Line;
use oomexec::reason::Reason;
use oomexec::status::{OWN_FAILURE, SUCCESS, Status};
use rustix::fd::BorrowedFd;
use rustix::stdio;

use crate::kernel;

/// A command line that means nothing.
#[cold]
#[inline(never)]
pub fn usage(usage: &Usage<'_>) -> Status {
    let mut line = Line::new();
    line.usage(usage);
    own_failure(&line)
}

/// A command that cannot be run.
#[cold]
#[inline(never)]
pub fn cannot_run(name: &[u8], reason: &Reason<'_>) -> Status {
    let mut line = Line::new();
    line.cannot_run(name, reason);
    complain(&line);
    reason.status()
}

/// A failure of oomexec itself.
#[cold]
#[inline(never)]
pub fn own_failure(line: &Line) -> Status {
    complain(line);
    OWN_FAILURE
}

/// Prints what was asked for.
#[cold]
#[inline(never)]
pub fn print(text: &[u8]) -> Status {
    match write_all(text) {
        Ok(()) => SUCCESS,
        Err(errno) => {
            let mut line = Line::new();
            line.cannot_print(errno);
            own_failure(&line)
        }
    }
}

fn write_all(mut text: &[u8]) -> Result<(), c_int> {
    // SAFETY: the number is only borrowed, for a write; where descriptor 1 is
    // closed, that fails. No descriptor of this program's own is open by then.
    let stdout: BorrowedFd<'_> = unsafe { stdio::stdout() };
    while !text.is_empty() {
        match kernel::write(stdout, text) {
            // Zero bytes of some would be so for ever.
            Ok(0) => return Err(EIO),
            Ok(written) => text = text.get(written..).unwrap_or_default(),
            Err(EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Writes one line on stderr, with one write; where that fails, there is nobody
/// to tell.
fn complain(line: &Line) {
    // SAFETY: the number is only borrowed, for a write; where descriptor 2 is
    // closed, that fails.
    let stderr: BorrowedFd<'_> = unsafe { stdio::stderr() };
    let _ = kernel::write(stderr, line.as_bytes());
}
