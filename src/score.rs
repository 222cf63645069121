//! `oom_score_adj`, the file in /proc: raised for oneself in silence, read and
//! set for another process aloud.

use core::ffi::{CStr, c_int};
use core::mem;

use libc::{EACCES, EINVAL, ENOENT};
use oomexec::cli::{DEFAULT_SCORE, DEFAULT_SCORE_TEXT, OWN, Pid};
use oomexec::message::Line;
use oomexec::number::{Decimal, Score, parse_score};
use oomexec::status::{SUCCESS, Status};
use oomexec::words::Message;
use rustix::fs::OFlags;

use crate::kernel::{self, File};
use crate::report;

const FILE: &CStr = c"oom_score_adj";
const OWN_FILE: &CStr = c"/proc/self/oom_score_adj";

/// Writes `score` to this process's own `oom_score_adj`, if that can be done:
/// two system calls. The command runs whatever becomes of them, so that nothing
/// is done about a failure, and nothing said.
///
/// Without O_TRUNC, which a Landlock ruleset may refuse where it grants writing,
/// and without O_CREAT, which would leave a file where /proc is a mere directory.
pub fn raise(score: Score) {
    if let Ok(file) = kernel::open(OWN_FILE.into(), OFlags::WRONLY) {
        let _ = match score {
            DEFAULT_SCORE => kernel::write(&file, DEFAULT_SCORE_TEXT),
            _ => write(&file, score),
        };
        // The exec closes it: a close here would be one call more.
        mem::forget(file);
    }
}

/// Prints the `oom_score_adj` of `pid`.
#[cold]
#[inline(never)]
pub fn show(pid: Pid) -> Status {
    let mut line = Line::new();
    match get(pid) {
        Ok(score) => {
            line.score(score);
            report::print(line.as_bytes())
        }
        Err(errno) => failed(Message::CannotRead, pid, errno),
    }
}

/// Sets the `oom_score_adj` of `pid`. This was asked for by name, so that a
/// failure is one.
#[cold]
#[inline(never)]
pub fn set(pid: Pid, score: Score) -> Status {
    match put(pid, score) {
        Ok(()) => SUCCESS,
        Err(errno) => failed(Message::CannotSet, pid, errno),
    }
}

/// The `oom_score_adj` of `pid`.
#[inline(never)]
pub fn get(pid: Pid) -> Result<Score, c_int> {
    let mut score = None;
    kernel::each_line(Line::new().in_proc(pid, FILE), &mut |line| {
        score = score.or(parse_score(line));
    })?;
    score.ok_or(EINVAL)
}

/// Writes the `oom_score_adj` of `pid`.
#[inline(never)]
pub fn put(pid: Pid, score: Score) -> Result<(), c_int> {
    let file = kernel::open(Line::new().in_proc(pid, FILE), OFlags::WRONLY)?;
    write(&file, score).map(drop)
}

// Not inlined, so that its digits are no part of the fast path's stack.
#[inline(never)]
fn write(file: &File, score: Score) -> Result<u32, c_int> {
    kernel::write(file, Decimal::new(score.into()).as_bytes())
}

fn failed(what: Message, pid: Pid, errno: c_int) -> Status {
    let hint = match errno {
        ENOENT if get(OWN).is_err() => Message::NotMounted,
        ENOENT => Message::NoProcess,
        // Refused not by the file's mode but by __set_oom_adj, fs/proc/base.c.
        EACCES if kernel::open(Line::new().in_proc(pid, FILE), OFlags::WRONLY).is_ok() => {
            Message::NotBelow
        }
        _ => Message::Nothing,
    };
    let mut line = Line::new();
    line.cannot_access(what, pid, errno, hint);
    report::own_failure(&line)
}
