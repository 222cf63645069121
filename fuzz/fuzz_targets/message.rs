//! Any name, path and errno: each message is one line of at most `PIPE_BUF` bytes
//! that no terminal takes for anything but text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomexec::cli::{Pid, Usage};
use oomexec::message::{LINE_MAX, Line};
use oomexec::reason::Reason;

fuzz_target!(|input: (i32, &[u8], &[u8])| {
    let (number, name, path) = input;
    let mut line = Line::new();
    for reason in [
        Reason::Errno(number),
        Reason::NoInterpreter(path),
        Reason::NoLoader(path),
        Reason::Incomplete,
        Reason::OtherMachine(None),
        Reason::OtherMachine(Some("s390x")),
        Reason::Shell(number),
    ] {
        line.cannot_run(name, &reason);
        check(&line);
    }
    for usage in [
        Usage::NoCommand,
        Usage::UnknownOption(name),
        Usage::NoValue(name),
        Usage::UnwantedValue(name),
        Usage::BadScore(name),
        Usage::BadPid(name),
        Usage::PidAnd("--argv0"),
    ] {
        line.usage(&usage);
        check(&line);
    }
    line.cannot_access("set", Pid::Number(number), number, "");
    check(&line);
    line.cannot_print(number);
    check(&line);
});

fn check(line: &Line) {
    let bytes = line.as_bytes();
    assert!(bytes.len() <= LINE_MAX);
    assert!(bytes.starts_with(b"oomexec: "));
    let (last, text) = bytes.split_last().expect("never empty");
    assert_eq!(*last, b'\n');
    assert!(!text.iter().any(u8::is_ascii_control));
}
