//! Parses any file of /proc that `--check` reads, and any directory's entries: nothing
//! panics, and each result is a part of its line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomexec::check::{Version, beneath, membership, mount, unescape};
use oomexec::pin::entries;
use oomexec::sys::{Buffer, Lines, number};

fuzz_target!(|file: &[u8]| {
    let mut lines = Lines::default();
    for byte in file {
        lines.push(*byte, &mut look);
    }
    assert!(entries(file).all(|entry| entry.name.to_bytes().len() < file.len()));
});

fn look(line: &[u8]) {
    let text = std::str::from_utf8(line).ok();
    let amount = text.and_then(|text| text.parse::<u64>().ok());
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    assert_eq!(number(line), amount.filter(|_| text.is_some_and(is_plain)));
    if let Some((_, path)) = membership(line) {
        assert!(path.starts_with(b"/") && line.ends_with(path));
        for version in [Version::V1, Version::V2] {
            let Some((root, point)) = mount(line, version) else {
                continue;
            };
            let mut room = Buffer::new();
            unescape(point, &mut room);
            assert!(room.as_bytes().len() <= point.len());
            if let Some(rest) = beneath(root, path) {
                assert!(rest.is_empty() || rest.starts_with(b"/"));
                assert!(!rest.starts_with(b"/.."));
            }
        }
    }
}
