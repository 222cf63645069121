//! The environment variable that leaves a child's score alone.

/// What the variable's entry in the environment begins with. The raise is the
/// default: only a value that [`is_off`] knows turns it off.
pub const VARIABLE: &[u8] = b"OPENCLAW_CHILD_OOM_SCORE_ADJ=";

/// The values that mean "leave the score alone", in lower case.
pub const WORDS: [&str; 4] = ["0", "false", "no", "off"];

/// [`WORDS`] as numbers: without addresses, and quick to compare with.
const KEYS: [u64; 4] = {
    let mut keys = [0; 4];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = key(WORDS[at].as_bytes());
        at += 1;
    }
    keys
};

/// A word's bytes in lower case as the digits of a number: of those of up to eight
/// bytes each has its own, for none of them is a NUL.
const fn key(mut word: &[u8]) -> u64 {
    let mut key = 0;
    while let [byte, rest @ ..] = word {
        key = key << 8 | byte.to_ascii_lowercase() as u64;
        word = rest;
    }
    key
}

/// Whether a value of [`VARIABLE`] opts out: one of [`WORDS`], in any case,
/// with or without ASCII white space around it. Anything else means on.
// Not inlined: most environments do not have the variable.
#[inline(never)]
#[must_use]
pub fn is_off(value: &[u8]) -> bool {
    let value = trim(value);
    value.len() <= 8 && KEYS.iter().any(|known| *known == key(value))
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text {
        if !is_space(*first) {
            break;
        }
        text = rest;
    }
    while let [rest @ .., last] = text {
        if !is_space(*last) {
            break;
        }
        text = rest;
    }
    text
}

/// White space as C's `isspace` and JavaScript's `trim` see it: with the
/// vertical tab, which `u8::is_ascii_whitespace` leaves out.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::is_off;

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
            assert!(is_off(value), "{value:?}");
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
            b"aaaaaaaa0",
        ] {
            assert!(!is_off(value), "{value:?}");
        }
    }
}
