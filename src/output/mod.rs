//! Output: one line on stderr for a failure, and on stdout the answer to a query.

mod quoted;
pub mod status;

pub use quoted::Quoted;
pub use status::Status;

use core::fmt::{self, Write};

use libc::{EINTR, EIO};

use crate::sys::{Buffer, Errno, PATH_MAX, STDERR, STDOUT};

/// The longest line, its newline included: `PIPE_BUF` (linux/limits.h), the most
/// that a pipe takes whole, so that lines of several processes never mix.
pub const LINE_MAX: usize = PATH_MAX;

/// Room for a line, with its newline. What does not fit is left out, the newline never.
// Filled in place: to return a line would take its room twice, and a caller may have
// left little stack.
pub struct Line(Buffer<LINE_MAX>);

impl Line {
    /// Returns room for a line.
    pub const fn new() -> Self {
        Self(Buffer::new())
    }

    /// Makes this text the line.
    pub fn fill(&mut self, text: fmt::Arguments<'_>) -> &[u8] {
        self.0.clear();
        let _ = self.write_fmt(text);
        self.0.push(b'\n');
        self.0.as_bytes()
    }

    /// Makes the line that of a failure.
    pub fn fill_complaint(&mut self, text: fmt::Arguments<'_>) -> &[u8] {
        self.fill(format_args!("oomexec: {text}"))
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LINE_MAX - 1 - self.0.as_bytes().len().min(LINE_MAX - 1);
        let text = text.as_bytes();
        self.0.extend(text.get(..room).unwrap_or(text));
        Ok(())
    }
}

/// Says on stderr why something failed, in one write. Where that fails too, there is
/// nobody to tell.
#[cold]
#[inline(never)]
pub fn complain(text: fmt::Arguments<'_>) {
    let _ = STDERR.write(Line::new().fill_complaint(text));
}

/// Says on stderr why oomexec itself failed; returns the status for it.
#[cold]
pub fn fail(text: fmt::Arguments<'_>) -> Status {
    complain(text);
    status::OWN_FAILURE
}

/// Prints a text on stdout; returns the status of having done so.
#[cold]
#[inline(never)]
pub fn print(text: &[u8]) -> Status {
    match write_all(text) {
        Ok(()) => status::SUCCESS,
        Err(errno) => fail(format_args!("cannot write to stdout: {errno}")),
    }
}

/// Prints a line on stdout; returns the status of having done so.
pub fn print_line(text: fmt::Arguments<'_>) -> Status {
    print(Line::new().fill(text))
}

fn write_all(mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match STDOUT.write(bytes) {
            // To write nothing again and again would never end.
            Ok(0) => return Err(Errno(EIO)),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno(EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{LINE_MAX, Line, Quoted};
    use std::vec;

    #[test]
    fn a_line_that_is_too_long_keeps_its_newline() {
        let lengths = [LINE_MAX, LINE_MAX - 1, LINE_MAX - 2, 10 * LINE_MAX];
        // Miri takes long for each.
        let count = if cfg!(miri) { 1 } else { lengths.len() };
        for len in lengths.into_iter().take(count) {
            let text = vec!["x"; len].concat();
            let mut line = Line::new();
            let (newline, text) = line.fill(format_args!("{text}")).split_last().unwrap();
            assert_eq!(*newline, b'\n');
            assert_eq!(text.len(), len.min(LINE_MAX - 1));
        }
    }

    #[test]
    fn what_is_said_of_a_long_name_still_fits() {
        let name = vec![b'\n'; 2 * LINE_MAX];
        let mut line = Line::new();
        let line = line.fill_complaint(format_args!("cannot run {}: why", Quoted(&name)));
        assert!(line.ends_with(b"...': why\n"));
    }
}
