//! The environment variable that leaves a child's score alone.

use crate::sys::Environment;

/// The variable's name and its equals sign.
pub const VARIABLE: &[u8] = b"OPENCLAW_CHILD_OOM_SCORE_ADJ=";

/// The values that mean "leave the score alone", in any case.
pub const WORDS: [&str; 4] = ["0", "false", "no", "off"];

/// Whether an environment opts out.
#[inline(always)]
pub fn is_set(environment: Environment) -> bool {
    match environment.get(VARIABLE) {
        Some(value) => opts_out(value.to_bytes()),
        None => false,
    }
}

/// Whether a value of [`VARIABLE`] opts out: one of [`WORDS`], with or without white
/// space around it. Anything else means on.
// Not inlined: most environments do not have the variable.
#[inline(never)]
pub fn opts_out(value: &[u8]) -> bool {
    let value = trim(value);
    WORDS
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Trims the white space that C's `isspace` and JavaScript's `trim` know: with the
/// vertical tab, which `trim_ascii` leaves there.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t'..=b'\r', rest @ ..] | [rest @ .., b' ' | b'\t'..=b'\r'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::opts_out;

    #[test]
    fn the_four_words_opt_out_in_any_case_and_within_white_space() {
        for value in [
            &b"0"[..],
            b"false",
            b"no",
            b"off",
            b"FALSE",
            b"No",
            b"oFf",
            b" 0",
            b"0\n",
            b"\t\x0b\x0c off \r\n",
        ] {
            assert!(opts_out(value), "{value:?}");
        }
    }

    #[test]
    fn anything_else_means_on() {
        for value in [
            &b""[..],
            b" ",
            b"1",
            b"true",
            b"yes",
            b"on",
            b"00",
            b"0x0",
            b"-0",
            b"o ff",
            b"nope",
            b"disabled",
            b"0\0",
            b"\xc2\xa00",
            b"off,",
            b"nonononooff",
        ] {
            assert!(!opts_out(value), "{value:?}");
        }
    }
}
