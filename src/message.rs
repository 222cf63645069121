//! The one line that oomexec writes on stderr when it cannot do what it was
//! asked to. A line is made where it is to stay: it is too large to be moved.

use libc::{ENOENT, c_int};

use crate::buffer::Buffer;
use crate::cli::{Pid, SYNOPSIS, Usage};
use crate::errno;
use crate::number::Decimal;
use crate::reason::Reason;

/// The longest line, its newline included: `PIPE_BUF` (linux/limits.h), the most
/// that a pipe takes whole, so that lines of several processes never mix.
pub const LINE_MAX: usize = libc::PIPE_BUF;

/// How much of a line one name may fill: what is said of it must still fit.
const NAME_MAX: usize = LINE_MAX * 3 / 4;

/// Room for a line. Each method that says something makes it whole, newline and
/// all.
pub struct Line(Buffer<LINE_MAX>);

impl Line {
    /// Nothing said yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Buffer::new())
    }

    /// Why the command `name` cannot be run.
    pub fn cannot_run(&mut self, name: &[u8], reason: &Reason<'_>) {
        let line = self.begin().text("cannot run ").quoted(name).text(": ");
        match reason {
            Reason::Errno(errno) => line.errno(*errno),
            Reason::NoInterpreter(path) => line
                .text("its interpreter ")
                .quoted(path)
                .text(" does not exist"),
            Reason::NoLoader(path) => line
                .text("its ELF loader ")
                .quoted(path)
                .text(" does not exist"),
            Reason::Incomplete => {
                line.text("the file is there, but its interpreter or ELF loader cannot be reached")
            }
            Reason::OtherMachine(machine) => {
                line.text("it was built for another machine");
                match machine {
                    Some(name) => line.text(" (").text(name).text(")"),
                    None => line.text(", or is damaged"),
                }
            }
            Reason::Shell(errno) => {
                line.text("the script has no interpreter line and ");
                match *errno {
                    ENOENT => line.text("there is no shell to run it (/bin/sh)"),
                    errno => line.text("/bin/sh cannot run it: ").errno(errno),
                }
            }
        }
        .end();
    }

    /// What is wrong with the command line, and what would be right.
    pub fn usage(&mut self, usage: &Usage<'_>) {
        let line = self.begin();
        match usage {
            Usage::NoCommand => line.text("no COMMAND to run"),
            Usage::UnknownOption(option) => line.text("unknown option ").quoted(option),
            Usage::NoValue(option) => line.quoted(option).text(" needs a value"),
            Usage::UnwantedValue(option) => line.quoted(option).text(": the option takes no value"),
            Usage::BadScore(text) => line
                .text("bad SCORE ")
                .quoted(text)
                .text(" (-1000 to 1000)"),
            Usage::BadPid(text) => line
                .text("bad PID ")
                .quoted(text)
                .text(" (a process id, or self)"),
            Usage::PidAnd(what) => line.text("--pid cannot be used with ").text(what),
        }
        .text("; usage: ")
        .text(SYNOPSIS)
        .end();
    }

    /// Why the `oom_score_adj` of `pid` could not be read or set (`verb`);
    /// `hint` is what there is to do about it, or nothing.
    pub fn cannot_access(&mut self, verb: &str, pid: Pid, errno: c_int, hint: &str) {
        let line = self
            .begin()
            .text("cannot ")
            .text(verb)
            .text(" the oom_score_adj of process ");
        match pid {
            Pid::Own => line.text("self"),
            Pid::Number(pid) => line.number(pid),
        }
        .text(": ")
        .errno(errno)
        .text(hint)
        .end();
    }

    /// Why stdout did not take what was asked for.
    pub fn cannot_print(&mut self, errno: c_int) {
        self.begin()
            .text("cannot write to stdout: ")
            .errno(errno)
            .end();
    }

    /// What has been said.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn begin(&mut self) -> &mut Self {
        self.0.clear();
        self.text("oomexec: ")
    }

    fn end(&mut self) {
        self.0.push(b'\n');
    }

    /// One byte; what does not fit is left out, the newline never.
    fn byte(&mut self, byte: u8) -> &mut Self {
        if self.0.as_bytes().len() < LINE_MAX - 1 {
            self.0.push(byte);
        }
        self
    }

    // Not inlined: it stands in half of the program's text.
    #[inline(never)]
    fn text(&mut self, text: &str) -> &mut Self {
        for byte in text.bytes() {
            self.byte(byte);
        }
        self
    }

    /// A name in quotes, on one line whatever is in it: a control character is
    /// escaped, which also shows the carriage return of a DOS `#!` line, and a
    /// very long name is cut.
    fn quoted(&mut self, name: &[u8]) -> &mut Self {
        self.byte(b'\'');
        let end = self.0.as_bytes().len() + NAME_MAX;
        for byte in name {
            if self.0.as_bytes().len() >= end {
                self.text("...");
                break;
            }
            match *byte {
                b'\n' => self.text("\\n"),
                b'\r' => self.text("\\r"),
                b'\t' => self.text("\\t"),
                byte if byte.is_ascii_control() => self.text("\\x").hex(byte >> 4).hex(byte & 0xf),
                byte => self.byte(byte),
            };
        }
        self.byte(b'\'')
    }

    fn hex(&mut self, digit: u8) -> &mut Self {
        self.byte(match digit {
            0..=9 => b'0' + digit,
            _ => b'a' - 10 + digit,
        })
    }

    fn number(&mut self, number: i32) -> &mut Self {
        for byte in Decimal::new(number).as_bytes() {
            self.byte(*byte);
        }
        self
    }

    fn errno(&mut self, errno: c_int) -> &mut Self {
        match errno::reason(errno) {
            Some(words) => self.text(words),
            None => self.text("errno ").number(errno),
        }
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{LINE_MAX, Line};
    use crate::cli::{Pid, Usage};
    use crate::reason::Reason;
    use libc::*;
    use std::string::{String, ToString};

    fn said(say: impl FnOnce(&mut Line)) -> String {
        let mut line = Line::new();
        say(&mut line);
        std::str::from_utf8(line.as_bytes()).unwrap().to_string()
    }

    fn cannot_run(name: &[u8], reason: &Reason<'_>) -> String {
        said(|line| line.cannot_run(name, reason))
    }

    #[test]
    fn a_command_that_cannot_be_run_is_named_with_the_reason_in_words() {
        for (reason, words) in [
            (Reason::Errno(ENOENT), "No such file or directory"),
            (Reason::Errno(ETXTBSY), "Text file busy"),
            (Reason::Errno(4095), "errno 4095"),
            (
                Reason::NoInterpreter(b"/bin/sh\r"),
                "its interpreter '/bin/sh\\r' does not exist",
            ),
            (
                Reason::NoLoader(b"/lib/ld-musl-x86_64.so.1"),
                "its ELF loader '/lib/ld-musl-x86_64.so.1' does not exist",
            ),
            (
                Reason::Incomplete,
                "the file is there, but its interpreter or ELF loader cannot be reached",
            ),
            (
                Reason::OtherMachine(Some("aarch64")),
                "it was built for another machine (aarch64)",
            ),
            (
                Reason::OtherMachine(None),
                "it was built for another machine, or is damaged",
            ),
            (
                Reason::Shell(ENOENT),
                "the script has no interpreter line and there is no shell to run it (/bin/sh)",
            ),
            (
                Reason::Shell(E2BIG),
                "the script has no interpreter line and /bin/sh cannot run it: Argument list too long",
            ),
        ] {
            assert_eq!(
                cannot_run(b"x", &reason),
                std::format!("oomexec: cannot run 'x': {words}\n")
            );
        }
    }

    #[test]
    fn a_name_stays_on_one_line_whatever_is_in_it() {
        assert_eq!(
            cannot_run(b"a\nb\t\x1b[31m\x7f", &Reason::Errno(ENOENT)),
            "oomexec: cannot run 'a\\nb\\t\\x1b[31m\\x7f': No such file or directory\n"
        );
        let mut line = Line::new();
        line.cannot_run(b"\xff\xc3\xa9", &Reason::Errno(ENOENT));
        assert!(
            line.as_bytes()
                .starts_with(b"oomexec: cannot run '\xff\xc3\xa9': ")
        );
    }

    #[test]
    fn a_long_name_is_cut_and_the_reason_still_stands_behind_it() {
        for byte in [b'a', b'\n'] {
            let line = cannot_run(&[byte; 200_000], &Reason::Errno(ENAMETOOLONG));
            assert!(line.ends_with("...': File name too long\n"), "{line}");
            assert!(line.len() <= LINE_MAX);
            assert_eq!(line.matches('\n').count(), 1);
        }
        let line = cannot_run(&[b'a'; 4000], &Reason::NoLoader(&[b'b'; 4000]));
        assert!(line.ends_with("bbb\n"));
        assert_eq!(line.len(), LINE_MAX);
    }

    #[test]
    fn a_usage_error_says_what_is_wrong_and_then_the_usage() {
        for (usage, words) in [
            (Usage::NoCommand, "no COMMAND to run"),
            (Usage::UnknownOption(b"--x"), "unknown option '--x'"),
            (Usage::NoValue(b"--pid"), "'--pid' needs a value"),
            (
                Usage::UnwantedValue(b"-hV"),
                "'-hV': the option takes no value",
            ),
            (Usage::BadScore(b"5x"), "bad SCORE '5x' (-1000 to 1000)"),
            (Usage::BadPid(b""), "bad PID '' (a process id, or self)"),
            (
                Usage::PidAnd("--argv0"),
                "--pid cannot be used with --argv0",
            ),
        ] {
            assert_eq!(
                said(|line| line.usage(&usage)),
                std::format!(
                    "oomexec: {words}; usage: oomexec [-n SCORE] [-a NAME] [--] COMMAND [ARG]... \
                     | -p PID [-n SCORE] | -h | -V\n"
                )
            );
        }
    }

    #[test]
    fn a_request_that_could_not_be_met_says_which_process_and_why() {
        assert_eq!(
            said(|line| line.cannot_access("set", Pid::Number(42), EACCES, ": hint")),
            "oomexec: cannot set the oom_score_adj of process 42: Permission denied: hint\n"
        );
        assert_eq!(
            said(|line| line.cannot_access("read", Pid::Own, ENOENT, "")),
            "oomexec: cannot read the oom_score_adj of process self: No such file or directory\n"
        );
        assert_eq!(
            said(|line| line.cannot_print(ENOSPC)),
            "oomexec: cannot write to stdout: No space left on device\n"
        );
    }
}
