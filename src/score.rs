//! `oom_score_adj`, the file in /proc: raised for oneself in silence, read and
//! set for another process aloud.

use core::ffi::{CStr, c_int};
use core::mem;

use libc::{EACCES, ENOENT};
use oomexec::buffer::Buffer;
use oomexec::cli::{DEFAULT_SCORE, DEFAULT_SCORE_TEXT, Pid};
use oomexec::message::Line;
use oomexec::number::{DECIMAL_MAX, Decimal, Score};
use oomexec::status::{SUCCESS, Status};
use rustix::fs::OFlags;

use crate::kernel::{self, File};
use crate::report;

const OWN: &CStr = c"/proc/self/oom_score_adj";

/// Writes `score` to this process's own `oom_score_adj`, if that can be done:
/// two system calls. The command runs whatever becomes of them, so that nothing
/// is done about a failure, and nothing said.
///
/// Without O_TRUNC, which a Landlock ruleset may refuse where it grants writing,
/// and without O_CREAT, which would leave a file where /proc is a mere directory.
pub fn raise(score: Score) {
    if let Ok(file) = kernel::open(OWN.into(), OFlags::WRONLY) {
        let _ = match score {
            DEFAULT_SCORE => kernel::write(&file, DEFAULT_SCORE_TEXT),
            _ => write(&file, score),
        };
        // The exec closes it: a close here would be one call more.
        mem::forget(file);
    }
}

/// Prints the `oom_score_adj` of `pid`, as cat(1) would.
#[cold]
#[inline(never)]
pub fn show(pid: Pid) -> Status {
    // A sign, four digits and a newline, with room to spare.
    let mut text = [0; 16];
    let read = open(pid, OFlags::RDONLY).and_then(|file| kernel::read(file, &mut text));
    match read {
        Ok(len) => report::print(text.get(..len).unwrap_or(&text)),
        Err(errno) => failed("read", pid, errno, ""),
    }
}

/// Sets the `oom_score_adj` of `pid`. This was asked for by name, so that a
/// failure is one.
#[cold]
#[inline(never)]
pub fn set(pid: Pid, score: Score) -> Status {
    let file = match open(pid, OFlags::WRONLY) {
        Ok(file) => file,
        Err(errno) => return failed("set", pid, errno, ""),
    };
    match write(&file, score) {
        Ok(_) => SUCCESS,
        // __set_oom_adj, fs/proc/base.c.
        Err(EACCES) => failed(
            "set",
            pid,
            EACCES,
            ": to go below the lowest score it may take needs CAP_SYS_RESOURCE",
        ),
        Err(errno) => failed("set", pid, errno, ""),
    }
}

// Not inlined, so that its digits are no part of the fast path's stack.
#[inline(never)]
fn write(file: &File, score: Score) -> Result<usize, c_int> {
    kernel::write(file, Decimal::new(score.into()).as_bytes())
}

fn open(pid: Pid, flags: OFlags) -> Result<File, c_int> {
    let Pid::Number(pid) = pid else {
        return kernel::open(OWN.into(), flags);
    };
    let mut path = Buffer::<{ "/proc/".len() + DECIMAL_MAX + "/oom_score_adj\0".len() }>::new();
    path.extend(b"/proc/");
    path.extend(Decimal::new(pid).as_bytes());
    path.extend(b"/oom_score_adj\0");
    kernel::open(path.as_c_text().unwrap_or(OWN.into()), flags)
}

fn failed(verb: &str, pid: Pid, errno: c_int, hint: &str) -> Status {
    let hint = match errno {
        ENOENT if kernel::open(OWN.into(), OFlags::RDONLY).is_err() => {
            ": /proc is not mounted here"
        }
        ENOENT => ": there is no such process",
        _ => hint,
    };
    let mut line = Line::new();
    line.cannot_access(verb, pid, errno, hint);
    report::own_failure(&line)
}
