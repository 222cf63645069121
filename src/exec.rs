//! The exec: execvp(3) without a copy of anything, and the reason where it
//! fails. Which errno ends the search is in [`oomexec::path`].

use core::ffi::{CStr, c_int};

use libc::{ENAMETOOLONG, ENOENT, ENOEXEC, ENOTDIR};
use oomexec::c_text::CText;
use oomexec::path::{self, Candidate, Search};
use oomexec::reason::Reason;
use oomexec::status::Status;

use crate::diagnosis::{self, Needed};
use crate::start::Command;
use crate::{arch, report};

/// The shell for a file in no format that the kernel knows, as execvp(3) has it.
const SHELL: &CStr = c"/bin/sh";

/// Becomes the command; where that cannot be, says why on stderr.
pub fn exec(command: &Command) -> Status {
    if path::has_slash(command.name) {
        let errno = execve(command, command.name);
        failed(command, command.name, errno)
    } else {
        search(command)
    }
}

/// Becomes the first file along PATH that can be run. Not inlined, so that its
/// room for a path is no part of the fast path's stack.
#[inline(never)]
fn search(command: &Command) -> Status {
    let name = command.name.to_bytes();
    if name.is_empty() {
        // In a directory it would be the directory.
        return report::cannot_run(command.name, &Reason::errno(ENOENT));
    }
    let path = command
        .environment
        .get(path::VARIABLE)
        .unwrap_or(path::DEFAULT);
    let mut candidate = Candidate::new();
    let mut search = Search::default();
    for element in path::elements(path) {
        if let Some(file) = candidate.set(element, name) {
            let errno = execve(command, file);
            if !search.goes_on(errno) {
                return failed(command, file, errno);
            }
        }
    }
    // Along the way "not found" also meant a file that lacks its interpreter:
    // the first of those is what a person would want to hear of.
    let mut needed = Needed::new();
    if search.at_end() == ENOENT {
        for element in path::elements(path) {
            if let Some(file) = candidate.set(element, name) {
                match diagnosis::missing(file, ENOENT, &mut needed) {
                    reason if reason.is_just_errno() => {}
                    reason => return report::cannot_run(command.name, &reason),
                }
            }
        }
    }
    report::cannot_run(command.name, &Reason::errno(search.at_end()))
}

/// After execve(2) said `errno` of `file` and the search has ended there: the
/// shell, if that is what the file is for, or the reason.
#[cold]
#[inline(never)]
fn failed(command: &Command, file: CText<'_>, errno: c_int) -> Status {
    let mut needed = Needed::new();
    let reason = match errno {
        ENOENT | ENOTDIR => diagnosis::missing(file, errno, &mut needed),
        ENOEXEC => diagnosis::other_machine(file).unwrap_or_else(|| shell(command, file)),
        errno => Reason::errno(errno),
    };
    report::cannot_run(command.name, &reason)
}

/// Becomes the shell, with `file` for its script; the reason, if it cannot.
fn shell(command: &Command, file: CText<'_>) -> Reason<'static> {
    let mut room = Candidate::new();
    let Some(operand) = room.operand(file) else {
        return Reason::errno(ENAMETOOLONG);
    };
    // SAFETY: the slot in front of the command's argv is oomexec's own, and both
    // strings outlive the call.
    let errno = unsafe {
        let argv = command.argv.sub(1);
        *argv = SHELL.as_ptr();
        *command.argv = operand.as_ptr();
        arch::execve(SHELL.into(), argv, command.environment.as_ptr())
    };
    Reason::shell(errno)
}

/// Becomes the program at `file`, in the command's name; the errno, if it
/// cannot.
fn execve(command: &Command, file: CText<'_>) -> c_int {
    // SAFETY: both arrays are the kernel's own, as `Start` found them.
    unsafe { arch::execve(file, command.argv, command.environment.as_ptr()) }
}
