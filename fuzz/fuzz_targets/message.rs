//! Prints any name, path and errno: each message is one line of at most `PIPE_BUF`
//! bytes without control characters.
#![no_main]

use std::ffi::CString;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use oomexec::cli::UsageError;
use oomexec::exec::reason::{Need, Path, Reason};
use oomexec::output::{LINE_MAX, Line, Quoted};
use oomexec::sys::{Errno, ThinCStr};

fuzz_target!(|input: (i32, &[u8], &[u8])| {
    let (number, name, path) = input;
    let errno = Errno(number);
    for reason in [
        Reason::Errno(errno),
        Reason::Missing(Need::Interpreter, Path::new(path), errno),
        Reason::Missing(Need::Loader, Path::new(path), errno),
        Reason::Unreachable(errno),
        Reason::OtherMachine(None),
        Reason::OtherMachine(Some("s390x")),
        Reason::Shell(errno),
    ] {
        check(format_args!("cannot run {}: {reason}", Quoted(name)));
    }
    let end = name.iter().position(|byte| *byte == 0);
    let option = CString::new(&name[..end.unwrap_or(name.len())]).expect("no NUL");
    let option = ThinCStr::from(option.as_c_str());
    for error in [
        UsageError::NoCommand,
        UsageError::UnknownOption(option),
        UsageError::AmbiguousOption(name),
        UsageError::NoValue(option),
        UsageError::UnwantedValue(option),
        UsageError::BadScore(option),
        UsageError::BadPin(option),
        UsageError::BadPid(option),
        UsageError::BadGateway(option),
        UsageError::PidAlone,
        UsageError::CheckAlone,
        UsageError::NotAShell,
    ] {
        check(format_args!("{error}"));
    }
});

fn check(text: fmt::Arguments<'_>) {
    let mut line = Line::new();
    let bytes = line.fill_complaint(text);
    assert!(bytes.len() <= LINE_MAX);
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let text = text.strip_suffix('\n').expect("a newline");
    assert!(text.starts_with("oomexec: "));
    assert!(!text.contains(char::is_control));
}
