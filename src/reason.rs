//! Why a command cannot be run.

use libc::{ENOENT, c_int};

use crate::c_text::CText;
use crate::status::{self, Status};
use crate::words::Message;

/// The reason, as far as it can be found out.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The words for it.
    pub message: Message,
    /// What is missing, where the words name it.
    pub path: CText<'a>,
    /// What execve(2) said: of the command, or of /bin/sh.
    pub errno: c_int,
}

impl<'a> Reason<'a> {
    /// Just what execve(2) said.
    #[must_use]
    pub const fn errno(errno: c_int) -> Self {
        Self::of(Message::JustErrno, errno)
    }

    /// The file is there; execve(2) misses something else, and what that is
    /// cannot be seen (the file cannot be read, say).
    #[must_use]
    pub const fn incomplete() -> Self {
        Self::of(Message::Incomplete, ENOENT)
    }

    /// The file is there; the interpreter that its `#!` line names is not, or the
    /// ELF loader that it names (`PT_INTERP`).
    #[must_use]
    pub const fn lacks(need: Message, path: CText<'a>) -> Self {
        Self {
            message: need,
            path,
            errno: ENOENT,
        }
    }

    /// An ELF file that the kernel does not run: for the machine that the words
    /// name, or for one unknown, or damaged.
    #[must_use]
    pub const fn other_machine(message: Message) -> Self {
        Self::of(message, ENOENT)
    }

    /// A file in no format that the kernel knows, and what execve(2) said of
    /// /bin/sh.
    #[must_use]
    pub const fn shell(errno: c_int) -> Self {
        let message = match errno {
            ENOENT => Message::NoShell,
            _ => Message::ShellFailed,
        };
        Self::of(message, errno)
    }

    const fn of(message: Message, errno: c_int) -> Self {
        Self {
            message,
            path: CText::EMPTY,
            errno,
        }
    }

    /// Whether there is nothing to say but what execve(2) did.
    #[must_use]
    pub const fn is_just_errno(&self) -> bool {
        matches!(self.message, Message::JustErrno)
    }

    /// The exit status that says it: a file that is there was found, whatever it
    /// lacks.
    #[must_use]
    pub const fn status(&self) -> Status {
        if self.is_just_errno() {
            status::for_errno(self.errno)
        } else {
            status::CANNOT_RUN
        }
    }
}
