//! Any value of an option or of the opt-out: read as the standard library would.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomexec::number::{Decimal, parse_pid, parse_score};
use oomexec::opt_out::is_off;

fuzz_target!(|value: &[u8]| {
    let text = std::str::from_utf8(value).ok();
    let number = text.and_then(|text| text.parse::<i32>().ok());
    let score = number.filter(|number| (-1000..=1000).contains(number));
    assert_eq!(parse_score(value).map(i32::from), score);
    let sign = value.starts_with(b"+");
    assert_eq!(
        parse_pid(value),
        number.filter(|number| *number > 0 && !sign)
    );
    if let Some(number) = number {
        assert_eq!(
            Decimal::new(number).as_bytes(),
            number.to_string().as_bytes()
        );
    }

    let ascii_space = |byte: char| byte.is_ascii_whitespace() || byte == '\x0b';
    let off = text.is_some_and(|text| {
        let word = text.trim_matches(ascii_space).to_ascii_lowercase();
        ["0", "false", "no", "off"].contains(&word.as_str())
    });
    assert_eq!(is_off(value), off);
});
