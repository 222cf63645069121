//! The command line: its grammar, and what is said of a bad one.
//!
//! Options end at the first operand or at `--`, as POSIX (XBD 12.2) has it for
//! env, nice and timeout; the rest belongs to the command.

use core::fmt;

use crate::output::{self, Quoted, Status, status};
use crate::pin::Strength;
use crate::score::Score;
use crate::sys::{Pid, Process, ThinCStr, number};

/// Whether `argv0`, with its NUL, is `oomexec`, behind a path or not.
#[inline(always)]
pub fn is_own_name(argv0: &[u8]) -> bool {
    // As arrays of a register's size, and not byte by byte.
    const NAME: [u8; 8] = *b"oomexec\0";
    match argv0.split_last_chunk() {
        Some(([] | [.., b'/'], name)) => *name == NAME,
        _ => false,
    }
}

/// The text that `--help` prints.
pub const HELP: &str = "\
Usage: oomexec [-n SCORE] [-a NAME] [--pin[=write]] [--] COMMAND [ARG]...
       oomexec -p PID [-n SCORE] | --check [PID] | -h | -V

Run COMMAND so that the OOM killer picks it first, and not the gateway: the
long-lived server that starts it.

  -n, --adjust SCORE  its oom_score_adj, -1000 to 1000 (default 1000); a score
                      below its floor silently has no effect
  -a, --argv0 NAME    its argv[0]
      --pin[=write]   stop Chromium and shells from resetting their score; with
                      =write every program, which then cannot write in /proc
  -p, --pid PID       print the score of PID (self: its own); set it with -n
      --check [PID]   tell whether the gateway (PID, else the parent) survives
  -h, --help          print this
  -V, --version       print the version

COMMAND runs even if its score cannot be written. With the environment variable
OPENCLAW_CHILD_OOM_SCORE_ADJ at 0, false, no or off it keeps its score.

Exit status: that of COMMAND; 125 oomexec itself failed, 126 COMMAND cannot be
run, 127 it was not found. Of --check: 0 yes, 1 no, 125 not known.
";

/// The text that `--version` prints.
pub const VERSION: &str = concat!("oomexec ", env!("CARGO_PKG_VERSION"), "\n");

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// A launch, or a query.
    pub mode: Mode,
    /// The score to write, if the line gives one.
    pub score: Option<Score>,
    /// The command's argv\[0\], if not its own name.
    pub argv0: Option<ThinCStr<'a>>,
    /// How to pin the score, if at all.
    pub pin: Option<Strength>,
    /// Where in argv the command is; oomexec's own name is at 0.
    pub index: usize,
}

/// A launch, or a query.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Mode {
    /// Raise the score and become the command.
    Run,
    /// Answer a query.
    Query(Query),
}

/// A request other than a launch.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Query {
    /// Print the score of a process.
    Show(Process),
    /// Set the score of a process.
    Set(Process, Score),
    /// Tell whether the gateway would survive: this process, or the parent.
    Check(Option<Pid>),
    /// Print [`HELP`].
    Help,
    /// Print [`VERSION`].
    Version,
}

/// A command-line error.
#[derive(Debug, PartialEq, Eq)]
pub enum UsageError<'a> {
    /// There is no COMMAND.
    NoCommand,
    /// No option has this name.
    UnknownOption(ThinCStr<'a>),
    /// Several options begin like this.
    AmbiguousOption(&'a [u8]),
    /// This option lacks its value.
    NoValue(ThinCStr<'a>),
    /// This option takes no value.
    UnwantedValue(ThinCStr<'a>),
    /// This is no score.
    BadScore(ThinCStr<'a>),
    /// This is no strength of a pin.
    BadPin(ThinCStr<'a>),
    /// This is no process.
    BadPid(ThinCStr<'a>),
    /// This is no process id of a gateway.
    BadGateway(ThinCStr<'a>),
    /// `--pid` is given with something else than `--adjust`.
    PidAlone,
    /// `--check` is given with something else than a process id.
    CheckAlone,
    /// Invoked as `sh`, with anything but the shim.
    NotAShell,
}

impl fmt::Display for UsageError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("no COMMAND to run"),
            Self::UnknownOption(option) => {
                write!(f, "unknown option {}", Quoted(option.to_bytes()))
            }
            Self::AmbiguousOption(name) => {
                write!(f, "option {} is ambiguous; possibilities:", Quoted(name))?;
                possible(name).try_for_each(|(_, _, long, _)| write!(f, " '{long}'"))
            }
            Self::NoValue(option) => write!(f, "{} needs a value", Quoted(option.to_bytes())),
            Self::UnwantedValue(option) => {
                write!(
                    f,
                    "{}: the option takes no value",
                    Quoted(option.to_bytes())
                )
            }
            Self::BadScore(text) => {
                write!(f, "bad SCORE {} (-1000 to 1000)", Quoted(text.to_bytes()))
            }
            Self::BadPin(text) => write!(
                f,
                "bad pin {} (write, or nothing: --pin)",
                Quoted(text.to_bytes())
            ),
            Self::BadPid(text) => write!(
                f,
                "bad PID {} (a process id, or self)",
                Quoted(text.to_bytes())
            ),
            Self::BadGateway(text) => {
                write!(
                    f,
                    "bad PID {}: --check takes the PID of the gateway",
                    Quoted(text.to_bytes())
                )
            }
            Self::PidAlone => f.write_str("--pid takes nothing but --adjust"),
            Self::CheckAlone => f.write_str("--check takes nothing but the PID of the gateway"),
            Self::NotAShell => f.write_str("not a shell: it runs the oom_score_adj shim alone"),
        }
    }
}

impl UsageError<'_> {
    /// Says the error on stderr; returns the status for it.
    #[cold]
    #[inline(never)]
    pub fn report(&self) -> Status {
        match self {
            // The caller looked for a shell, and there is none.
            Self::NotAShell => {
                output::complain(format_args!("{self}"));
                status::NOT_FOUND
            }
            error => output::fail(format_args!("{error}; try 'oomexec --help'")),
        }
    }
}

/// The meaning of an option.
#[derive(Clone, Copy)]
enum Meaning {
    Adjust,
    Argv0,
    Pin,
    Pid,
    Check,
    Help,
    Version,
}

/// Whether an option takes a value.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    /// Attached or separate.
    Value,
    /// One that is attached, if any.
    Attached,
}

/// An option: what it means, its letter, its name, and whether it takes a value.
type Opt = (Meaning, Option<u8>, &'static str, Takes);

/// Every option, in the order of [`HELP`].
const OPTIONS: [Opt; 7] = [
    (Meaning::Adjust, Some(b'n'), "--adjust", Takes::Value),
    (Meaning::Argv0, Some(b'a'), "--argv0", Takes::Value),
    (Meaning::Pin, None, "--pin", Takes::Attached),
    (Meaning::Pid, Some(b'p'), "--pid", Takes::Value),
    (Meaning::Check, None, "--check", Takes::Nothing),
    (Meaning::Help, Some(b'h'), "--help", Takes::Nothing),
    (Meaning::Version, Some(b'V'), "--version", Takes::Nothing),
];

/// Returns the options whose long name begins with `name`, or the one that has it whole.
fn possible(name: &[u8]) -> impl Iterator<Item = Opt> {
    let is_whole = |(_, _, long, _): &Opt| long.as_bytes() == name;
    let whole = OPTIONS.iter().any(is_whole);
    let begins = move |(_, _, long, _): &Opt| match whole {
        true => long.as_bytes() == name,
        false => long.as_bytes().starts_with(name),
    };
    OPTIONS.iter().copied().filter(begins)
}

impl<'a> Request<'a> {
    /// A launch without an option.
    pub const LAUNCH: Self = Self {
        mode: Mode::Run,
        score: None,
        argv0: None,
        pin: None,
        index: 1,
    };

    /// Parses a command line into what was [`Self::LAUNCH`]: `args` are the arguments
    /// after argv\[0\].
    ///
    /// # Errors
    ///
    /// [`UsageError`], for the first thing that is wrong. Nothing has been done then.
    // In place: to return a request would move it several times.
    #[inline(always)]
    pub fn parse(
        &mut self,
        mut args: impl Iterator<Item = ThinCStr<'a>>,
    ) -> Result<(), UsageError<'a>> {
        let first = args.next();
        match first.map(kind) {
            Some(Kind::Operand) => Ok(()),
            Some(Kind::End) if args.next().is_some() => {
                self.index = 2;
                Ok(())
            }
            _ => parse_options(self, first, &mut || args.next()),
        }
    }
}

/// The kind of an argument, unless an earlier one has ended the options.
enum Kind {
    Option,
    End,
    Operand,
}

#[inline(always)]
fn kind(arg: ThinCStr<'_>) -> Kind {
    let mut bytes = arg.bytes();
    match (bytes.next(), bytes.next(), bytes.next()) {
        (Some(b'-'), Some(b'-'), None) => Kind::End,
        (Some(b'-'), Some(_), _) => Kind::Option,
        // A lone dash is an operand, as for every POSIX command.
        _ => Kind::Operand,
    }
}

/// The rest of [`Request::parse`]: the whole grammar. It is apart, for the launch path
/// has no option.
#[cold]
#[inline(never)]
fn parse_options<'a>(
    request: &mut Request<'a>,
    first: Option<ThinCStr<'a>>,
    rest: &mut dyn FnMut() -> Option<ThinCStr<'a>>,
) -> Result<(), UsageError<'a>> {
    let mut next = || {
        request.index += 1;
        rest()
    };
    let (mut process, mut check) = (None, false);
    let mut arg = first;
    let operand = loop {
        let Some(text) = arg else {
            break None;
        };
        match kind(text) {
            Kind::Option => {}
            Kind::Operand => break arg,
            Kind::End => break next(),
        }
        let ((meaning, .., takes), attached) = split(text)?;
        let value = match (takes, attached) {
            (Takes::Value, None) => next().ok_or(UsageError::NoValue(text))?,
            (Takes::Nothing, Some(_)) => return Err(UsageError::UnwantedValue(text)),
            (_, attached) => attached.unwrap_or(ThinCStr::EMPTY),
        };
        match meaning {
            Meaning::Adjust => {
                let score = Score::parse(value.to_bytes());
                request.score = Some(score.ok_or(UsageError::BadScore(value))?);
            }
            Meaning::Argv0 => request.argv0 = Some(value),
            Meaning::Pin => {
                request.pin = Some(match attached {
                    None => Strength::Truncate,
                    Some(value) if value == c"write".into() => Strength::Write,
                    Some(value) => return Err(UsageError::BadPin(value)),
                });
            }
            Meaning::Pid if value == c"self".into() => process = Some(Process::Own),
            Meaning::Pid => {
                process = Some(Process::Id(pid(value).ok_or(UsageError::BadPid(value))?));
            }
            Meaning::Check => check = true,
            Meaning::Help => {
                request.mode = Mode::Query(Query::Help);
                return Ok(());
            }
            Meaning::Version => {
                request.mode = Mode::Query(Query::Version);
                return Ok(());
            }
        }
        arg = next();
    };

    let for_launch = request.argv0.is_some() || request.pin.is_some();
    request.mode = if check {
        let gateway = match operand {
            Some(text) => Some(pid(text).ok_or(UsageError::BadGateway(text))?),
            None => None,
        };
        let more = request.score.is_some() || process.is_some() || for_launch;
        if more || operand.is_some() && rest().is_some() {
            return Err(UsageError::CheckAlone);
        }
        Mode::Query(Query::Check(gateway))
    } else if let Some(process) = process {
        if operand.is_some() || for_launch {
            return Err(UsageError::PidAlone);
        }
        Mode::Query(match request.score {
            None => Query::Show(process),
            Some(score) => Query::Set(process, score),
        })
    } else if operand.is_some() {
        Mode::Run
    } else {
        return Err(UsageError::NoCommand);
    };
    Ok(())
}

fn pid(text: ThinCStr<'_>) -> Option<Pid> {
    number(text.to_bytes()).filter(|pid| *pid > 0)
}

/// Splits an argument that begins with a dash into its option and the value that is
/// attached to it: behind the letter, or behind an equals sign. A long name may be
/// abbreviated, as getopt_long(3) has it.
fn split(arg: ThinCStr<'_>) -> Result<(Opt, Option<ThinCStr<'_>>), UsageError<'_>> {
    let text = arg.to_bytes();
    if !text.starts_with(b"--") {
        let short = OPTIONS
            .iter()
            .copied()
            .find(|(_, short, ..)| *short == text.get(1).copied());
        let option = short.ok_or(UsageError::UnknownOption(arg))?;
        let value = text.get(..2).and_then(|name| arg.strip_prefix(name));
        return Ok((option, value.filter(|value| *value != ThinCStr::EMPTY)));
    }
    let name = text.split(|byte| *byte == b'=').next().unwrap_or(text);
    let mut options = possible(name).filter(|_| name.len() > 2);
    match (options.next(), options.next()) {
        (Some(option), None) => {
            let value = arg.strip_prefix(name);
            Ok((option, value.and_then(|value| value.strip_prefix(b"="))))
        }
        (Some(_), Some(_)) => Err(UsageError::AmbiguousOption(name)),
        (None, _) => Err(UsageError::UnknownOption(arg)),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{HELP, Mode, OPTIONS, Query, Request, Takes, UsageError, is_own_name};
    use crate::pin::Strength;
    use crate::score::Score;
    use crate::sys::{Process, ThinCStr};
    use std::ffi::{CStr, CString};
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn parsed(line: &[&str], check: impl FnOnce(Result<Request<'_>, UsageError<'_>>)) {
        let args: Vec<CString> = line.iter().map(|arg| CString::new(*arg).unwrap()).collect();
        let mut request = Request::LAUNCH;
        let parsed = request.parse(args.iter().map(|arg| arg.as_c_str().into()));
        check(parsed.map(|()| request));
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

    fn score_of(number: i16) -> Score {
        Score::parse(number.to_string().as_bytes()).unwrap()
    }

    fn query(query: Query) -> Request<'static> {
        let mode = Mode::Query(query);
        Request {
            mode,
            ..Request::LAUNCH
        }
    }

    /// The line is one that runs the command at `index`.
    #[track_caller]
    fn runs(line: &[&str], score: Option<i16>, argv0: Option<&CStr>, index: usize) {
        let argv0 = argv0.map(ThinCStr::from);
        let run = Request {
            score: score.map(score_of),
            argv0,
            index,
            ..Request::LAUNCH
        };
        means(line, run);
    }

    #[test]
    fn its_own_name_is_known_behind_any_path() {
        for name in [c"oomexec", c"/usr/bin/oomexec", c"./oomexec", c"/oomexec"] {
            assert!(is_own_name(name.to_bytes_with_nul()), "{name:?}");
        }
        for name in [
            c"",
            c"x",
            c"sh",
            c"omexec",
            c"xoomexec",
            c"oomexec2",
            c"x@oomexec",
            c"oomexec@chromium",
            c"oomexec/",
        ] {
            assert!(!is_own_name(name.to_bytes_with_nul()), "{name:?}");
        }
        assert!(!is_own_name(b""));
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
        for line in [
            &["-p", "42"][..],
            &["-p42"],
            &["--pid", "42"],
            &["--pid=42"],
            &["-p42", "--"],
        ] {
            means(line, query(Query::Show(Process::Id(42))));
        }
        means(&["-p", "self"], query(Query::Show(Process::Own)));
        for line in [&["-p", "42", "-n", "0"][..], &["-n0", "-p42"]] {
            let score = score_of(0);
            let set = Request {
                score: Some(score),
                ..query(Query::Set(Process::Id(42), score))
            };
            means(line, set);
        }
    }

    #[test]
    fn a_pin_of_either_strength_is_a_flag_of_a_launch() {
        for (line, strength, index) in [
            (&["--pin", "ls"][..], Strength::Truncate, 2),
            (&["--pin", "--", "ls"], Strength::Truncate, 3),
            (&["--pin=write", "ls"], Strength::Write, 2),
            (&["--pin=write", "--", "ls"], Strength::Write, 3),
            // The last one counts, as of other options.
            (&["--pin", "--pin=write", "ls"], Strength::Write, 3),
            (&["--pin=write", "--pin", "ls"], Strength::Truncate, 3),
            // A value must be attached.
            (&["--pin", "write"], Strength::Truncate, 2),
        ] {
            let pin = Some(strength);
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
        runs(&["--", "--pin=write"], None, None, 2);
    }

    #[test]
    fn a_check_is_of_the_parent_or_of_a_pid() {
        for (line, pid) in [
            (&["--check"][..], None),
            (&["--check", "--"], None),
            (&["--check", "42"], Some(42)),
            (&["--check", "--", "42"], Some(42)),
        ] {
            means(line, query(Query::Check(pid)));
        }
        runs(&["ls", "--check"], None, None, 1);
    }

    #[test]
    fn help_and_version_answer_where_they_stand() {
        for (line, answer) in [
            (&["-h"][..], Query::Help),
            (&["--help"], Query::Help),
            (&["-h", "-x"], Query::Help),
            (&["--check", "-h", "1", "2"], Query::Help),
            (&["-V"], Query::Version),
            (&["--version"], Query::Version),
            (&["-V", "-h"], Query::Version),
        ] {
            means(line, query(answer));
        }
        // So a spawner learns whether an oomexec knows an option.
        let pinned = Request {
            pin: Some(Strength::Write),
            ..query(Query::Version)
        };
        means(&["--pin=write", "--version"], pinned);
        parsed(&["-n5", "-h", "ls"], |request| {
            assert_eq!(
                request.map(|request| request.mode),
                Ok(Mode::Query(Query::Help))
            );
        });
        parsed(&["-x", "-h"], |request| {
            assert_eq!(request, Err(UsageError::UnknownOption(c"-x".into())));
        });
    }

    #[test]
    fn a_long_option_may_be_abbreviated_as_long_as_one_alone_begins_so() {
        runs(&["--adj", "500", "ls"], Some(500), None, 3);
        runs(&["--ad=500", "ls"], Some(500), None, 2);
        runs(&["--arg", "x", "ls"], None, Some(c"x"), 3);
        means(&["--c", "42"], query(Query::Check(Some(42))));
        means(&["--h"], query(Query::Help));
        means(&["--v"], query(Query::Version));
        for (line, begins) in [
            (&["--a", "5", "ls"][..], "--a"),
            (&["--p", "5"], "--p"),
            (&["--pi", "ls"], "--pi"),
            (&["--pi=write", "ls"], "--pi"),
        ] {
            parsed(line, |request| {
                let error = UsageError::AmbiguousOption(begins.as_bytes());
                assert_eq!(request, Err(error), "{line:?}");
            });
        }
    }

    #[test]
    fn a_bad_line_is_an_error_that_names_what_is_bad() {
        type Error = fn(ThinCStr<'static>) -> UsageError<'static>;
        let no_command: Error = |_| UsageError::NoCommand;
        let check_alone: Error = |_| UsageError::CheckAlone;
        let pid_alone: Error = |_| UsageError::PidAlone;
        let table: &[(&[&str], Error, &'static CStr)] = &[
            (&[], no_command, c""),
            (&["--"], no_command, c""),
            (&["-n", "5"], no_command, c""),
            (&["-a", "x", "--"], no_command, c""),
            (&["--pin"], no_command, c""),
            (&["--pin=write"], no_command, c""),
            (&["--pin=x"], UsageError::BadPin, c"x"),
            (&["-x", "ls"], UsageError::UnknownOption, c"-x"),
            (&["--foo=5", "ls"], UsageError::UnknownOption, c"--foo=5"),
            (
                &["--adjustment", "ls"],
                UsageError::UnknownOption,
                c"--adjustment",
            ),
            (&["---"], UsageError::UnknownOption, c"---"),
            (&["--=5"], UsageError::UnknownOption, c"--=5"),
            (&["-?", "ls"], UsageError::UnknownOption, c"-?"),
            (&["-hV"], UsageError::UnwantedValue, c"-hV"),
            (&["--help=x"], UsageError::UnwantedValue, c"--help=x"),
            (&["--version="], UsageError::UnwantedValue, c"--version="),
            (&["--pin=yes", "ls"], UsageError::BadPin, c"yes"),
            (&["--pin=", "ls"], UsageError::BadPin, c""),
            (&["--pin=Write", "ls"], UsageError::BadPin, c"Write"),
            (&["--pin=writ", "ls"], UsageError::BadPin, c"writ"),
            (&["--pin=write ", "ls"], UsageError::BadPin, c"write "),
            (&["--check=1"], UsageError::UnwantedValue, c"--check=1"),
            (&["-n"], UsageError::NoValue, c"-n"),
            (&["--adjust"], UsageError::NoValue, c"--adjust"),
            (&["-a"], UsageError::NoValue, c"-a"),
            (&["-p"], UsageError::NoValue, c"-p"),
            (&["-n", "1001", "ls"], UsageError::BadScore, c"1001"),
            (&["-nx", "ls"], UsageError::BadScore, c"x"),
            (&["--adjust=", "ls"], UsageError::BadScore, c""),
            (&["-n", "--", "ls"], UsageError::BadScore, c"--"),
            (&["-nx", "-n5", "ls"], UsageError::BadScore, c"x"),
            (&["-nx", "-h"], UsageError::BadScore, c"x"),
            (&["-px", "-p5"], UsageError::BadPid, c"x"),
            (&["-p", "0"], UsageError::BadPid, c"0"),
            (&["-p", "1/.."], UsageError::BadPid, c"1/.."),
            (&["--check", "x"], UsageError::BadGateway, c"x"),
            (&["--check", "self"], UsageError::BadGateway, c"self"),
            (&["--check", "--", "ls"], UsageError::BadGateway, c"ls"),
            (&["--check", "ls", "-l"], UsageError::BadGateway, c"ls"),
            (&["-p", "1", "ls"], pid_alone, c""),
            (&["-p", "1", "--", "ls"], pid_alone, c""),
            (&["-p", "1", "-a", "x"], pid_alone, c""),
            (&["--pin", "-p1"], pid_alone, c""),
            (&["-p1", "--pin=write"], pid_alone, c""),
            (&["--check", "1", "2"], check_alone, c""),
            (&["--check", "-n5"], check_alone, c""),
            (&["-a", "x", "--check"], check_alone, c""),
            (&["--pin", "--check"], check_alone, c""),
            (&["--check", "--pin=write"], check_alone, c""),
            (&["--check", "-p1"], check_alone, c""),
        ];
        for (line, error, name) in table {
            let error = error(ThinCStr::from(*name));
            parsed(line, |request| assert_eq!(request, Err(error), "{line:?}"));
        }
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        let name = c"--x".into();
        for (error, words) in [
            (UsageError::NoCommand, "no COMMAND to run"),
            (UsageError::UnknownOption(name), "unknown option '--x'"),
            (
                UsageError::AmbiguousOption(b"--a"),
                "option '--a' is ambiguous; possibilities: '--adjust' '--argv0'",
            ),
            (UsageError::NoValue(name), "'--x' needs a value"),
            (
                UsageError::UnwantedValue(name),
                "'--x': the option takes no value",
            ),
            (
                UsageError::BadScore(name),
                "bad SCORE '--x' (-1000 to 1000)",
            ),
            (
                UsageError::BadPin(name),
                "bad pin '--x' (write, or nothing: --pin)",
            ),
            (
                UsageError::BadPid(name),
                "bad PID '--x' (a process id, or self)",
            ),
            (
                UsageError::BadGateway(name),
                "bad PID '--x': --check takes the PID of the gateway",
            ),
            (UsageError::PidAlone, "--pid takes nothing but --adjust"),
            (
                UsageError::CheckAlone,
                "--check takes nothing but the PID of the gateway",
            ),
        ] {
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn the_help_fits_80_columns_and_lists_every_option_with_its_names() {
        assert!(HELP.lines().all(|line| line.chars().count() < 80));
        let lines: Vec<&str> = HELP
            .lines()
            .filter(|line| line.trim_start().starts_with('-'))
            .collect();
        assert_eq!(lines.len(), OPTIONS.len());
        for (line, (_, short, long, takes)) in lines.iter().zip(OPTIONS) {
            let end = if matches!(takes, Takes::Attached) {
                "[="
            } else {
                " "
            };
            let names: String = match short {
                Some(short) => std::format!("  -{}, {long}{end}", short as char),
                None => std::format!("      {long}{end}"),
            };
            assert!(line.starts_with(&names), "{line}");
        }
    }
}
