//! A byte string of fixed capacity, for a program that has no heap.

use core::mem::MaybeUninit;

use crate::c_text::CText;

/// At most `N` bytes, none of them touched before it is written: a large buffer
/// costs the launch path no page that it does not use.
pub struct Buffer<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    /// How many of `bytes`, from the first, have been written.
    len: usize,
}

impl<const N: usize> Buffer<N> {
    /// An empty buffer.
    #[must_use]
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
        bytes.iter().all(|byte| self.push(*byte))
    }

    /// What has been written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `push`, the one place where `len` grows, has written each of
        // the first `len` bytes, and `len` never passes `N`.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.len) }
    }

    /// What has been written, as a C string; `None` unless it ends with a NUL.
    #[must_use]
    pub fn as_c_text(&self) -> Option<CText<'_>> {
        let bytes = self.as_bytes();
        // SAFETY: there is a NUL at the end, if not before, and it stays while the
        // buffer is borrowed.
        (bytes.last() == Some(&0)).then(|| unsafe { CText::new(bytes.as_ptr().cast()) })
    }
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn takes_what_fits_and_says_when_something_did_not() {
        let mut buffer = Buffer::<4>::new();
        assert!(buffer.extend(b"abc"));
        assert!(!buffer.extend(b"de"));
        assert_eq!(buffer.as_bytes(), b"abcd");
        assert!(!buffer.push(b'f'));
        buffer.clear();
        assert_eq!(buffer.as_bytes(), b"");
    }

    #[test]
    fn is_a_c_string_where_it_ends_with_a_nul() {
        let mut buffer = Buffer::<4>::new();
        assert!(buffer.extend(b"ab"));
        assert_eq!(buffer.as_c_text(), None);
        assert!(buffer.push(0));
        assert_eq!(buffer.as_c_text(), Some(c"ab".into()));
    }
}
