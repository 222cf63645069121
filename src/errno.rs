//! What an errno means, in words.

use libc::*;

/// The words of glibc's strerror(3), for what execve(2) and an access to /proc
/// give in practice.
const REASONS: [(c_int, &str); 23] = [
    (EPERM, "Operation not permitted"),
    (ENOENT, "No such file or directory"),
    (ESRCH, "No such process"),
    (EIO, "Input/output error"),
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
];

/// What `errno` means; `None` if it is not in the table.
#[must_use]
pub fn reason(errno: c_int) -> Option<&'static str> {
    let mut reasons = REASONS.iter();
    let (_, words) = reasons.find(|(known, _)| *known == errno)?;
    Some(words)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{REASONS, reason};
    use std::ffi::CStr;

    unsafe extern "C" {
        fn strerror(errno: libc::c_int) -> *const libc::c_char;
    }

    #[test]
    fn the_words_are_those_of_strerror() {
        for (errno, words) in REASONS {
            // SAFETY: strerror returns a NUL-terminated string that stays valid
            // until the next call from this thread.
            let expected = unsafe { CStr::from_ptr(strerror(errno)) };
            assert_eq!(words.as_bytes(), expected.to_bytes(), "errno {errno}");
            assert_eq!(reason(errno), Some(words));
        }
        assert_eq!(reason(0), None);
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
            assert!(reason(errno).is_some(), "errno {errno}");
        }
    }
}
