//! Why a command cannot be run.

use libc::c_int;

use crate::status::{self, Status};

/// The reason, as far as it can be found out. The words for each are in
/// [`crate::message::Line::cannot_run`].
#[derive(Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// What execve(2) said.
    Errno(c_int),
    /// The file is there; the interpreter that its `#!` line names is not.
    NoInterpreter(&'a [u8]),
    /// The file is there; the ELF loader that it names (`PT_INTERP`) is not.
    NoLoader(&'a [u8]),
    /// The file is there; execve(2) misses something else, and what that is
    /// cannot be seen (the file cannot be read, say).
    Incomplete,
    /// An ELF file that the kernel does not run: for the machine named here, or
    /// for one unknown, or damaged.
    OtherMachine(Option<&'static str>),
    /// A file in no format that the kernel knows, and what execve(2) said of
    /// /bin/sh.
    Shell(c_int),
}

impl Reason<'_> {
    /// The exit status that says it: a file that is there was found, whatever it
    /// lacks.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Errno(errno) => status::for_errno(*errno),
            _ => status::CANNOT_RUN,
        }
    }
}
