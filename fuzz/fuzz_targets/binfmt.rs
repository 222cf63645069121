//! Parses the format of any file from its first bytes, and finds its loader's name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomexec::exec::binfmt::{Format, HEAD_MAX, format};

fuzz_target!(|file: &[u8]| {
    let mut head = [0; HEAD_MAX];
    let len = file.len().min(HEAD_MAX);
    head[..len].copy_from_slice(&file[..len]);
    match format(&head) {
        Format::Script(name) => assert_eq!(Some(name.to_vec()), interpreter(&head)),
        Format::Elf(elf) => {
            assert!(file.starts_with(b"\x7fELF"));
            let _ = elf.other_machine();
            for at in elf.program_headers().take(100) {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let header = file.get(at..).and_then(<[u8]>::first_chunk);
                let _ = header.and_then(|header| elf.loader(header));
            }
        }
        Format::Other => {
            assert!(!file.starts_with(b"\x7fELF"));
            assert_eq!(interpreter(&head), None);
        }
    }
});

/// Parses the name in a `#!` line as fs/binfmt_script.c does.
fn interpreter(head: &[u8]) -> Option<Vec<u8>> {
    let mut rest = head.strip_prefix(b"#!")?.iter().copied().peekable();
    while rest.next_if(|byte| matches!(byte, b' ' | b'\t')).is_some() {}
    let name: Vec<u8> = rest
        .take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | 0))
        .collect();
    (!name.is_empty()).then_some(name)
}
