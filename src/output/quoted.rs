//! A name in a message, safe to show on a terminal.

use core::fmt::{self, Write};

use super::LINE_MAX;

/// How many bytes of a line one name may fill, so that what is said of it still fits.
const NAME_MAX: usize = LINE_MAX * 3 / 4;

/// Shows a name in quotes, on one line, whatever is in it: control characters, those
/// that turn the direction of text, and bytes that are not UTF-8 are escaped. A long
/// name is cut.
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        let mut out = Limited { f, left: NAME_MAX };
        if show(self.0, &mut out).is_err() {
            f.write_str("...")?;
        }
        f.write_char('\'')
    }
}

/// Shows the bytes; fails where the room ends.
fn show(name: &[u8], out: &mut Limited<'_, '_>) -> fmt::Result {
    // No more than can fit: a name may have megabytes.
    for chunk in name.get(..LINE_MAX).unwrap_or(name).utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\n' => out.write_str("\\n"),
                '\r' => out.write_str("\\r"),
                '\t' => out.write_str("\\t"),
                '\0'..' ' | '\x7f' => write!(out, "\\x{:02x}", char as u32),
                char if is_unsafe(char) => write!(out, "\\u{{{:x}}}", char as u32),
                char => out.write_char(char),
            }?;
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Whether this character may do more than show itself: the controls of C1, those of
/// bidirectional text (Unicode, `Bidi_Control`), and the separators of lines.
fn is_unsafe(char: char) -> bool {
    matches!(
        char,
        '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// A formatter with room for so many more bytes.
struct Limited<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    left: usize,
}

impl fmt::Write for Limited<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.f.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{NAME_MAX, Quoted};
    use std::string::ToString;
    use std::vec;

    #[test]
    fn utf8_stays_as_it_is() {
        for name in [
            "a b",
            "caf\u{e9}",
            "\u{65e5}\u{672c}",
            "\u{1f980}",
            "\\n",
            "'",
        ] {
            assert_eq!(
                Quoted(name.as_bytes()).to_string(),
                ["'", name, "'"].concat()
            );
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        for (name, shown) in [
            (&b"a\nb\t\r\x1b[31m\x7f"[..], "a\\nb\\t\\r\\x1b[31m\\x7f"),
            (b"\x01\x1f", "\\x01\\x1f"),
            (
                "\u{80}\u{9b}31m\u{9f}\u{a0}".as_bytes(),
                "\\u{80}\\u{9b}31m\\u{9f}\u{a0}",
            ),
            ("\u{200e}\u{200f}".as_bytes(), "\\u{200e}\\u{200f}"),
            ("\u{202a}\u{202e}".as_bytes(), "\\u{202a}\\u{202e}"),
            ("\u{2066}\u{2069}".as_bytes(), "\\u{2066}\\u{2069}"),
            (b"\xff\xc3\xa9\x80", "\\xff\u{e9}\\x80"),
            (b"\x9b31m", "\\x9b31m"),
            (b"cut \xe2\x80", "cut \\xe2\\x80"),
        ] {
            assert_eq!(Quoted(name).to_string(), ["'", shown, "'"].concat());
        }
    }

    #[test]
    fn a_long_name_is_cut_between_two_characters() {
        let units = [
            ("\n", "\\n"),
            ("a", "a"),
            ("\u{e9}", "\u{e9}"),
            ("\u{202e}", "\\u{202e}"),
        ];
        // Miri takes long for each.
        let count = if cfg!(miri) { 1 } else { units.len() };
        for (unit, shown) in &units[..count] {
            let name = vec![*unit; 2 * NAME_MAX].concat();
            let text = Quoted(name.as_bytes()).to_string();
            let inner = text
                .strip_prefix('\'')
                .and_then(|text| text.strip_suffix("...'"));
            let inner = inner.expect(&text);
            assert!(inner.len() <= NAME_MAX, "{}", inner.len());
            assert!(inner.len() > NAME_MAX - shown.len(), "{}", inner.len());
            assert_eq!(inner.replace(*shown, ""), "");
        }
    }
}
