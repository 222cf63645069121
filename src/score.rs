//! `oom_score_adj`, the file in /proc: raised for this process in silence, read and
//! set for another one aloud.

use core::fmt::{self, Write};
use core::str;

use libc::{EACCES, EINVAL, ENOENT};

use crate::output::{self, Status, status};
use crate::sys::{Buffer, Errno, File, OFlags, Process, ThinCStr};

/// An `oom_score_adj`, from [`Score::MIN`] to [`Score::MAX`]. Unit: thousandths of
/// the memory that the OOM killer is short of (proc(5)).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub struct Score(i16);

/// The score's file.
const FILE: &str = "oom_score_adj";

impl Score {
    /// Never killed: `OOM_SCORE_ADJ_MIN` of linux/oom.h.
    pub const MIN: Self = Self(-1000);

    /// Killed first: `OOM_SCORE_ADJ_MAX` of linux/oom.h.
    pub const MAX: Self = Self(1000);

    /// Parses a decimal number, with or without a sign; `None` out of the range.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let score = str::from_utf8(text).ok()?.parse().ok().map(Self)?;
        (Self::MIN..=Self::MAX).contains(&score).then_some(score)
    }

    /// The number.
    pub const fn get(self) -> i16 {
        self.0
    }

    /// Returns the score half way between two.
    pub const fn middle(low: Self, high: Self) -> Self {
        Self((low.0 + high.0) >> 1)
    }

    /// Returns the next higher score, which may be past [`Score::MAX`].
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Writes a score to this process's own file, 1000 if none is given: two system
/// calls. The command runs whatever they return, so that this says nothing.
///
/// Without O_TRUNC, which a Landlock ruleset may refuse where it grants writing, and
/// without O_CREAT, which would make a file where /proc is a plain directory.
#[inline(always)]
pub fn raise(score: Option<Score>) {
    const PATH: ThinCStr<'static> = ThinCStr::from_c_str(c"/proc/self/oom_score_adj");
    if let Ok(file) = File::open(PATH, OFlags::WRONLY) {
        let _ = match score {
            None => file.write(b"1000").map(drop),
            Some(score) => write(&file, score),
        };
        // The exec closes it: to close it here would be a further call.
        core::mem::forget(file);
    }
}

/// Prints the score of a process.
pub fn show(process: Process) -> Status {
    match get(process) {
        Ok(score) => output::print_line(format_args!("{score}")),
        Err(errno) => fail("read", process, errno),
    }
}

/// Sets the score of a process. The user asked for it by name, so that a failure is
/// told.
pub fn set(process: Process, score: Score) -> Status {
    match put(process, score) {
        Ok(()) => status::SUCCESS,
        Err(errno) => fail("set", process, errno),
    }
}

/// Reads the score of a process.
///
/// # Errors
///
/// Those of openat(2) and read(2); EINVAL if the file has no score.
pub fn get(process: Process) -> Result<Score, Errno> {
    let mut score = None;
    File::each_line(process.file(FILE).as_thin_c_str(), |line| {
        score = score.or(Score::parse(line));
    })?;
    score.ok_or(Errno(EINVAL))
}

/// Writes the score of a process.
///
/// # Errors
///
/// Those of openat(2) and write(2); EACCES below the floor, the lowest score that
/// the process may take (`__set_oom_adj`, fs/proc/base.c).
pub fn put(process: Process, score: Score) -> Result<(), Errno> {
    write(&open(process)?, score)
}

fn open(process: Process) -> Result<File, Errno> {
    File::open(process.file(FILE).as_thin_c_str(), OFlags::WRONLY)
}

// Not inlined: its digits are no part of the launch path's stack.
#[inline(never)]
fn write(file: &File, score: Score) -> Result<(), Errno> {
    let mut text = Buffer::<8>::new();
    // The longest, -1000, fits.
    let _ = write!(text, "{score}");
    file.write(text.as_bytes()).map(drop)
}

fn fail(what: &str, process: Process, errno: Errno) -> Status {
    let why: &dyn fmt::Display = match errno {
        Errno(ENOENT) if get(Process::Own).is_err() => &"/proc is not mounted here",
        Errno(ENOENT) => &"no such process",
        // The file can be opened: the kernel refused the score.
        Errno(EACCES) if open(process).is_ok() => {
            &"Permission denied: to go below the lowest score it may take needs CAP_SYS_RESOURCE"
        }
        _ => &errno,
    };
    output::fail(format_args!(
        "cannot {what} the oom_score_adj of process {process}: {why}"
    ))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Score;
    use std::string::ToString;

    #[test]
    fn a_score_is_a_decimal_number_from_minus_1000_to_1000() {
        for (text, score) in [
            ("0", 0),
            ("1000", 1000),
            ("-1000", -1000),
            ("+5", 5),
            ("-0", 0),
            ("0007", 7),
        ] {
            assert_eq!(Score::parse(text.as_bytes()), Some(Score(score)), "{text}");
        }
    }

    #[test]
    fn a_score_is_nothing_else() {
        for text in [
            &b""[..],
            b"-",
            b"+",
            b"--5",
            b"+-5",
            b"1001",
            b"-1001",
            b"5 ",
            b" 5",
            b"5x",
            b"0x10",
            b"1e2",
            b"32768",
            b"65536",
            b"2147483648",
            b"99999999999999999999",
            b"\xff",
        ] {
            assert_eq!(Score::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_score_is_written_as_the_kernel_reads_it() {
        for number in -1000..=1000 {
            assert_eq!(Score(number).to_string().parse(), Ok(number));
        }
    }
}
