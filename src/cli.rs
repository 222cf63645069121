//! The command line: what it may say, and what it means.
//!
//! Options end at the first operand or at `--`, as POSIX (XBD 12.2) has it for
//! env, nice and timeout; what follows belongs to the command.

use crate::c_text::CText;
use crate::number::{SCORE_MAX, Score, parse_pid, parse_score};

/// The score that is written where `-n` does not say another.
pub const DEFAULT_SCORE: Score = SCORE_MAX;

/// [`DEFAULT_SCORE`] in decimal, at hand for the launch path.
pub const DEFAULT_SCORE_TEXT: &[u8] = b"1000";

/// What `--version` prints.
pub const VERSION: &str = concat!("oomexec ", env!("CARGO_PKG_VERSION"), "\n");

/// The forms of the command line, on one line.
pub const SYNOPSIS: &str =
    "oomexec [-n SCORE] [-a NAME] [--] COMMAND [ARG]... | -p PID [-n SCORE] | -h | -V";

/// What `--help` prints.
pub const HELP: &str = "\
Usage: oomexec [-n SCORE] [-a NAME] [--] COMMAND [ARG]...
       oomexec -p PID [-n SCORE]
       oomexec -h | -V

Write 1000 to the own oom_score_adj and become COMMAND: when memory runs out,
the kernel's OOM killer takes it and not the server that started it.

  -n, --adjust SCORE  write SCORE, -1000 to 1000 (default 1000)
  -a, --argv0 NAME    let COMMAND see NAME as its argv[0]
  -p, --pid PID       print the oom_score_adj of PID (self: of oomexec itself);
                      with -n, set it
  -h, --help          print this help
  -V, --version       print the version

Options end at COMMAND or at --. COMMAND is searched in PATH unless it has a
slash. Where the score cannot be written, COMMAND runs all the same.

Environment:
  OPENCLAW_CHILD_OOM_SCORE_ADJ=0 (or false, no, off) leaves the score alone

Exit status: that of COMMAND, or
  125  oomexec itself failed
  126  COMMAND was found but cannot be run
  127  COMMAND was not found
";

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Raise and run.
    Run {
        /// The `oom_score_adj` to write.
        score: Score,
        /// What the command sees as argv\[0\], where that is not its own name.
        argv0: Option<CText<'a>>,
        /// The command to look up.
        command: CText<'a>,
        /// Where in argv it stands; oomexec's own name is at 0.
        index: usize,
    },
    /// Print a process's `oom_score_adj`.
    Show {
        /// Whose.
        pid: Pid,
    },
    /// Set a process's `oom_score_adj`.
    Set {
        /// Whose.
        pid: Pid,
        /// The `oom_score_adj` to write.
        score: Score,
    },
    /// Print [`HELP`].
    Help,
    /// Print [`VERSION`].
    Version,
}

/// Which process `-p` is about.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Pid {
    /// oomexec itself: `self`, as /proc has it.
    Own,
    /// The process with this id.
    Number(i32),
}

/// Why a command line means nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Usage<'a> {
    /// Neither a command nor `-p`, `-h` or `-V`.
    NoCommand,
    /// There is no such option.
    UnknownOption(&'a [u8]),
    /// An option at the end that takes a value.
    NoValue(&'a [u8]),
    /// An option that takes no value has one attached.
    UnwantedValue(&'a [u8]),
    /// The value of `-n` is not a number from -1000 to 1000.
    BadScore(&'a [u8]),
    /// The value of `-p` is neither a process id nor `self`.
    BadPid(&'a [u8]),
    /// `-p` together with something that only a launch takes.
    PidAnd(&'static str),
}

/// The options.
#[derive(Clone, Copy)]
enum Opt {
    Adjust,
    Argv0,
    Pid,
    Help,
    Version,
}

impl Opt {
    /// The names, short and long, that each goes by.
    const NAMES: [(&str, &str, Self); 5] = [
        ("-n", "--adjust", Self::Adjust),
        ("-a", "--argv0", Self::Argv0),
        ("-p", "--pid", Self::Pid),
        ("-h", "--help", Self::Help),
        ("-V", "--version", Self::Version),
    ];

    /// The option that goes by `name`, dashes and all.
    fn named(name: &[u8]) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        let is_name = |one: &str| one.as_bytes() == name;
        let (_, _, option) = names.find(|(short, long, _)| is_name(short) || is_name(long))?;
        Some(*option)
    }

    const fn takes_value(self) -> bool {
        matches!(self, Self::Adjust | Self::Argv0 | Self::Pid)
    }
}

/// Reads a command line: `args` are the arguments after argv\[0\].
///
/// # Errors
///
/// [`Usage`], for the first thing that is wrong; nothing has been done then.
pub fn parse<'a>(args: impl Iterator<Item = CText<'a>>) -> Result<Request<'a>, Usage<'a>> {
    let mut args = (1..).zip(args);
    let mut score = None;
    let mut argv0 = None;
    let mut pid = None;

    let command = loop {
        let Some((index, arg)) = args.next() else {
            break None;
        };
        let mut bytes = arg.bytes();
        match (bytes.next(), bytes.next(), bytes.next()) {
            (Some(b'-'), Some(b'-'), None) => break args.next(),
            // A lone dash is an operand, as in every POSIX command.
            (Some(b'-'), Some(_), _) => {}
            _ => break Some((index, arg)),
        }
        let (option, attached) = option(arg)?;
        let value = match (option.takes_value(), attached) {
            (true, Some(value)) => value,
            (true, None) => args.next().ok_or(Usage::NoValue(arg.to_bytes()))?.1,
            (false, Some(_)) => return Err(Usage::UnwantedValue(arg.to_bytes())),
            (false, None) => c"".into(),
        };
        let text = value.to_bytes();
        match option {
            Opt::Adjust => score = Some(parse_score(text).ok_or(Usage::BadScore(text))?),
            Opt::Argv0 => argv0 = Some(value),
            Opt::Pid if text == b"self" => pid = Some(Pid::Own),
            Opt::Pid => pid = Some(Pid::Number(parse_pid(text).ok_or(Usage::BadPid(text))?)),
            Opt::Help => return Ok(Request::Help),
            Opt::Version => return Ok(Request::Version),
        }
    };

    match (pid, command) {
        (Some(_), Some(_)) => Err(Usage::PidAnd("a COMMAND")),
        (Some(_), None) if argv0.is_some() => Err(Usage::PidAnd("--argv0")),
        (Some(pid), None) => Ok(match score {
            Some(score) => Request::Set { pid, score },
            None => Request::Show { pid },
        }),
        (None, Some((index, command))) => Ok(Request::Run {
            score: score.unwrap_or(DEFAULT_SCORE),
            argv0,
            command,
            index,
        }),
        (None, None) => Err(Usage::NoCommand),
    }
}

/// Which option an argument that begins with a dash is, and the value that is
/// attached to it: behind the letter, or behind an equals sign.
// Not inlined: `oomexec -- COMMAND` has no option.
#[inline(never)]
fn option(arg: CText<'_>) -> Result<(Opt, Option<CText<'_>>), Usage<'_>> {
    let text = arg.to_bytes();
    let long = text.starts_with(b"--");
    let name = if long {
        text.split(|byte| *byte == b'=').next()
    } else {
        text.get(..2)
    };
    let name = name.unwrap_or(text);
    let option = Opt::named(name).ok_or(Usage::UnknownOption(text))?;
    let rest = arg.strip_prefix(name);
    let attached = if long {
        rest.and_then(|rest| rest.strip_prefix(b"="))
    } else {
        rest.filter(|rest| rest.bytes().next().is_some())
    };
    Ok((option, attached))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{HELP, Pid, Request, SYNOPSIS, Usage, parse};
    use crate::c_text::CText;
    use std::ffi::{CStr, CString};
    use std::string::String;
    use std::vec::Vec;

    fn parsed(line: &[&str], check: impl FnOnce(Result<Request<'_>, Usage<'_>>)) {
        let args: Vec<CString> = line.iter().map(|arg| CString::new(*arg).unwrap()).collect();
        check(parse(args.iter().map(|arg| arg.as_c_str().into())));
    }

    /// The line is one that runs the command at `index`.
    fn runs(line: &[&str], score: i16, argv0: Option<&CStr>, index: usize) {
        let command = CString::new(line[index - 1]).unwrap();
        let (command, argv0) = (command.as_c_str().into(), argv0.map(CText::from));
        parsed(line, |request| {
            let run = Request::Run {
                score,
                argv0,
                command,
                index,
            };
            assert_eq!(request, Ok(run), "{line:?}");
        });
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
            runs(line, 1000, None, index);
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
            runs(line, 500, None, index);
        }
        for (line, index) in [
            (&["-a", "-bash", "ls"][..], 3),
            (&["-a-bash", "ls"], 2),
            (&["--argv0", "-bash", "ls"], 3),
            (&["--argv0=-bash", "ls"], 2),
        ] {
            runs(line, 1000, Some(c"-bash"), index);
        }
    }

    #[test]
    fn a_value_is_a_value_whatever_it_looks_like() {
        runs(&["-n", "-5", "ls"], -5, None, 3);
        runs(&["-n-5", "ls"], -5, None, 2);
        runs(&["-a", "--", "ls"], 1000, Some(c"--"), 3);
        runs(&["-a", "", "ls"], 1000, Some(c""), 3);
        runs(&["--argv0=", "ls"], 1000, Some(c""), 2);
        runs(&["--argv0=a=b", "ls"], 1000, Some(c"a=b"), 2);
    }

    #[test]
    fn a_pid_is_shown_and_with_a_score_set() {
        let pid = Pid::Number(42);
        for line in [
            &["-p", "42"][..],
            &["-p42"],
            &["--pid", "42"],
            &["--pid=42"],
            &["-p42", "--"],
        ] {
            parsed(line, |request| {
                assert_eq!(request, Ok(Request::Show { pid }), "{line:?}")
            });
        }
        for line in [&["-p", "42", "-n", "0"][..], &["-n0", "-p42"]] {
            parsed(line, |request| {
                assert_eq!(request, Ok(Request::Set { pid, score: 0 }), "{line:?}")
            });
        }
        parsed(&["-p", "self"], |request| {
            assert_eq!(request, Ok(Request::Show { pid: Pid::Own }))
        });
    }

    #[test]
    fn help_and_version_answer_where_they_stand() {
        for line in [
            &["-h"][..],
            &["--help"],
            &["-n5", "-h", "ls"],
            &["-h", "-x"],
        ] {
            parsed(line, |request| {
                assert_eq!(request, Ok(Request::Help), "{line:?}")
            });
        }
        for line in [&["-V"][..], &["--version"], &["-V", "-h"]] {
            parsed(line, |request| {
                assert_eq!(request, Ok(Request::Version), "{line:?}")
            });
        }
        parsed(&["-x", "-h"], |request| {
            assert_eq!(request, Err(Usage::UnknownOption(b"-x")))
        });
    }

    #[test]
    fn a_bad_line_is_an_error_that_names_what_is_bad() {
        for (line, usage) in [
            (&[][..], Usage::NoCommand),
            (&["--"], Usage::NoCommand),
            (&["-n", "5"], Usage::NoCommand),
            (&["-a", "x", "--"], Usage::NoCommand),
            (&["-x", "ls"], Usage::UnknownOption(b"-x")),
            (&["--adj=5", "ls"], Usage::UnknownOption(b"--adj=5")),
            (
                &["--adjustment", "ls"],
                Usage::UnknownOption(b"--adjustment"),
            ),
            (&["-hV"], Usage::UnwantedValue(b"-hV")),
            (&["---"], Usage::UnknownOption(b"---")),
            (&["--=5"], Usage::UnknownOption(b"--=5")),
            (&["-n"], Usage::NoValue(b"-n")),
            (&["--adjust"], Usage::NoValue(b"--adjust")),
            (&["-a"], Usage::NoValue(b"-a")),
            (&["-p"], Usage::NoValue(b"-p")),
            (&["--help=x"], Usage::UnwantedValue(b"--help=x")),
            (&["--version="], Usage::UnwantedValue(b"--version=")),
            (&["-n", "1001", "ls"], Usage::BadScore(b"1001")),
            (&["-nx", "ls"], Usage::BadScore(b"x")),
            (&["--adjust=", "ls"], Usage::BadScore(b"")),
            (&["-n", "--", "ls"], Usage::BadScore(b"--")),
            (&["-p", "0"], Usage::BadPid(b"0")),
            (&["-p", "1/.."], Usage::BadPid(b"1/..")),
            (&["-p", "1", "ls"], Usage::PidAnd("a COMMAND")),
            (&["-p", "1", "--", "ls"], Usage::PidAnd("a COMMAND")),
            (&["-p", "1", "-a", "x"], Usage::PidAnd("--argv0")),
        ] {
            parsed(line, |request| assert_eq!(request, Err(usage), "{line:?}"));
        }
    }

    #[test]
    fn the_default_score_is_written_as_it_is() {
        let text = crate::number::Decimal::new(super::DEFAULT_SCORE.into());
        assert_eq!(text.as_bytes(), super::DEFAULT_SCORE_TEXT);
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
        let options = HELP.lines().filter(|line| line.starts_with("  -"));
        let named = super::Opt::NAMES.map(|(short, long, _)| std::format!("  {short}, {long} "));
        assert!(
            options
                .zip(&named)
                .all(|(line, names)| line.starts_with(names.as_str()))
        );
        assert_eq!(HELP.matches("\n  -").count(), named.len());
        let forms: Vec<String> = SYNOPSIS
            .split(" | ")
            .map(|form| form.replace("oomexec ", ""))
            .collect();
        assert!(HELP.contains(&forms[0]) && HELP.contains(&forms[1]));
    }
}
