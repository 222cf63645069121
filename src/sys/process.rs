//! A process by its id, and its files in /proc.

use core::fmt::{self, Write};

use super::{Buffer, ThinCStr, calls};

/// A process id.
pub type Pid = i32;

/// A process, as /proc names its directory.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Process {
    /// This one.
    Own,
    /// The one with this id.
    Id(Pid),
}

/// The path of a file of a process.
pub struct ProcPath(Buffer<64>);

impl Process {
    /// Returns the path of this process's file `name`.
    pub fn file(self, name: &str) -> ProcPath {
        let mut path = Buffer::new();
        // Each fits: a process id has ten digits at most.
        let _ = write!(path, "/proc/{self}/{name}\0");
        ProcPath(path)
    }

    /// Returns the parent; process 1 if that is outside of this pid namespace.
    pub fn parent() -> Self {
        Self::Id(match calls::getppid() {
            0 => 1,
            parent => parent,
        })
    }

    /// Whether /proc may be that of another pid namespace: there an id names another
    /// process than it does here.
    pub fn has_foreign_proc() -> bool {
        let mut target = [0; 16];
        match calls::read_link(c"/proc/self", &mut target) {
            Ok(own) => super::number(own) != Some(calls::getpid()),
            // The /proc of a namespace that this process is not in has no `self`. A
            // directory of that name is no procfs.
            Err(errno) => errno.0 == libc::ENOENT,
        }
    }
}

impl ProcPath {
    /// The path as a C string.
    pub fn as_thin_c_str(&self) -> ThinCStr<'_> {
        self.0.as_thin_c_str().unwrap_or(ThinCStr::EMPTY)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("self"),
            Self::Id(pid) => pid.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn the_path_of_a_file_is_a_c_string() {
        for (process, path) in [
            (Process::Id(i32::MAX), c"/proc/2147483647/oom_score_adj"),
            (Process::Own, c"/proc/self/oom_score_adj"),
        ] {
            let file = process.file("oom_score_adj");
            assert_eq!(file.as_thin_c_str(), path.into());
        }
    }
}
