//! What oomexec says, and the exit status that goes with it.

use libc::{EINTR, EIO};
use oomexec::c_text::CText;
use oomexec::cli::Usage;
use oomexec::message::Line;
use oomexec::reason::Reason;
use oomexec::status::{OWN_FAILURE, SUCCESS, Status};
use oomexec::words::Message;

use crate::kernel::{self, STDERR, STDOUT};

/// A command line that means nothing.
#[cold]
#[inline(never)]
pub fn usage(usage: &Usage<'_>) -> Status {
    let mut line = Line::new();
    line.usage(usage);
    complain(&line);
    usage.status()
}

/// A command that cannot be run.
#[cold]
#[inline(never)]
pub fn cannot_run(name: CText<'_>, reason: &Reason<'_>) -> Status {
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

/// Prints a text that is whole as it is.
pub fn text(message: Message) -> Status {
    let mut line = Line::new();
    line.whole(message);
    print(line.as_bytes())
}

/// Prints what was asked for.
#[cold]
#[inline(never)]
pub fn print(mut text: &[u8]) -> Status {
    while !text.is_empty() {
        let errno = match kernel::write(&STDOUT, text) {
            // Zero bytes of some would be so for ever.
            Ok(0) => EIO,
            Ok(written) => {
                text = text.get(written as usize..).unwrap_or_default();
                continue;
            }
            Err(EINTR) => continue,
            Err(errno) => errno,
        };
        let mut line = Line::new();
        line.cannot_print(errno);
        return own_failure(&line);
    }
    SUCCESS
}

/// Writes one line on stderr, with one write; where that fails, there is nobody
/// to tell.
fn complain(line: &Line) {
    let _ = kernel::write(&STDERR, line.as_bytes());
}
