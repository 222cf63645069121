//! A byte string of fixed capacity, for a program that has no heap.

use core::ffi::CStr;
use core::mem::MaybeUninit;

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

    /// What has been written, up to its first NUL; `None` if it has none.
    #[must_use]
    pub fn as_c_str(&self) -> Option<&CStr> {
        CStr::from_bytes_until_nul(self.as_bytes()).ok()
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
    fn is_a_c_string_once_it_has_a_nul() {
        let mut buffer = Buffer::<4>::new();
        assert!(buffer.extend(b"ab"));
        assert_eq!(buffer.as_c_str(), None);
        assert!(buffer.push(0));
        assert_eq!(buffer.as_c_str(), Some(c"ab"));
    }
}
