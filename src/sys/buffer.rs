//! A byte string of fixed capacity, for a program without a heap.

use core::fmt;
use core::mem::MaybeUninit;

use super::ThinCStr;

/// At most `N` bytes. None is touched before it is written: a large buffer costs the
/// launch path no page that it does not use.
pub struct Buffer<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    /// How many of `bytes`, from the first, are written.
    len: usize,
}

impl<const N: usize> Buffer<N> {
    /// Returns an empty buffer.
    pub const fn new() -> Self {
        Self {
            bytes: [const { MaybeUninit::uninit() }; N],
            len: 0,
        }
    }

    /// Empties the buffer.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends one byte; says whether it fitted.
    pub fn push(&mut self, byte: u8) -> bool {
        self.extend(&[byte])
    }

    /// Appends as many of `bytes` as fit; says whether all did.
    pub fn extend(&mut self, bytes: &[u8]) -> bool {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let mut fitted = 0;
        for (slot, byte) in room.iter_mut().zip(bytes) {
            slot.write(*byte);
            fitted += 1;
        }
        self.len += fitted;
        fitted == bytes.len()
    }

    /// Puts bytes in front of the others; does nothing, and says so, if not all fit.
    pub fn prepend(&mut self, bytes: &[u8]) -> bool {
        let len = self.len + bytes.len();
        if len > N {
            return false;
        }
        for at in (0..self.len).rev() {
            if let (Some(byte), Some(slot)) = (
                self.bytes.get(at).copied(),
                self.bytes.get_mut(at + bytes.len()),
            ) {
                *slot = byte;
            }
        }
        for (slot, byte) in self.bytes.iter_mut().zip(bytes) {
            slot.write(*byte);
        }
        self.len = len;
        true
    }

    /// Returns what was written.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `extend` and `prepend`, where alone `len` grows, have written each of
        // the first `len` bytes, and `len` never passes the capacity.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.len) }
    }

    /// Returns what was written, as a C string; `None` unless it ends with a NUL.
    pub fn as_thin_c_str(&self) -> Option<ThinCStr<'_>> {
        match self.as_bytes() {
            [.., 0] => ThinCStr::from_bytes_until_nul(self.as_bytes()),
            _ => None,
        }
    }
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends text; fails where it does not fit.
impl<const N: usize> fmt::Write for Buffer<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.extend(text.as_bytes()) {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;
    use core::fmt::Write;

    #[test]
    fn takes_what_fits_and_says_when_something_did_not() {
        let mut buffer = Buffer::<8>::new();
        assert!(buffer.extend(b"ab") && buffer.push(b'c'));
        assert_eq!(buffer.as_bytes(), b"abc");
        assert!(buffer.extend(b"defg"));
        assert!(!buffer.extend(b"hi"));
        assert!(!buffer.push(b'j'));
        assert!(write!(buffer, "k").is_err());
        assert_eq!(buffer.as_bytes(), b"abcdefgh");
        buffer.clear();
        assert_eq!(buffer.as_bytes(), b"");
    }

    #[test]
    fn bytes_are_put_in_front_if_all_fit() {
        let mut buffer = Buffer::<8>::new();
        assert!(buffer.prepend(b"cde") && buffer.prepend(b"ab") && buffer.prepend(b""));
        assert_eq!(buffer.as_bytes(), b"abcde");
        assert!(!buffer.prepend(b"wxyz"));
        assert_eq!(buffer.as_bytes(), b"abcde");
        assert!(buffer.prepend(b"xyz"));
        assert_eq!(buffer.as_bytes(), b"xyzabcde");
    }

    #[test]
    fn is_a_c_string_where_it_ends_with_a_nul() {
        let mut buffer = Buffer::<8>::new();
        assert!(buffer.extend(b"ab"));
        assert_eq!(buffer.as_thin_c_str(), None);
        assert!(buffer.push(0));
        assert_eq!(buffer.as_thin_c_str(), Some(c"ab".into()));
    }
}
