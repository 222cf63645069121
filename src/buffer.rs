//! A byte string of fixed capacity, for a program that has no heap.

use core::mem::MaybeUninit;

use crate::c_text::CText;

/// The most bytes of a [`Buffer`]: the longest path that the kernel takes, its NUL
/// included, and the longest line that a pipe takes whole (linux/limits.h).
pub const CAPACITY: usize = libc::PATH_MAX as usize;

/// At most [`CAPACITY`] bytes, none of them touched before it is written: a large
/// buffer costs the launch path no page that it does not use.
pub struct Buffer {
    bytes: [MaybeUninit<u8>; CAPACITY],
    /// How many of `bytes`, from the first, have been written.
    len: usize,
}

impl Buffer {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [const { MaybeUninit::uninit() }; CAPACITY],
            len: 0,
        }
    }

    /// Empties the buffer.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends one byte; says whether it fitted.
    // Not inlined, as all below: the program stays small.
    #[inline(never)]
    pub fn push(&mut self, byte: u8) -> bool {
        match self.bytes.get_mut(self.len) {
            Some(slot) => {
                slot.write(byte);
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// Appends as many of `bytes` as fit; says whether all did.
    #[inline(never)]
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

    /// What has been written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `push` and `extend`, where alone `len` grows, have written each of
        // the first `len` bytes, and `len` never passes the capacity.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.len) }
    }

    /// What has been written, as a C string; `None` unless it ends with a NUL.
    #[inline(never)]
    #[must_use]
    pub fn as_c_text(&self) -> Option<CText<'_>> {
        let bytes = self.as_bytes();
        // SAFETY: there is a NUL at the end, if not before, and it stays while the
        // buffer is borrowed.
        (bytes.last() == Some(&0)).then(|| unsafe { CText::new(bytes.as_ptr().cast()) })
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, CAPACITY};

    #[test]
    fn takes_what_fits_and_says_when_something_did_not() {
        let mut buffer = Buffer::new();
        assert!(buffer.extend(b"ab") && buffer.push(b'c'));
        assert_eq!(buffer.as_bytes(), b"abc");
        assert!(buffer.extend(&[b'd'; CAPACITY - 4]));
        assert!(!buffer.extend(b"ef"));
        assert!(!buffer.push(b'g'));
        assert_eq!(buffer.as_bytes().len(), CAPACITY);
        assert!(buffer.as_bytes().ends_with(b"de"));
        buffer.clear();
        assert_eq!(buffer.as_bytes(), b"");
    }

    #[test]
    fn is_a_c_string_where_it_ends_with_a_nul() {
        let mut buffer = Buffer::new();
        assert!(buffer.extend(b"ab"));
        assert_eq!(buffer.as_c_text(), None);
        assert!(buffer.push(0));
        assert_eq!(buffer.as_c_text(), Some(c"ab".into()));
    }
}
