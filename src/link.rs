//! A link that says what to run: invoked as `oomexec--pin@chromium`, oomexec runs
//! `oomexec --pin -- chromium "$@"`. For programs that take one file and put their own
//! arguments first, and images without a shell for a script in between.
//!
//! The COMMAND is behind the first `@` of the name; oomexec searches it in PATH. Options
//! are in front of it, from the first dash on, with `,` where a command line has a
//! space: `oomexec--pin,-n,500@chromium`.

use crate::cli::{Mode, Request, UsageError};
use crate::sys::{InitialStack, ThinCStr};

/// A link's name in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Link<'a> {
    /// The options, each a C string behind the other.
    options: &'a [u8],
    /// The name to look up.
    command: ThinCStr<'a>,
}

/// Whether `argv0` is the name of a link: one with an `@`, behind a path or not.
pub fn is_link(argv0: &[u8]) -> bool {
    let mut parts = argv0.rsplit(|byte| *byte == b'/');
    parts.next().is_some_and(|name| name.contains(&b'@'))
}

/// Parses the command line of a link into what was [`Request::LAUNCH`]; its COMMAND
/// takes the place of argv\[0\].
///
/// # Errors
///
/// [`UsageError`], for the first thing that is wrong.
pub fn parse(
    stack: &InitialStack,
    request: &mut Request<'static>,
) -> Result<(), UsageError<'static>> {
    // SAFETY: the caller has seen that argv[0] is a link's name, and is done with it.
    let link = split(unsafe { stack.argv0_mut() }).ok_or(UsageError::NoCommand)?;
    if link.command == ThinCStr::EMPTY {
        return Err(UsageError::NoCommand);
    }
    // By themselves first: the last one must not take `--` for its value.
    match request.parse(link.options()) {
        Ok(()) | Err(UsageError::NoCommand) => *request = Request::LAUNCH,
        Err(error) => return Err(error),
    }
    let end = [c"--".into(), link.command];
    request.parse(link.options().chain(end))?;
    if request.mode == Mode::Run {
        // An operand among the options is none, and not the COMMAND.
        if let Some(operand) = link.options().nth(request.index - 1) {
            return Err(UsageError::UnknownOption(operand));
        }
    }
    stack.set_argv0(link.command);
    request.index = 0;
    Ok(())
}

impl<'a> Link<'a> {
    fn options(&self) -> impl Iterator<Item = ThinCStr<'a>> {
        self.options
            .split_inclusive(|byte| *byte == 0)
            .filter_map(ThinCStr::from_bytes_until_nul)
    }
}

/// Splits a name, and ends each of its options with a NUL; `None` if it has no `@`.
fn split(argv0: &mut [u8]) -> Option<Link<'_>> {
    let name = argv0.rsplit_mut(|byte| *byte == b'/').next()?;
    let at = name.iter().position(|byte| *byte == b'@')?;
    let (before, command) = name.split_at_mut_checked(at + 1)?;
    for byte in &mut *before {
        if matches!(byte, b',' | b'@') {
            *byte = 0;
        }
    }
    let dash = before.iter().position(|byte| *byte == b'-');
    Some(Link {
        options: dash.and_then(|dash| before.get(dash..)).unwrap_or_default(),
        command: ThinCStr::from_bytes_until_nul(command)?,
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{is_link, split};
    use std::vec::Vec;

    /// The parts of a name: the options and the COMMAND.
    #[track_caller]
    fn parts(name: &str, options: &[&str], command: &str) {
        assert!(is_link(name.as_bytes()));
        let mut argv0 = [name.as_bytes(), b"\0"].concat();
        let link = split(&mut argv0).expect("a link");
        assert_eq!(link.command.to_bytes(), command.as_bytes(), "{name}");
        let found: Vec<_> = link.options().map(|option| option.to_bytes()).collect();
        let options: Vec<_> = options.iter().map(|option| option.as_bytes()).collect();
        assert_eq!(found, options, "{name}");
    }

    #[test]
    fn a_name_with_an_at_sign_is_options_and_a_command() {
        parts("oomexec@chromium", &[], "chromium");
        parts("oomexec--pin@chromium", &["--pin"], "chromium");
        parts("oomexec-n500@a-b", &["-n500"], "a-b");
        parts("oomexec-n,-5,--pin@x", &["-n", "-5", "--pin"], "x");
        parts("/opt/a@1/b--c/oomexec--pin@x", &["--pin"], "x");
        parts("@x", &[], "x");
        parts("a,b@x", &[], "x");
        parts("oomexec@", &[], "");
        parts("oomexec@x@y,-z", &[], "x@y,-z");
    }

    #[test]
    fn a_name_without_one_is_no_link() {
        for name in ["", "oomexec", "/a@b/oomexec", "a@b/", "oomexec--pin"] {
            assert!(!is_link(name.as_bytes()), "{name}");
            let mut argv0 = [name.as_bytes(), b"\0"].concat();
            assert_eq!(split(&mut argv0), None, "{name}");
        }
    }
}
