//! The one line that oomexec writes on stderr when it cannot do what it was
//! asked to. A line is made where it is to stay: it is too large to be moved.

use core::ffi::CStr;

use libc::c_int;

use crate::buffer::{Buffer, CAPACITY};
use crate::c_text::CText;
use crate::cli::{OWN, Pid, Usage};
use crate::errno;
use crate::number::{Decimal, Score};
use crate::packed;
use crate::reason::Reason;
use crate::words::{self, Message};

/// The longest line, its newline included: `PIPE_BUF` (linux/limits.h), the most
/// that a pipe takes whole, so that lines of several processes never mix.
pub const LINE_MAX: usize = CAPACITY;

/// How much of a line one name may fill: what is said of it must still fit.
const NAME_MAX: usize = LINE_MAX * 3 / 4;

/// Room for a line. Each method that says something makes it whole, newline and
/// all.
pub struct Line(Buffer);

impl Line {
    /// Nothing said yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Buffer::new())
    }

    /// Why the command `name` cannot be run.
    pub fn cannot_run(&mut self, name: CText<'_>, reason: &Reason<'_>) {
        self.begin().say(Message::CannotRun, name, 0, 0);
        self.say(reason.message, reason.path, reason.errno, 0).end();
    }

    /// What is wrong with the command line, and what would be right.
    pub fn usage(&mut self, usage: &Usage<'_>) {
        let Usage(mistake, with) = *usage;
        self.begin().say(mistake, with, 0, 0);
        if mistake != Message::NotAShell {
            self.tell(Message::Usage);
        }
        self.end();
    }

    /// Why the `oom_score_adj` of `pid` could not be read or set (`what`); `hint` is
    /// what there is to do about it, or nothing.
    pub fn cannot_access(&mut self, what: Message, pid: Pid, errno: c_int, hint: Message) {
        let process = if pid == OWN {
            Message::Own
        } else {
            Message::Number
        };
        self.begin().tell(what).number(process, pid);
        self.number(Message::AndErrno, errno);
        self.tell(hint).end();
    }

    /// Why stdout did not take what was asked for.
    pub fn cannot_print(&mut self, errno: c_int) {
        self.begin().number(Message::CannotPrint, errno).end();
    }

    /// A score, as cat(1) would print it.
    pub fn score(&mut self, score: Score) {
        self.start().number(Message::Number, score.into()).end();
    }

    /// A text that is whole as it is: the help, the version.
    pub fn whole(&mut self, message: Message) {
        self.start().tell(message);
    }

    /// The path of a process's file in /proc, in place of a message.
    pub fn in_proc(&mut self, pid: Pid, file: &CStr) -> CText<'_> {
        let path = if pid == OWN {
            Message::OwnFile
        } else {
            Message::ProcessFile
        };
        self.start().say(path, file.into(), pid, 0);
        self.0.push(0);
        self.0.as_c_text().unwrap_or(NONE)
    }

    /// What has been said.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Empties the line.
    pub(crate) fn start(&mut self) -> &mut Self {
        self.0.clear();
        self
    }

    fn begin(&mut self) -> &mut Self {
        self.start().tell(Message::Oomexec)
    }

    pub(crate) fn end(&mut self) {
        self.0.push(b'\n');
    }

    /// Appends a message, with this name and these numbers where it has a place for
    /// them.
    #[inline(never)]
    pub(crate) fn say(&mut self, message: Message, name: CText<'_>, a: i32, b: i32) -> &mut Self {
        let values = Values { name, a, b };
        let mut before = message as u8;
        for code in packed::MESSAGES {
            if before != 0 {
                before -= u8::from(code == 0);
            } else if code != 0 {
                self.unpack(code, &values);
            } else {
                break;
            }
        }
        self
    }

    /// Appends a message without a name, with this number.
    #[inline(never)]
    pub(crate) fn number(&mut self, message: Message, a: i32) -> &mut Self {
        self.say(message, NONE, a, 0)
    }

    /// Appends a message that has no place for anything.
    #[inline(never)]
    pub(crate) fn tell(&mut self, message: Message) -> &mut Self {
        self.number(message, 0)
    }

    /// Appends what a byte of a packed message stands for.
    fn unpack(&mut self, code: u8, values: &Values<'_>) {
        match code {
            words::NAME => self.quoted(values.name),
            words::TEXT => self.text(values.name),
            words::FIRST => self.decimal(values.a),
            words::SECOND => self.decimal(values.b),
            words::ERRNO => {
                self.number(errno::reason(values.a), values.a);
            }
            b'\t' => self.tab(),
            ..words::PAIR => self.byte(code),
            words::PAIR.. => {
                let pair = packed::PAIRS.get(usize::from(code - words::PAIR));
                for code in pair.unwrap_or(&[b' '; 2]) {
                    self.unpack(*code, values);
                }
            }
        }
    }

    fn decimal(&mut self, number: i32) {
        for byte in Decimal::new(number).as_bytes() {
            self.byte(*byte);
        }
    }

    #[inline(never)]
    fn text(&mut self, text: CText<'_>) {
        for byte in text.bytes() {
            self.byte(byte);
        }
    }

    /// To the next of the columns that `--check` has.
    fn tab(&mut self) {
        self.byte(b' ');
        while !matches!(self.0.as_bytes().len(), 6 | 20..) {
            self.byte(b' ');
        }
    }

    /// One byte; what does not fit is left out, the newline never.
    #[inline(never)]
    fn byte(&mut self, byte: u8) {
        if self.0.as_bytes().len() < LINE_MAX - 1 {
            self.0.push(byte);
        }
    }

    /// A name in quotes, on one line whatever is in it: a control character is
    /// escaped, which also shows the carriage return of a DOS `#!` line, and a
    /// very long name is cut.
    fn quoted(&mut self, name: CText<'_>) {
        self.byte(b'\'');
        let end = self.0.as_bytes().len() + NAME_MAX;
        for byte in name.bytes() {
            if self.0.as_bytes().len() >= end {
                self.text(c"...".into());
                break;
            }
            let letter = match byte {
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                byte if byte.is_ascii_control() => b'x',
                byte => {
                    self.byte(byte);
                    continue;
                }
            };
            self.byte(b'\\');
            self.byte(letter);
            if letter == b'x' {
                self.hex(byte >> 4);
                self.hex(byte & 0xf);
            }
        }
        self.byte(b'\'');
    }

    fn hex(&mut self, digit: u8) {
        self.byte(match digit {
            0..=9 => b'0' + digit,
            _ => b'a' - 10 + digit,
        });
    }
}

/// What a message has a place for.
struct Values<'a> {
    name: CText<'a>,
    a: i32,
    b: i32,
}

/// For a message without a name.
pub(crate) const NONE: CText<'static> = CText::EMPTY;

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{LINE_MAX, Line};
    use crate::cli::{OWN, Usage};
    use crate::reason::Reason;
    use crate::words::{HELP, MARKS, MESSAGES, Message, VERSION};
    use libc::*;
    use std::ffi::CString;
    use std::string::{String, ToString};
    use std::vec;
    use std::vec::Vec;

    fn said(say: impl FnOnce(&mut Line)) -> String {
        let mut line = Line::new();
        say(&mut line);
        std::str::from_utf8(line.as_bytes()).unwrap().to_string()
    }

    fn cannot_run(name: impl Into<Vec<u8>>, reason: &Reason<'_>) -> String {
        let name = CString::new(name).unwrap();
        said(|line| line.cannot_run(name.as_c_str().into(), reason))
    }

    #[test]
    fn a_command_that_cannot_be_run_is_named_with_the_reason_in_words() {
        for (reason, words) in [
            (Reason::errno(ENOENT), "No such file or directory"),
            (Reason::errno(ETXTBSY), "Text file busy"),
            (Reason::errno(4095), "errno 4095"),
            (
                Reason::lacks(Message::NoInterpreter, c"/bin/sh\r".into()),
                "its interpreter '/bin/sh\\r' does not exist",
            ),
            (
                Reason::lacks(Message::NoLoader, c"/lib/ld-musl-x86_64.so.1".into()),
                "its ELF loader '/lib/ld-musl-x86_64.so.1' does not exist",
            ),
            (
                Reason::incomplete(),
                "the file is there, but its interpreter or ELF loader cannot be reached",
            ),
            (
                Reason::other_machine(Message::S390x),
                "it was built for another machine (s390x)",
            ),
            (
                Reason::other_machine(Message::UnknownMachine),
                "it was built for another machine, or is damaged",
            ),
            (
                Reason::shell(ENOENT),
                "the script has no interpreter line and there is no shell to run it (/bin/sh)",
            ),
            (
                Reason::shell(E2BIG),
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
            cannot_run(b"a\nb\t\x1b[31m\x7f", &Reason::errno(ENOENT)),
            "oomexec: cannot run 'a\\nb\\t\\x1b[31m\\x7f': No such file or directory\n"
        );
        let mut line = Line::new();
        line.cannot_run(c"\xff\xc3\xa9\x01\x80".into(), &Reason::errno(ENOENT));
        assert!(
            line.as_bytes()
                .starts_with(b"oomexec: cannot run '\xff\xc3\xa9\\x01\x80': ")
        );
    }

    #[test]
    fn a_long_name_is_cut_and_the_reason_still_stands_behind_it() {
        for byte in [b'a', b'\n'] {
            let line = cannot_run(vec![byte; 200_000], &Reason::errno(ENAMETOOLONG));
            assert!(line.ends_with("...': File name too long\n"), "{line}");
            assert!(line.len() <= LINE_MAX);
            assert_eq!(line.matches('\n').count(), 1);
        }
        let path = CString::new(vec![b'b'; 4000]).unwrap();
        let reason = Reason::lacks(Message::NoLoader, path.as_c_str().into());
        let line = cannot_run(vec![b'a'; 4000], &reason);
        assert!(line.ends_with("bbb\n"));
        assert_eq!(line.len(), LINE_MAX);
    }

    #[test]
    fn a_usage_error_says_what_is_wrong_and_then_the_usage() {
        for (message, name, words) in [
            (Message::NoCommand, c"", "no COMMAND to run"),
            (Message::UnknownOption, c"--x", "unknown option '--x'"),
            (Message::NoValue, c"--pid", "'--pid' needs a value"),
            (
                Message::UnwantedValue,
                c"-hV",
                "'-hV': the option takes no value",
            ),
            (Message::BadScore, c"5x", "bad SCORE '5x' (-1000 to 1000)"),
            (
                Message::BadPid,
                c"",
                "bad PID '' (a process id; for --pid also self)",
            ),
            (Message::PidAnd, c"", "--pid takes nothing but --adjust"),
            (Message::CheckAnd, c"", "--check takes nothing but a PID"),
        ] {
            assert_eq!(
                said(|line| line.usage(&Usage(message, name.into()))),
                std::format!(
                    "oomexec: {words}; usage: oomexec [-n SCORE] [-a NAME] [--pin] [--] COMMAND \
                     [ARG]... | -p PID [-n SCORE] | --check [PID] | -h | -V\n"
                )
            );
        }
    }

    #[test]
    fn a_request_that_could_not_be_met_says_which_process_and_why() {
        assert_eq!(
            said(|line| line.cannot_access(Message::CannotSet, 42, EACCES, Message::NotBelow)),
            "oomexec: cannot set the oom_score_adj of process 42: Permission denied: to go below \
             the lowest score it may take needs CAP_SYS_RESOURCE\n"
        );
        assert_eq!(
            said(|line| line.cannot_access(Message::CannotRead, OWN, ENOENT, Message::Nothing)),
            "oomexec: cannot read the oom_score_adj of process self: No such file or directory\n"
        );
        assert_eq!(
            said(|line| line.cannot_print(ENOSPC)),
            "oomexec: cannot write to stdout: No space left on device\n"
        );
    }

    #[test]
    fn a_message_is_packed_and_comes_out_as_it_was_with_each_value_in_its_place() {
        let values = [
            ("%n", "'N'"),
            ("%t", "N"),
            ("%e", "Operation not permitted"),
            ("%a", "1"),
            ("%b", "-2"),
        ];
        assert_eq!(values.len(), MARKS.len());
        for (message, words) in Message::ALL.iter().zip(MESSAGES) {
            let expected = values
                .iter()
                .fold(words.to_string(), |text, (mark, value)| {
                    text.replace(mark, value)
                });
            let said = said(|line| {
                line.start().say(*message, c"N".into(), EPERM, -2);
            });
            // A tab is as many spaces as the column wants.
            let same = match words.contains('\t') {
                true => said.split_whitespace().eq(expected.split_whitespace()),
                false => said == expected,
            };
            assert!(same, "{message:?}: {said:?}");
        }
        assert_eq!(said(|line| line.whole(Message::Help)), HELP);
        assert_eq!(said(|line| line.whole(Message::Version)), VERSION);
    }

    #[test]
    fn a_path_of_proc_is_a_c_string() {
        let mut line = Line::new();
        assert_eq!(line.in_proc(42, c"comm"), c"/proc/42/comm".into());
        assert_eq!(line.in_proc(OWN, c"comm"), c"/proc/self/comm".into());
    }
}
