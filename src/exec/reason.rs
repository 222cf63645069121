//! Why a command cannot be run, even if its file is there: the commonest confusion on
//! images without a shell or a libc.

use core::fmt;

use libc::{EACCES, ENOENT, ENOEXEC, ENOTDIR};

use super::binfmt::{Format, HEAD_MAX, PROGRAM_HEADER_MAX, format};
use crate::output::{Quoted, Status, status};
use crate::sys::{Buffer, Errno, File, OFlags, ThinCStr};

/// Why a command cannot be run, as far as it can be found out.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is no heap, and one reason at a time"
)]
pub enum Reason {
    /// Just what execve(2) said.
    Errno(Errno),
    /// The file is there. What it needs is not: opening that fails with this errno.
    Missing(Need, Path, Errno),
    /// The file is there, and execve(2) failed with this errno. What it needs cannot be
    /// found out, or is there too.
    Unreachable(Errno),
    /// The file is a program for another machine, which may have no name here, or it is
    /// damaged.
    OtherMachine(Option<&'static str>),
    /// The file is a script for a shell, and execve(2) failed with this errno for
    /// /bin/sh.
    Shell(Errno),
}

/// What a file needs to be run.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Need {
    /// The interpreter that a `#!` line names.
    Interpreter,
    /// The loader that an ELF file names (`PT_INTERP`).
    Loader,
}

/// The path of what a file needs, with a NUL at its end.
pub struct Path(Buffer<{ HEAD_MAX + 1 }>);

impl Reason {
    /// Returns the exit status for it.
    pub const fn status(&self) -> Status {
        status::for_errno(match *self {
            Self::Errno(errno)
            | Self::Missing(_, _, errno)
            | Self::Unreachable(errno)
            | Self::Shell(errno) => errno,
            Self::OtherMachine(_) => Errno(ENOEXEC),
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(errno) => errno.fmt(f),
            Self::Missing(need, path, _) => {
                let need = match need {
                    Need::Interpreter => "interpreter",
                    Need::Loader => "ELF loader",
                };
                write!(f, "its {need} {} does not exist", Quoted(path.as_bytes()))
            }
            Self::Unreachable(_) => f.write_str(
                "the file is there, but its interpreter or ELF loader cannot be reached",
            ),
            Self::OtherMachine(Some(machine)) => {
                write!(f, "it was built for another machine ({machine})")
            }
            Self::OtherMachine(None) => {
                f.write_str("it was built for another machine, or is damaged")
            }
            Self::Shell(Errno(ENOENT)) => f.write_str(
                "the script has no interpreter line and there is no shell to run it (/bin/sh)",
            ),
            Self::Shell(errno) => write!(
                f,
                "the script has no interpreter line and /bin/sh cannot run it: {errno}"
            ),
        }
    }
}

impl Path {
    /// Returns a path, cut to as much as the kernel reads of one.
    pub fn new(path: &[u8]) -> Self {
        let mut buffer = Buffer::new();
        buffer.extend(path.get(..HEAD_MAX).unwrap_or(path));
        buffer.push(0);
        Self(buffer)
    }

    /// The path without its NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.as_thin_c_str().to_bytes()
    }

    fn as_thin_c_str(&self) -> ThinCStr<'_> {
        self.0.as_thin_c_str().unwrap_or(ThinCStr::EMPTY)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_thin_c_str().fmt(f)
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Path {}

/// How often the kernel follows from a file to its interpreter (`exec_binprm`,
/// fs/exec.c).
const DEPTH: usize = 5;

/// Returns why execve(2) failed with `errno` for `file`; `None` if the file is in no
/// format that the kernel knows: a script for the shell.
pub fn after(errno: Errno, file: ThinCStr<'_>) -> Option<Reason> {
    match errno {
        Errno(ENOENT | ENOTDIR) => Some(missing(file, errno)),
        Errno(ENOEXEC) => other_machine(file),
        errno => Some(Reason::Errno(errno)),
    }
}

/// Returns why execve(2) failed with `errno`, ENOENT or ENOTDIR, for `file`: just
/// that, if the file itself is not there.
pub fn missing(file: ThinCStr<'_>, errno: Errno) -> Reason {
    let mut file = match File::open(file, OFlags::RDONLY) {
        Ok(file) => file,
        Err(Errno(EACCES)) => return Reason::Unreachable(errno),
        Err(_) => return Reason::Errno(errno),
    };
    for _ in 0..DEPTH {
        let Some((need, path)) = read_need(&file) else {
            break;
        };
        match File::open(path.as_thin_c_str(), OFlags::RDONLY) {
            Ok(next) => file = next,
            Err(errno @ Errno(ENOENT | ENOTDIR)) => return Reason::Missing(need, path, errno),
            Err(_) => break,
        }
    }
    Reason::Unreachable(errno)
}

/// Returns that `file`, for which execve(2) failed with ENOEXEC, is for another
/// machine; `None` if it is no ELF file, or cannot be read.
fn other_machine(file: ThinCStr<'_>) -> Option<Reason> {
    let file = File::open(file, OFlags::RDONLY).ok()?;
    let mut head = [0; HEAD_MAX];
    file.read_at(0, &mut head).ok()?;
    match format(&head) {
        Format::Elf(elf) => Some(Reason::OtherMachine(elf.other_machine())),
        _ => None,
    }
}

/// Reads what `file` needs to be run; `None` if that is nothing.
fn read_need(file: &File) -> Option<(Need, Path)> {
    let mut head = [0; HEAD_MAX];
    file.read_at(0, &mut head).ok()?;
    match format(&head) {
        Format::Script(name) => Some((Need::Interpreter, Path::new(name))),
        Format::Elf(elf) => {
            let mut header = [0; PROGRAM_HEADER_MAX];
            let at = elf.program_headers().find_map(|at| {
                file.read_at(at, &mut header).ok()?;
                elf.loader(&header)
            })?;
            file.read_at(at, &mut head).ok()?;
            let name = head.split(|byte| *byte == 0).next()?;
            Some((Need::Loader, Path::new(name)))
        }
        Format::Other => None,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Need, Path, Reason};
    use crate::sys::Errno;
    use libc::*;
    use std::string::ToString;

    #[test]
    fn a_reason_is_said_in_words_and_has_the_status_of_its_errno() {
        let path = |path: &str| Path::new(path.as_bytes());
        let (enoent, enotdir) = (Errno(ENOENT), Errno(ENOTDIR));
        for (reason, status, words) in [
            (Reason::Errno(enoent), 127, "No such file or directory"),
            (Reason::Errno(enotdir), 126, "Not a directory"),
            (Reason::Errno(Errno(ETXTBSY)), 126, "Text file busy"),
            (
                Reason::Missing(Need::Interpreter, path("/bin/sh\r"), enoent),
                127,
                "its interpreter '/bin/sh\\r' does not exist",
            ),
            (
                Reason::Missing(Need::Interpreter, path("/dev/null/sh"), enotdir),
                126,
                "its interpreter '/dev/null/sh' does not exist",
            ),
            (
                Reason::Missing(Need::Loader, path("/lib/ld-musl-x86_64.so.1"), enoent),
                127,
                "its ELF loader '/lib/ld-musl-x86_64.so.1' does not exist",
            ),
            (
                Reason::Unreachable(enoent),
                127,
                "the file is there, but its interpreter or ELF loader cannot be reached",
            ),
            (
                Reason::OtherMachine(Some("s390x")),
                126,
                "it was built for another machine (s390x)",
            ),
            (
                Reason::OtherMachine(None),
                126,
                "it was built for another machine, or is damaged",
            ),
            (
                Reason::Shell(enoent),
                127,
                "the script has no interpreter line and there is no shell to run it (/bin/sh)",
            ),
            (
                Reason::Shell(Errno(E2BIG)),
                126,
                "the script has no interpreter line and /bin/sh cannot run it: \
                 Argument list too long",
            ),
        ] {
            assert_eq!(reason.to_string(), words);
            assert_eq!(reason.status(), status, "{reason:?}");
        }
    }

    #[test]
    fn a_path_is_cut_to_what_the_kernel_reads_of_one() {
        let long = [b'x'; 300];
        assert_eq!(Path::new(&long).as_bytes(), &long[..256]);
    }
}
