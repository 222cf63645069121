//! Searches any PATH for any name: the candidates are those of a naive join, and a shell
//! takes none for an option.
#![no_main]

use std::ffi::CString;

use libfuzzer_sys::fuzz_target;
use oomexec::exec::path::{Candidate, elements, has_slash};
use oomexec::sys::{PATH_MAX, ThinCStr};

fuzz_target!(|input: &[u8]| {
    // The name up to the first NUL, the PATH up to the second.
    let mut parts = input.split(|byte| *byte == 0);
    let name = parts.next().unwrap_or_default();
    let path = parts.next().unwrap_or_default();
    let c_name = CString::new(name).expect("split at each NUL");
    assert_eq!(has_slash(c_name.as_c_str().into()), name.contains(&b'/'));

    let mut candidate = Candidate::new();
    let mut joined = Vec::new();
    for element in elements(path) {
        joined.push(element);
        let expected = match element {
            b"" => name.to_vec(),
            _ => [element, name].join(&b'/'),
        };
        let Some(file) = candidate.set(element, name) else {
            assert!(expected.len() >= PATH_MAX);
            continue;
        };
        assert_eq!(file.to_bytes(), expected);
        let is_option = expected.starts_with(b"-") || expected.starts_with(b"+");
        match candidate.operand().map(ThinCStr::to_bytes) {
            Some(operand) if is_option => {
                assert_eq!(operand, [b"./", &expected[..]].concat());
            }
            Some(operand) => assert_eq!(operand, expected),
            None => assert!(is_option && expected.len() + 2 >= PATH_MAX),
        }
    }
    assert_eq!(joined.join(&b':'), path);
});
