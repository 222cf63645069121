//! What an errno means, in words.

use libc::*;

use crate::words::Message;

/// What execve(2) and an access to /proc give in practice, and the words of glibc's
/// strerror(3) for it. Two bytes a row.
const REASONS: [(u8, Message); 24] = [
    row(EPERM, Message::Eperm),
    row(ENOENT, Message::Enoent),
    row(ESRCH, Message::Esrch),
    row(EIO, Message::Eio),
    row(E2BIG, Message::E2big),
    row(ENOEXEC, Message::Enoexec),
    row(EBADF, Message::Ebadf),
    row(EAGAIN, Message::Eagain),
    row(ENOMEM, Message::Enomem),
    row(EACCES, Message::Eacces),
    row(ENOTDIR, Message::Enotdir),
    row(EISDIR, Message::Eisdir),
    row(EINVAL, Message::Einval),
    row(ENFILE, Message::Enfile),
    row(EMFILE, Message::Emfile),
    row(ETXTBSY, Message::Etxtbsy),
    row(ENOSPC, Message::Enospc),
    row(EROFS, Message::Erofs),
    row(EPIPE, Message::Epipe),
    row(ENAMETOOLONG, Message::Enametoolong),
    row(ENOSYS, Message::Enosys),
    row(ELOOP, Message::Eloop),
    row(ELIBBAD, Message::Elibbad),
    row(EOPNOTSUPP, Message::Eopnotsupp),
];

const fn row(errno: c_int, words: Message) -> (u8, Message) {
    assert!(0 < errno && errno <= u8::MAX as c_int);
    (errno as u8, words)
}

/// What `errno` means; if it is not in the table, its number.
#[must_use]
pub fn reason(errno: c_int) -> Message {
    let mut reasons = REASONS.iter();
    let reason = reasons.find(|(known, _)| c_int::from(*known) == errno);
    reason.map_or(Message::Errno, |(_, words)| *words)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{REASONS, reason};
    use crate::words::{MESSAGES, Message};
    use std::ffi::CStr;

    unsafe extern "C" {
        fn strerror(errno: libc::c_int) -> *const libc::c_char;
    }

    #[test]
    fn the_words_are_those_of_strerror() {
        for (errno, message) in REASONS {
            // SAFETY: strerror returns a NUL-terminated string that stays valid
            // until the next call from this thread.
            let expected = unsafe { CStr::from_ptr(strerror(errno.into())) };
            let words = MESSAGES[message as usize];
            assert_eq!(words.as_bytes(), expected.to_bytes(), "errno {errno}");
            assert_eq!(reason(errno.into()), message);
        }
        assert_eq!(reason(0), Message::Errno);
        assert_eq!(reason(256 + libc::EPERM), Message::Errno);
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
            assert_ne!(reason(errno), Message::Errno, "errno {errno}");
        }
    }
}
