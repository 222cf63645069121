//! Parses any value of an option or of the opt-out as the standard library does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomexec::opt_out::opts_out;
use oomexec::score::Score;
use oomexec::sys::number;

fuzz_target!(|value: &[u8]| {
    let text = std::str::from_utf8(value).ok();
    let expected = text.and_then(|text| text.parse::<i32>().ok());
    let score = expected.filter(|number| (-1000..=1000).contains(number));
    assert_eq!(Score::parse(value).map(|score| score.get().into()), score);
    let sign = value.starts_with(b"+");
    assert_eq!(number::<i32>(value), expected.filter(|_| !sign));

    let ascii_space = |byte: char| byte.is_ascii_whitespace() || byte == '\x0b';
    let off = text.is_some_and(|text| {
        let word = text.trim_matches(ascii_space).to_ascii_lowercase();
        ["0", "false", "no", "off"].contains(&word.as_str())
    });
    assert_eq!(opts_out(value), off);
});
