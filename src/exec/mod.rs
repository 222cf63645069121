//! The exec: execvp(3) without a copy of anything.

pub mod binfmt;
pub mod path;
pub mod reason;

use core::ffi::CStr;

use libc::{ENAMETOOLONG, ENOENT};

use crate::output::{self, Quoted, Status};
use crate::sys::{Command, Errno};
use path::{Candidate, NAME_MAX, Search};
use reason::Reason;

/// The shell for a file in no format that the kernel knows, as execvp(3) has it.
const SHELL: &CStr = c"/bin/sh";

/// Becomes the command; if that fails, says why on stderr and returns the status.
pub fn exec(command: &Command) -> Status {
    if path::has_slash(command.name) {
        let errno = command.execve(command.name);
        cannot_run(command, &refused(command, errno))
    } else {
        cannot_run(command, &search(command))
    }
}

#[cold]
#[inline(never)]
fn cannot_run(command: &Command, reason: &Reason) -> Status {
    let name = Quoted(command.name.to_bytes());
    output::complain(format_args!("cannot run {name}: {reason}"));
    reason.status()
}

/// Becomes the first file along PATH that can be run; returns why it could not.
// Not inlined: its room for a path is no part of the launch path's stack.
#[inline(never)]
fn search(command: &Command) -> Reason {
    let name = command.name.to_bytes();
    if name.is_empty() {
        // Joined to a PATH element, an empty name is the directory itself.
        return Reason::Errno(Errno(ENOENT));
    }
    let path = match command.environment.get(path::VARIABLE) {
        Some(path) => path.to_bytes(),
        None => path::DEFAULT,
    };
    let mut candidate = Candidate::new();
    let mut search = Search::new();
    for element in path::elements(path) {
        match candidate.set(element, name) {
            Some(file) => {
                let errno = command.execve(file);
                if !search.goes_on(errno) {
                    let reason = reason::after(errno, file);
                    return reason.unwrap_or_else(|| shell(command, &mut candidate));
                }
            }
            // The kernel takes no path of this length. That the name is too long for
            // it is worth saying; that the element is, is not.
            None if name.len() > NAME_MAX => {
                search.goes_on(Errno(ENAMETOOLONG));
            }
            None => {}
        }
    }
    if search.end() == Errno(ENOENT) {
        // Along the way "not found" also meant a file that lacks its interpreter. The
        // first of those is the reason that helps.
        for element in path::elements(path) {
            if let Some(file) = candidate.set(element, name) {
                match reason::missing(file, Errno(ENOENT)) {
                    Reason::Errno(_) => {}
                    reason => return reason,
                }
            }
        }
    }
    Reason::Errno(search.end())
}

/// Returns why execve(2) failed with `errno` for a command that is a path; or becomes
/// the shell, if it is a script for that.
#[cold]
#[inline(never)]
fn refused(command: &Command, errno: Errno) -> Reason {
    reason::after(errno, command.name).unwrap_or_else(|| {
        let mut script = Candidate::new();
        script.set(b"", command.name.to_bytes());
        shell(command, &mut script)
    })
}

/// Becomes the shell, with `script` for its operand; returns why it could not.
fn shell(command: &Command, script: &mut Candidate) -> Reason {
    match script.operand() {
        Some(operand) => Reason::Shell(command.execve_shell(SHELL.into(), operand)),
        None => Reason::Errno(Errno(ENAMETOOLONG)),
    }
}
