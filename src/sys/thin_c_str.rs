//! A C string whose length nobody has counted yet.

use core::ffi::{CStr, c_char};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A pointer to a C string. A `&CStr` knows its length, and so must count it; the
/// launch path needs that neither of a command nor of a megabyte of environment.
#[derive(Clone, Copy)]
pub struct ThinCStr<'a> {
    start: NonNull<u8>,
    lifetime: PhantomData<&'a CStr>,
}

impl ThinCStr<'static> {
    /// The empty string.
    pub const EMPTY: Self = Self::from_c_str(c"");
}

impl<'a> ThinCStr<'a> {
    /// Returns the C string at `start`.
    ///
    /// # Safety
    ///
    /// There is one, and it stays as it is for `'a`.
    pub const unsafe fn new(start: *const c_char) -> Self {
        Self {
            // SAFETY: where there is a C string, it is not the null pointer.
            start: unsafe { NonNull::new_unchecked(start.cast_mut().cast()) },
            lifetime: PhantomData,
        }
    }

    /// Returns this C string.
    pub const fn from_c_str(text: &'a CStr) -> Self {
        // SAFETY: a `&CStr` is one.
        unsafe { Self::new(text.as_ptr()) }
    }

    /// Returns the C string at `start`; `None` if that is the null pointer.
    ///
    /// # Safety
    ///
    /// As [`ThinCStr::new`], otherwise.
    pub unsafe fn from_nullable(start: *const c_char) -> Option<Self> {
        NonNull::new(start.cast_mut().cast()).map(|start| Self {
            start,
            lifetime: PhantomData,
        })
    }

    /// Returns the C string that `bytes` begin with; `None` if they hold no NUL.
    pub fn from_bytes_until_nul(bytes: &'a [u8]) -> Option<Self> {
        bytes.iter().position(|byte| *byte == 0)?;
        // SAFETY: there is a NUL, and the bytes stay for `'a`.
        Some(unsafe { Self::new(bytes.as_ptr().cast()) })
    }

    /// Returns its bytes one by one, without the NUL.
    #[inline(always)]
    pub fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        Bytes(self)
    }

    /// Returns what follows `prefix`; `None` if the string does not begin with it.
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

    /// Counts its bytes and returns them, without the NUL.
    // Not inlined: nothing on the launch path needs it.
    #[inline(never)]
    pub fn to_bytes(self) -> &'a [u8] {
        // SAFETY: so many bytes are in front of the NUL, and stay for `'a`.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.bytes().count()) }
    }

    /// Returns the pointer.
    pub const fn as_ptr(self) -> *const c_char {
        self.start.as_ptr().cast()
    }
}

/// The rest of a C string.
struct Bytes<'a>(ThinCStr<'a>);

impl Iterator for Bytes<'_> {
    type Item = u8;

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        // SAFETY: the pointer only moves on from a byte that is not the NUL.
        let byte = unsafe { *self.0.start.as_ptr() };
        if byte == 0 {
            return None;
        }
        // SAFETY: the NUL comes later.
        self.0.start = unsafe { self.0.start.add(1) };
        Some(byte)
    }
}

impl<'a> From<&'a CStr> for ThinCStr<'a> {
    fn from(text: &'a CStr) -> Self {
        Self::from_c_str(text)
    }
}

impl PartialEq for ThinCStr<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for ThinCStr<'_> {}

impl fmt::Debug for ThinCStr<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.to_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::ThinCStr;

    #[test]
    fn is_read_up_to_its_nul() {
        let text = ThinCStr::from(c"A=\xff b");
        assert!(text.bytes().eq(*b"A=\xff b"));
        assert_eq!(text.to_bytes(), b"A=\xff b");
        assert_eq!(ThinCStr::from(c"").bytes().next(), None);
    }

    #[test]
    fn ends_at_the_first_nul_of_bytes_that_have_one() {
        let until_nul = ThinCStr::from_bytes_until_nul;
        assert_eq!(until_nul(b"ab\0cd\0"), Some(c"ab".into()));
        assert_eq!(until_nul(b"\0"), Some(c"".into()));
        assert_eq!(until_nul(b"ab"), None);
    }

    #[test]
    fn loses_a_prefix_that_it_has_and_no_other() {
        let text = ThinCStr::from(c"A=b");
        assert_eq!(text.strip_prefix(b"A="), Some(c"b".into()));
        assert_eq!(text.strip_prefix(b"A=b"), Some(c"".into()));
        assert_eq!(text.strip_prefix(b""), Some(text));
        for prefix in [&b"B="[..], b"A=bc", b"A=b\0"] {
            assert_eq!(text.strip_prefix(prefix), None, "{prefix:?}");
        }
    }
}
