//! Any name, path and errno: each message is one line of at most `PIPE_BUF` bytes
//! that no terminal takes for anything but text.
#![no_main]

use std::ffi::CString;

use libfuzzer_sys::fuzz_target;
use oomexec::cli::Usage;
use oomexec::message::{LINE_MAX, Line};
use oomexec::reason::Reason;
use oomexec::words::Message;

fuzz_target!(|input: (i32, &[u8], &[u8])| {
    let (number, name, path) = input;
    let [name, path] = [name, path].map(|bytes| {
        let end = bytes.iter().position(|byte| *byte == 0);
        CString::new(&bytes[..end.unwrap_or(bytes.len())]).expect("no NUL")
    });
    let (name, path) = (name.as_c_str().into(), path.as_c_str().into());
    let mut line = Line::new();
    for reason in [
        Reason::errno(number),
        Reason::lacks(Message::NoInterpreter, path),
        Reason::lacks(Message::NoLoader, path),
        Reason::incomplete(),
        Reason::other_machine(Message::UnknownMachine),
        Reason::other_machine(Message::S390x),
        Reason::shell(number),
    ] {
        line.cannot_run(name, &reason);
        check(&line);
    }
    for message in [
        Message::NoCommand,
        Message::UnknownOption,
        Message::NoValue,
        Message::UnwantedValue,
        Message::BadScore,
        Message::BadPid,
        Message::PidAnd,
        Message::CheckAnd,
    ] {
        line.usage(&Usage(message, name));
        check(&line);
    }
    line.cannot_access(Message::CannotSet, number, number, Message::NotBelow);
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
