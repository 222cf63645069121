//! A C string in place, of which no more is looked at than is asked for.

use core::ffi::{CStr, c_char};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A pointer to a C string. Unlike a `&CStr` it does not know the length, which
/// would have to be counted: on the launch path nothing asks for that of a
/// command, or of a megabyte of environment.
#[derive(Clone, Copy)]
pub struct CText<'a> {
    start: NonNull<u8>,
    lives: PhantomData<&'a CStr>,
}

impl CText<'static> {
    /// No byte at all.
    // SAFETY: the constant is a C string, for good.
    pub const EMPTY: Self = unsafe { Self::new(c"".as_ptr()) };
}

impl<'a> CText<'a> {
    /// The C string at `start`.
    ///
    /// # Safety
    ///
    /// There is one, and it stays as it is for `'a`.
    #[must_use]
    pub const unsafe fn new(start: *const c_char) -> Self {
        Self {
            // SAFETY: where there is a C string, it is not the null pointer.
            start: unsafe { NonNull::new_unchecked(start.cast_mut().cast()) },
            lives: PhantomData,
        }
    }

    /// The C string at `start`; `None` if that is the null pointer.
    ///
    /// # Safety
    ///
    /// As [`CText::new`], otherwise.
    #[must_use]
    pub unsafe fn if_any(start: *const c_char) -> Option<Self> {
        NonNull::new(start.cast_mut().cast()).map(|start| Self {
            start,
            lives: PhantomData,
        })
    }

    /// The C string that `bytes` begin with; `None` if there is no NUL in them.
    #[must_use]
    pub fn first_of(bytes: &'a [u8]) -> Option<Self> {
        // Not by `contains`, which is a memchr of 200 bytes.
        bytes.iter().position(|byte| *byte == 0)?;
        // SAFETY: there is a NUL, and the bytes stay for `'a`.
        Some(unsafe { Self::new(bytes.as_ptr().cast()) })
    }

    /// Its bytes, without the NUL.
    #[inline(always)]
    pub fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        Bytes(self)
    }

    /// What follows `prefix`, if the string begins so.
    #[must_use]
    pub fn strip_prefix(mut self, prefix: &[u8]) -> Option<Self> {
        for expected in prefix {
            if self.bytes().next() != Some(*expected) {
                return None;
            }
            // SAFETY: that was a byte in front of the NUL.
            self.start = unsafe { self.start.add(1) };
        }
        Some(self)
    }

    /// Its bytes as a slice: their number is counted now.
    // Not inlined: nothing on the launch path needs it.
    #[inline(never)]
    #[must_use]
    pub fn to_bytes(self) -> &'a [u8] {
        // SAFETY: so many bytes are in front of the NUL, and stay for `'a`.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.bytes().count()) }
    }

    /// Where it is.
    #[must_use]
    pub const fn as_ptr(self) -> *const c_char {
        self.start.as_ptr().cast()
    }
}

/// What is left of a C string to be read.
struct Bytes<'a>(CText<'a>);

impl Iterator for Bytes<'_> {
    type Item = u8;

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        // SAFETY: this is not past the NUL: it moves on from other bytes only.
        let byte = unsafe { *self.0.start.as_ptr() };
        if byte == 0 {
            return None;
        }
        // SAFETY: the NUL is yet to come.
        self.0.start = unsafe { self.0.start.add(1) };
        Some(byte)
    }
}

impl<'a> From<&'a CStr> for CText<'a> {
    fn from(text: &'a CStr) -> Self {
        // SAFETY: that is what a `&CStr` is.
        unsafe { Self::new(text.as_ptr()) }
    }
}

impl PartialEq for CText<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for CText<'_> {}

impl fmt::Debug for CText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes().escape_ascii().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::CText;

    #[test]
    fn is_read_up_to_its_nul() {
        let text = CText::from(c"A=\xff b");
        assert!(text.bytes().eq(*b"A=\xff b"));
        assert_eq!(text.to_bytes(), b"A=\xff b");
        assert_eq!(CText::from(c"").bytes().next(), None);
    }

    #[test]
    fn is_the_first_of_bytes_that_have_a_nul() {
        assert_eq!(CText::first_of(b"ab\0cd\0"), Some(c"ab".into()));
        assert_eq!(CText::first_of(b"\0"), Some(c"".into()));
        assert_eq!(CText::first_of(b"ab"), None);
    }

    #[test]
    fn loses_a_prefix_that_it_has_and_no_other() {
        let text = CText::from(c"A=b");
        assert_eq!(text.strip_prefix(b"A="), Some(c"b".into()));
        assert_eq!(text.strip_prefix(b"A=b"), Some(c"".into()));
        assert_eq!(text.strip_prefix(b""), Some(text));
        for prefix in [&b"B="[..], b"A=bc", b"A=b\0"] {
            assert_eq!(text.strip_prefix(prefix), None, "{prefix:?}");
        }
    }
}
