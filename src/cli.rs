//! The command line: what it may say, and what it means.
//!
//! Options end at the first operand or at `--`, as POSIX (XBD 12.2) has it for
//! env, nice and timeout; what follows belongs to the command.

use core::ffi::CStr;

use crate::c_text::CText;
use crate::number::{SCORE_MAX, Score, parse_pid, parse_score};
use crate::status::{self, Status};
use crate::words::Message;

/// The score that is written where `-n` does not say another.
pub const DEFAULT_SCORE: Score = SCORE_MAX;

/// [`DEFAULT_SCORE`] in decimal, at hand for the launch path.
pub const DEFAULT_SCORE_TEXT: &[u8] = b"1000";

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is to be done.
    pub mode: Mode,
    /// The `oom_score_adj` to write, where the line says one.
    pub score: Option<Score>,
    /// What the command sees as argv\[0\], where that is not its own name.
    pub argv0: Option<CText<'a>>,
    /// Whether the score is to be held.
    pub pin: bool,
    /// The process that is meant; [`OWN`] where the line says none.
    pub pid: Pid,
    /// Where in argv the command stands; oomexec's own name is at 0.
    pub index: usize,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Mode {
    /// Raise and become this command, which is to be looked up.
    Run,
    /// Print or set a process's `oom_score_adj`.
    Pid,
    /// Tell whether this works here.
    Check,
    /// Print [`crate::words::HELP`].
    Help,
    /// Print [`crate::words::VERSION`].
    Version,
}

/// A process id.
pub type Pid = i32;

/// oomexec itself: `self`, as /proc has it.
pub const OWN: Pid = 0;

/// Why a command line means nothing: what is wrong, and with what.
#[derive(Debug, PartialEq, Eq)]
pub struct Usage<'a>(pub Message, pub CText<'a>);

impl Usage<'_> {
    /// The exit status that says it; of what is asked of a shell, that there is none.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.0 {
            Message::NotAShell => status::NOT_FOUND,
            _ => status::OWN_FAILURE,
        }
    }
}

/// The options, by their place in [`NAMES`].
mod opt {
    pub const ADJUST: usize = 0;
    pub const ARGV0: usize = 1;
    pub const PIN: usize = 2;
    pub const PID: usize = 3;
    pub const CHECK: usize = 4;
    pub const HELP: usize = 5;
    pub const VERSION: usize = 6;
    pub const COUNT: usize = 7;

    pub const fn takes_value(option: usize) -> bool {
        matches!(option, ADJUST | ARGV0 | PID)
    }
}

/// The short and the long name of each option; a question mark, with which no
/// option begins, where there is no short one.
const NAMES: &CStr = c"-n --adjust -a --argv0 ? --pin -p --pid ? --check -h --help -V --version";

fn names() -> impl Iterator<Item = &'static [u8]> {
    NAMES.to_bytes().split(|byte| *byte == b' ')
}

impl<'a> Request<'a> {
    /// A launch without an option.
    pub const LAUNCH: Self = Self {
        mode: Mode::Run,
        score: None,
        argv0: None,
        pin: false,
        pid: OWN,
        index: 1,
    };

    /// Reads a command line into what was [`Self::LAUNCH`]: `args` are the arguments
    /// after argv\[0\].
    ///
    /// # Errors
    ///
    /// [`Usage`], for the first thing that is wrong; nothing has been done then.
    // In place: to return the whole would move it several times.
    #[inline(always)]
    pub fn read(&mut self, mut args: impl Iterator<Item = CText<'a>>) -> Result<(), Usage<'a>> {
        let first = args.next();
        match first.map(kind) {
            Some(Kind::Operand) => Ok(()),
            Some(Kind::End) if args.next().is_some() => {
                self.index = 2;
                Ok(())
            }
            _ => options(first, &mut || args.next(), self),
        }
    }
}

/// What an argument is, as long as none before it has ended the options.
enum Kind {
    Option,
    End,
    Operand,
}

#[inline(always)]
fn kind(arg: CText<'_>) -> Kind {
    let mut bytes = arg.bytes();
    match (bytes.next(), bytes.next(), bytes.next()) {
        (Some(b'-'), Some(b'-'), None) => Kind::End,
        (Some(b'-'), Some(_), _) => Kind::Option,
        // A lone dash is an operand, as in every POSIX command.
        _ => Kind::Operand,
    }
}

/// The rest of [`Request::read`]: the whole grammar. Apart from it, for the launch path
/// has no option; and not generic, so that its code stands once.
#[cold]
#[inline(never)]
fn options<'a>(
    first: Option<CText<'a>>,
    rest: &mut dyn FnMut() -> Option<CText<'a>>,
    request: &mut Request<'a>,
) -> Result<(), Usage<'a>> {
    let mut arg = first;
    let mut next = || {
        request.index += 1;
        rest()
    };
    let mut given = [false; opt::COUNT];
    let operand = loop {
        let Some(text) = arg else {
            break None;
        };
        match kind(text) {
            Kind::Option => {}
            Kind::Operand => break arg,
            Kind::End => break next(),
        }
        let (option, attached) = split(text).ok_or(Usage(Message::UnknownOption, text))?;
        let value = match (opt::takes_value(option), attached) {
            (true, None) => next().ok_or(Usage(Message::NoValue, text))?,
            (false, Some(_)) => return Err(Usage(Message::UnwantedValue, text)),
            (_, attached) => attached.unwrap_or(CText::EMPTY),
        };
        match option {
            opt::ADJUST => {
                let score = parse_score(value.to_bytes());
                request.score = Some(score.ok_or(Usage(Message::BadScore, value))?);
            }
            opt::ARGV0 => request.argv0 = Some(value),
            opt::PID if value == c"self".into() => request.pid = OWN,
            opt::PID => request.pid = process(value)?,
            _ => {}
        }
        if let Some(flag) = given.get_mut(option) {
            *flag = true;
        }
        if option >= opt::HELP {
            break None;
        }
        arg = next();
    };
    request.pin = given[opt::PIN];

    let for_launch = given[opt::ARGV0] || given[opt::PIN];
    request.mode = if given[opt::HELP] {
        Mode::Help
    } else if given[opt::VERSION] {
        Mode::Version
    } else if given[opt::CHECK] {
        let more = given[opt::ADJUST] || given[opt::PID] || for_launch;
        if more || operand.is_some() && next().is_some() {
            return Err(Usage(Message::CheckAnd, CText::EMPTY));
        }
        if let Some(text) = operand {
            request.pid = process(text)?;
        }
        Mode::Check
    } else if given[opt::PID] {
        if operand.is_some() || for_launch {
            return Err(Usage(Message::PidAnd, CText::EMPTY));
        }
        Mode::Pid
    } else if operand.is_some() {
        Mode::Run
    } else {
        return Err(Usage(Message::NoCommand, CText::EMPTY));
    };
    Ok(())
}

#[inline(never)]
fn process(text: CText<'_>) -> Result<Pid, Usage<'_>> {
    parse_pid(text.to_bytes()).ok_or(Usage(Message::BadPid, text))
}

/// Which option an argument that begins with a dash is, and the value that is
/// attached to it: behind the letter, or behind an equals sign.
fn split(arg: CText<'_>) -> Option<(usize, Option<CText<'_>>)> {
    names().enumerate().find_map(|(at, name)| {
        let (option, is_long) = (at / 2, at % 2 == 1);
        let value = arg.strip_prefix(name)?;
        if value == CText::EMPTY {
            Some((option, None))
        } else if is_long {
            Some((option, Some(value.strip_prefix(b"=")?)))
        } else {
            Some((option, Some(value)))
        }
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{DEFAULT_SCORE_TEXT, Mode, NAMES, OWN, Request, Usage, names, opt};
    use crate::c_text::CText;
    use crate::words::{HELP, MESSAGES, Message};
    use std::ffi::{CStr, CString};
    use std::string::String;
    use std::vec::Vec;

    fn parsed(line: &[&str], check: impl FnOnce(Result<Request<'_>, Usage<'_>>)) {
        let args: Vec<CString> = line.iter().map(|arg| CString::new(*arg).unwrap()).collect();
        let mut request = Request::LAUNCH;
        let read = request.read(args.iter().map(|arg| arg.as_c_str().into()));
        check(read.map(|()| request));
    }

    #[track_caller]
    fn means(line: &[&str], meaning: Request<'_>) {
        parsed(line, |request| {
            // Where the command stands says nothing if there is none.
            let request = request.map(|request| match request.mode {
                Mode::Run => request,
                _ => Request {
                    index: 1,
                    ..request
                },
            });
            assert_eq!(request, Ok(meaning), "{line:?}");
        });
    }

    /// The line is one that runs the command at `index`.
    #[track_caller]
    fn runs(line: &[&str], score: Option<i16>, argv0: Option<&CStr>, index: usize) {
        let argv0 = argv0.map(CText::from);
        let run = Request {
            score,
            argv0,
            index,
            ..Request::LAUNCH
        };
        means(line, run);
    }

    #[test]
    fn options_end_at_the_first_operand_or_at_two_dashes() {
        for (line, index) in [
            (&["ls"][..], 1),
            (&["ls", "-l"], 1),
            (&["ls", "--", "-n"], 1),
            (&["ls", "-n", "5"], 1),
            (&["--", "ls"], 2),
            (&["--", "-x"], 2),
            (&["--", "-n", "5"], 2),
            (&["--", "--", "a"], 2),
            (&["--", ""], 2),
            (&[""], 1),
            (&["-"], 1),
            (&["-", "-n"], 1),
        ] {
            runs(line, None, None, index);
        }
    }

    #[test]
    fn a_value_may_be_attached_or_separate() {
        for (line, index) in [
            (&["-n", "500", "ls"][..], 3),
            (&["-n500", "ls"], 2),
            (&["--adjust", "500", "ls"], 3),
            (&["--adjust=500", "ls"], 2),
            (&["-n500", "--", "ls"], 3),
            (&["-n", "7", "-n500", "ls"], 4),
        ] {
            runs(line, Some(500), None, index);
        }
        for (line, index) in [
            (&["-a", "-bash", "ls"][..], 3),
            (&["-a-bash", "ls"], 2),
            (&["--argv0", "-bash", "ls"], 3),
            (&["--argv0=-bash", "ls"], 2),
        ] {
            runs(line, None, Some(c"-bash"), index);
        }
    }

    #[test]
    fn a_value_is_a_value_whatever_it_looks_like() {
        runs(&["-n", "-5", "ls"], Some(-5), None, 3);
        runs(&["-n-5", "ls"], Some(-5), None, 2);
        runs(&["-a", "--", "ls"], None, Some(c"--"), 3);
        runs(&["-a", "", "ls"], None, Some(c""), 3);
        runs(&["--argv0=", "ls"], None, Some(c""), 2);
        runs(&["--argv0=a=b", "ls"], None, Some(c"a=b"), 2);
    }

    #[test]
    fn a_pid_is_shown_and_with_a_score_set() {
        let show = |pid| Request {
            mode: Mode::Pid,
            pid,
            ..Request::LAUNCH
        };
        for line in [
            &["-p", "42"][..],
            &["-p42"],
            &["--pid", "42"],
            &["--pid=42"],
            &["-p42", "--"],
        ] {
            means(line, show(42));
        }
        means(&["-p", "self"], show(OWN));
        for line in [&["-p", "42", "-n", "0"][..], &["-n0", "-p42"]] {
            let score = Some(0);
            means(line, Request { score, ..show(42) });
        }
    }

    #[test]
    fn a_pin_is_a_flag_of_a_launch() {
        for (line, index) in [(&["--pin", "ls"][..], 2), (&["--pin", "--", "ls"], 3)] {
            let pin = true;
            means(
                line,
                Request {
                    pin,
                    index,
                    ..Request::LAUNCH
                },
            );
        }
        runs(&["ls", "--pin"], None, None, 1);
        runs(&["--", "--pin"], None, None, 2);
    }

    #[test]
    fn a_check_is_of_the_parent_or_of_a_pid() {
        for (line, pid) in [
            (&["--check"][..], OWN),
            (&["--check", "--"], OWN),
            (&["--check", "42"], 42),
            (&["--check", "--", "42"], 42),
        ] {
            let mode = Mode::Check;
            means(
                line,
                Request {
                    mode,
                    pid,
                    ..Request::LAUNCH
                },
            );
        }
        runs(&["ls", "--check"], None, None, 1);
    }

    #[test]
    fn help_and_version_answer_where_they_stand() {
        for (line, mode) in [
            (&["-h"][..], Mode::Help),
            (&["--help"], Mode::Help),
            (&["-h", "-x"], Mode::Help),
            (&["--check", "-h", "1", "2"], Mode::Help),
            (&["-V"], Mode::Version),
            (&["--version"], Mode::Version),
            (&["-V", "-h"], Mode::Version),
        ] {
            means(
                line,
                Request {
                    mode,
                    ..Request::LAUNCH
                },
            );
        }
        parsed(&["-n5", "-h", "ls"], |request| {
            assert_eq!(request.map(|request| request.mode), Ok(Mode::Help));
        });
        parsed(&["-x", "-h"], |request| {
            assert_eq!(request, Err(Usage(Message::UnknownOption, c"-x".into())));
        });
    }

    #[test]
    fn a_bad_line_is_an_error_that_names_what_is_bad() {
        for (line, message, name) in [
            (&[][..], Message::NoCommand, c""),
            (&["--"], Message::NoCommand, c""),
            (&["-n", "5"], Message::NoCommand, c""),
            (&["-a", "x", "--"], Message::NoCommand, c""),
            (&["--pin"], Message::NoCommand, c""),
            (&["-x", "ls"], Message::UnknownOption, c"-x"),
            (&["--adj=5", "ls"], Message::UnknownOption, c"--adj=5"),
            (
                &["--adjustment", "ls"],
                Message::UnknownOption,
                c"--adjustment",
            ),
            (&["---"], Message::UnknownOption, c"---"),
            (&["--=5"], Message::UnknownOption, c"--=5"),
            (&["-?", "ls"], Message::UnknownOption, c"-?"),
            (&["--pi", "ls"], Message::UnknownOption, c"--pi"),
            (&["-hV"], Message::UnwantedValue, c"-hV"),
            (&["--help=x"], Message::UnwantedValue, c"--help=x"),
            (&["--version="], Message::UnwantedValue, c"--version="),
            (&["--pin=yes", "ls"], Message::UnwantedValue, c"--pin=yes"),
            (&["--check=1"], Message::UnwantedValue, c"--check=1"),
            (&["-n"], Message::NoValue, c"-n"),
            (&["--adjust"], Message::NoValue, c"--adjust"),
            (&["-a"], Message::NoValue, c"-a"),
            (&["-p"], Message::NoValue, c"-p"),
            (&["-n", "1001", "ls"], Message::BadScore, c"1001"),
            (&["-nx", "ls"], Message::BadScore, c"x"),
            (&["--adjust=", "ls"], Message::BadScore, c""),
            (&["-n", "--", "ls"], Message::BadScore, c"--"),
            (&["-nx", "-n5", "ls"], Message::BadScore, c"x"),
            (&["-nx", "-h"], Message::BadScore, c"x"),
            (&["-px", "-p5"], Message::BadPid, c"x"),
            (&["-p", "0"], Message::BadPid, c"0"),
            (&["-p", "1/.."], Message::BadPid, c"1/.."),
            (&["--check", "x"], Message::BadPid, c"x"),
            (&["--check", "self"], Message::BadPid, c"self"),
            (&["-p", "1", "ls"], Message::PidAnd, c""),
            (&["-p", "1", "--", "ls"], Message::PidAnd, c""),
            (&["-p", "1", "-a", "x"], Message::PidAnd, c""),
            (&["--pin", "-p1"], Message::PidAnd, c""),
            (&["--check", "1", "2"], Message::CheckAnd, c""),
            (&["--check", "-n5"], Message::CheckAnd, c""),
            (&["-a", "x", "--check"], Message::CheckAnd, c""),
            (&["--pin", "--check"], Message::CheckAnd, c""),
            (&["--check", "-p1"], Message::CheckAnd, c""),
        ] {
            let usage = Usage(message, name.into());
            parsed(line, |request| assert_eq!(request, Err(usage), "{line:?}"));
        }
    }

    #[test]
    fn the_default_score_is_written_as_it_is() {
        let text = crate::number::Decimal::new(super::DEFAULT_SCORE.into());
        assert_eq!(text.as_bytes(), DEFAULT_SCORE_TEXT);
    }

    #[test]
    fn the_help_fits_80_columns_and_says_what_it_must() {
        assert!(HELP.lines().all(|line| line.chars().count() < 80));
        for words in [
            "OPENCLAW_CHILD_OOM_SCORE_ADJ",
            "125",
            "126",
            "127",
            "(default 1000)",
        ] {
            assert!(HELP.contains(words), "{words}");
        }
        let options: Vec<&str> = HELP
            .lines()
            .filter(|line| line.trim_start().starts_with('-'))
            .collect();
        let names: Vec<&str> = names()
            .map(|name| std::str::from_utf8(name).unwrap())
            .collect();
        assert_eq!(names.len(), 2 * opt::COUNT, "{NAMES:?}");
        let named = names.chunks(2).map(|names| match names {
            ["?", long] => std::format!("      {long} "),
            names => std::format!("  {} ", names.join(", ")),
        });
        assert_eq!(options.len(), opt::COUNT);
        for (line, names) in options.iter().zip(named) {
            assert!(line.starts_with(&names), "{line}");
        }
        let usage = MESSAGES[Message::Usage as usize].replace("; usage: ", "");
        let forms: Vec<String> = usage
            .split(" | ")
            .map(|form| form.replace("oomexec ", ""))
            .collect();
        assert_eq!(forms.len(), 5);
        assert!(forms.iter().all(|form| HELP.contains(form)), "{forms:#?}");
    }
}
