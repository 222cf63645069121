//! An errno, and the words for it.

use core::ffi::c_int;
use core::fmt;

use libc::*;

/// The error of a failed system call (errno(3)).
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Errno(pub c_int);

/// The words of glibc's strerror(3) for what execve(2) and /proc give in practice.
const WORDS: [(c_int, &str); 25] = [
    (EPERM, "Operation not permitted"),
    (ENOENT, "No such file or directory"),
    (ESRCH, "No such process"),
    (EIO, "Input/output error"),
    (ENXIO, "No such device or address"),
    (E2BIG, "Argument list too long"),
    (ENOEXEC, "Exec format error"),
    (EBADF, "Bad file descriptor"),
    (EAGAIN, "Resource temporarily unavailable"),
    (ENOMEM, "Cannot allocate memory"),
    (EACCES, "Permission denied"),
    (ENOTDIR, "Not a directory"),
    (EISDIR, "Is a directory"),
    (EINVAL, "Invalid argument"),
    (ENFILE, "Too many open files in system"),
    (EMFILE, "Too many open files"),
    (ETXTBSY, "Text file busy"),
    (ENOSPC, "No space left on device"),
    (EROFS, "Read-only file system"),
    (EPIPE, "Broken pipe"),
    (ENAMETOOLONG, "File name too long"),
    (ENOSYS, "Function not implemented"),
    (ELOOP, "Too many levels of symbolic links"),
    (ELIBBAD, "Accessing a corrupted shared library"),
    (EOPNOTSUPP, "Operation not supported"),
];

/// Writes the words, or the number of one that has none here.
impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match WORDS.iter().find(|(errno, _)| *errno == self.0) {
            Some((_, words)) => f.write_str(words),
            None => write!(f, "errno {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Errno, WORDS};
    use std::ffi::CStr;
    use std::string::ToString;

    unsafe extern "C" {
        fn strerror(errno: libc::c_int) -> *const libc::c_char;
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no strerror")]
    fn the_words_are_those_of_strerror() {
        for (errno, words) in WORDS {
            // SAFETY: strerror returns a C string that stays valid until the next
            // call from this thread.
            let expected = unsafe { CStr::from_ptr(strerror(errno)) };
            assert_eq!(words.as_bytes(), expected.to_bytes(), "errno {errno}");
            assert_eq!(Errno(errno).to_string(), words);
        }
        assert_eq!(Errno(4095).to_string(), "errno 4095");
    }

    #[test]
    fn every_errno_that_execve_names_has_words() {
        use libc::*;
        for errno in [
            ENOENT,
            EACCES,
            ENOEXEC,
            ELOOP,
            ENAMETOOLONG,
            ETXTBSY,
            E2BIG,
            ENOMEM,
            EPERM,
            ENOTDIR,
            EISDIR,
            EIO,
            EMFILE,
            ENFILE,
            ELIBBAD,
            EAGAIN,
        ] {
            let words = Errno(errno).to_string();
            assert!(!words.starts_with("errno "), "{words}");
        }
    }
}
