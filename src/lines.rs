//! A file's lines, a byte at a time, in a buffer of fixed size.

use crate::buffer::Buffer;

/// A line in the making. What does not fit into the buffer is left out, so that a
/// line is never longer, and never two.
#[derive(Default)]
pub struct Lines(Buffer);

impl Lines {
    /// Takes the next byte, and shows the line that it ends, without the newline.
    #[inline(never)]
    pub fn push(&mut self, byte: u8, show: &mut dyn FnMut(&[u8])) {
        if byte == b'\n' {
            show(self.0.as_bytes());
            self.0.clear();
        } else {
            self.0.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Lines;
    use crate::buffer::CAPACITY;
    use std::vec;
    use std::vec::Vec;

    fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for byte in bytes {
            lines.push(*byte, &mut |line| seen.push(line.to_vec()));
        }
        seen
    }

    #[test]
    fn a_line_is_what_is_in_front_of_a_newline() {
        assert_eq!(lines(b"ab\n\nc\nd"), [&b"ab"[..], b"", b"c"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_is_whole() {
        for len in [CAPACITY - 1, CAPACITY, CAPACITY + 1, 3 * CAPACITY] {
            let long = vec![b'x'; len];
            let seen = lines(&[b"a\n", &long[..], b"\nb\n"].concat());
            let cut = &long[..len.min(CAPACITY)];
            assert_eq!(seen, [&b"a"[..], cut, b"b"], "{len}");
        }
    }
}
