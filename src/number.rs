//! Decimal numbers: the score, the process id, the errno.

/// An `oom_score_adj`, always within [`SCORE_MIN`]`..=`[`SCORE_MAX`]. Unit:
/// thousandths of the memory that the OOM killer is short of (proc(5)).
pub type Score = i16;

/// The lowest `oom_score_adj`: never killed. `OOM_SCORE_ADJ_MIN` of linux/oom.h.
pub const SCORE_MIN: Score = -1000;

/// The highest `oom_score_adj`: killed first. `OOM_SCORE_ADJ_MAX` of linux/oom.h.
pub const SCORE_MAX: Score = 1000;

/// Reads a score: decimal digits, with `-` or `+` in front or not. `None` for
/// anything else and for what is out of range.
#[must_use]
pub fn parse_score(text: &[u8]) -> Option<Score> {
    let (digits, sign) = match text {
        [b'-', digits @ ..] => (digits, -1),
        [b'+', digits @ ..] => (digits, 1),
        digits => (digits, 1),
    };
    let score = Score::try_from(parse_digits(digits)?).ok()? * sign;
    (SCORE_MIN..=SCORE_MAX).contains(&score).then_some(score)
}

/// Reads a process id: decimal digits, from 1 to the largest `pid_t`.
#[must_use]
pub fn parse_pid(text: &[u8]) -> Option<i32> {
    let pid = i32::try_from(parse_digits(text)?).ok()?;
    (pid > 0).then_some(pid)
}

/// Reads an amount, as the files of a cgroup and of /proc/sys have it: decimal
/// digits, or `max`, which is as many as there are.
#[must_use]
pub fn parse_amount(text: &[u8]) -> Option<u64> {
    match text {
        b"max" => Some(u64::MAX),
        text => parse_digits(text),
    }
}

/// Reads one or more decimal digits; `None` past `u64::MAX`.
#[inline(never)]
fn parse_digits(text: &[u8]) -> Option<u64> {
    let mut number = None;
    for byte in text {
        let tens = number.unwrap_or(0_u64).checked_mul(10)?;
        number = Some(tens.checked_add(digit(*byte)?)?);
    }
    number
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then_some((byte & 0x0f).into())
}

/// A number in decimal, as the kernel's `kstrtoint` reads it.
pub struct Decimal {
    /// The digits are at the end, which is where they are made.
    bytes: [u8; DECIMAL_MAX],
    start: usize,
}

/// The most bytes of a [`Decimal`]: `-2147483648`.
pub const DECIMAL_MAX: usize = 11;

impl Decimal {
    /// Writes `number`.
    #[must_use]
    pub fn new(number: i32) -> Self {
        let mut bytes = [0; DECIMAL_MAX];
        let mut start = DECIMAL_MAX;
        let mut rest = number.unsigned_abs();
        for byte in bytes.iter_mut().rev() {
            *byte = b'0' + (rest % 10) as u8;
            rest /= 10;
            start -= 1;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            start -= 1;
            if let Some(byte) = bytes.get_mut(start) {
                *byte = b'-';
            }
        }
        Self { bytes, start }
    }

    /// The digits, and the sign of a negative number.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, parse_amount, parse_pid, parse_score};

    #[test]
    fn a_score_is_a_decimal_number_from_minus_1000_to_1000() {
        for (text, score) in [
            (&b"0"[..], 0),
            (b"1000", 1000),
            (b"-1000", -1000),
            (b"+5", 5),
            (b"-0", 0),
            (b"0007", 7),
        ] {
            assert_eq!(parse_score(text), Some(score), "{text:?}");
        }
    }

    #[test]
    fn a_score_is_nothing_else() {
        for text in [
            &b""[..],
            b"-",
            b"+",
            b"--5",
            b"+-5",
            b"1001",
            b"-1001",
            b"5 ",
            b" 5",
            b"5x",
            b"0x10",
            b"1e2",
            b"32768",
            b"65536",
            b"2147483648",
            b"99999999999999999999",
            b"\xff",
        ] {
            assert_eq!(parse_score(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_pid_is_a_positive_decimal_number() {
        assert_eq!(parse_pid(b"1"), Some(1));
        assert_eq!(parse_pid(b"2147483647"), Some(i32::MAX));
        for text in [
            &b""[..],
            b"0",
            b"-1",
            b"+1",
            b"2147483648",
            b"self",
            b"1/2",
            b"../1",
        ] {
            assert_eq!(parse_pid(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_amount_is_decimal_digits_or_max() {
        for (text, amount) in [
            (&b"0"[..], Some(0)),
            (b"9223372036854771712", Some(9_223_372_036_854_771_712)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"max", Some(u64::MAX)),
            (b"18446744073709551616", None),
            (b"99999999999999999999999", None),
            (b"", None),
            (b"-1", None),
            (b"max ", None),
            (b"1 2", None),
        ] {
            assert_eq!(parse_amount(text), amount, "{text:?}");
        }
    }

    #[test]
    fn decimal_writes_every_length_and_both_ends() {
        for number in [
            0,
            9,
            10,
            99,
            100,
            999,
            1000,
            -1,
            -10,
            -1000,
            123_456_789,
            i32::MAX,
            i32::MIN,
        ] {
            let text = Decimal::new(number);
            let read = core::str::from_utf8(text.as_bytes()).unwrap();
            assert_eq!(read.parse::<i32>(), Ok(number));
        }
    }
}
