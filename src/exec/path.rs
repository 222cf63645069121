//! The search along PATH: as execvp(3) does it, with three differences.
//!
//! The rules are glibc's (posix/execvpe.c), but for these: a candidate that is a
//! symbolic-link loop or whose name is too long does not end the search; the search
//! skips an element too long for `PATH_MAX`, where glibc looks in the current
//! directory instead; and a search that met nothing but "not found" and "not a
//! directory" ends as "not found".

use libc::{EACCES, ELOOP, ENAMETOOLONG, ENODEV, ENOENT, ENOTDIR, ESTALE, ETIMEDOUT};

use crate::sys::{Buffer, Errno, PATH_MAX, ThinCStr};

/// The longest name that Linux's own file systems take (linux/limits.h).
pub const NAME_MAX: usize = 255;

/// The variable's name and its equals sign.
pub const VARIABLE: &[u8] = b"PATH=";

/// The search path if the environment has no PATH. POSIX leaves it to the
/// implementation; local programs come first, as in a login's PATH, and the
/// current directory is not in it.
pub const DEFAULT: &[u8] = b"/usr/local/bin:/bin:/usr/bin";

/// Whether a command is a path to run as it is, rather than a name to look up.
pub fn has_slash(command: ThinCStr<'_>) -> bool {
    command.bytes().any(|byte| byte == b'/')
}

/// Returns the directories of a PATH, in order. An empty one is the current directory.
pub fn elements(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b':')
}

/// Room for the path of a file to try.
pub struct Candidate(Buffer<PATH_MAX>);

impl Candidate {
    /// Returns room without a path.
    pub const fn new() -> Self {
        Self(Buffer::new())
    }

    /// Returns the path of `name` in the directory `element`, the current one if that
    /// is empty; `None` if the path is too long for the kernel.
    pub fn set(&mut self, element: &[u8], name: &[u8]) -> Option<ThinCStr<'_>> {
        self.0.clear();
        let fits = self.0.extend(element)
            && (element.is_empty() || self.0.push(b'/'))
            && self.0.extend(name)
            && self.0.push(0);
        if fits { self.0.as_thin_c_str() } else { None }
    }

    /// Returns the path as a shell must see it: behind `./` if it begins with `-` or
    /// `+`, for the shell would take it for an option (sh(1)). `None` if that makes it
    /// too long.
    // In place: a second buffer would need more stack than a caller may have left.
    pub fn operand(&mut self) -> Option<ThinCStr<'_>> {
        let is_option = matches!(self.0.as_bytes(), [b'-' | b'+', ..]);
        if is_option && !self.0.prepend(b"./") {
            return None;
        }
        self.0.as_thin_c_str()
    }
}

impl Default for Candidate {
    fn default() -> Self {
        Self::new()
    }
}

/// What a search has met so far.
pub struct Search {
    /// The errno that says most, as [`Search::end`] returns it.
    worst: Errno,
}

impl Search {
    /// Returns a search that has met nothing.
    pub const fn new() -> Self {
        Self {
            worst: Errno(ENOENT),
        }
    }

    /// Whether the search goes on after execve(2) failed with `errno` for a candidate.
    pub fn goes_on(&mut self, errno: Errno) -> bool {
        match errno.0 {
            EACCES => self.worst = errno,
            ELOOP | ENAMETOOLONG if self.worst == Errno(ENOENT) => self.worst = errno,
            ELOOP | ENAMETOOLONG | ENOENT | ENOTDIR | ESTALE | ENODEV | ETIMEDOUT => {}
            _ => return false,
        }
        true
    }

    /// Returns the errno of a search that came to the end of PATH: that of a command
    /// that may not be run; else the first of one that cannot be reached; else ENOENT.
    pub const fn end(&self) -> Errno {
        self.worst
    }
}

impl Default for Search {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Candidate, Search, elements, has_slash};
    use crate::sys::{Errno, PATH_MAX, ThinCStr};
    use libc::*;
    use std::vec::Vec;

    fn walk(path: &[u8]) -> Vec<&[u8]> {
        elements(path).collect()
    }

    #[test]
    fn a_path_has_an_element_between_any_two_colons_and_at_both_ends() {
        assert_eq!(walk(b"/a:/b"), [&b"/a"[..], b"/b"]);
        assert_eq!(walk(b""), [b""]);
        assert_eq!(walk(b":"), [b"", b""]);
        assert_eq!(walk(b"/a:"), [&b"/a"[..], b""]);
        assert_eq!(walk(b":/a"), [&b""[..], b"/a"]);
        assert_eq!(walk(b"/a::/b"), [&b"/a"[..], b"", b"/b"]);
    }

    #[test]
    fn only_a_name_without_a_slash_is_searched() {
        assert!(!has_slash(c"ls".into()));
        assert!(!has_slash(c"".into()));
        for path in [c"/bin/ls", c"./ls", c"a/", c"/"] {
            assert!(has_slash(path.into()), "{path:?}");
        }
    }

    #[test]
    fn a_candidate_is_the_element_a_slash_and_the_name() {
        let mut candidate = Candidate::new();
        assert_eq!(candidate.set(b"/bin", b"ls"), Some(c"/bin/ls".into()));
        assert_eq!(candidate.set(b"/bin/", b"ls"), Some(c"/bin//ls".into()));
        assert_eq!(candidate.set(b"", b"ls"), Some(c"ls".into()));
    }

    #[test]
    fn a_shell_never_sees_a_candidate_that_looks_like_an_option() {
        for (path, operand) in [
            (&b"-x"[..], c"./-x"),
            (b"-d/x", c"./-d/x"),
            (b"+x", c"./+x"),
            (b"/d/-x", c"/d/-x"),
            (b"x", c"x"),
        ] {
            let mut candidate = Candidate::new();
            assert!(candidate.set(b"", path).is_some());
            assert_eq!(candidate.operand(), Some(operand.into()));
        }
        let mut candidate = Candidate::new();
        assert!(candidate.set(b"", &[b'-'; PATH_MAX - 1]).is_some());
        assert_eq!(candidate.operand(), None);
    }

    #[test]
    fn a_candidate_too_long_for_the_kernel_is_none_at_all() {
        let mut candidate = Candidate::new();
        let fits = [b'd'; PATH_MAX - 3];
        let path = candidate.set(&fits, b"x").map(ThinCStr::to_bytes);
        assert_eq!(path.map(<[u8]>::len), Some(PATH_MAX - 1));
        assert_eq!(candidate.set(&[b'd'; PATH_MAX - 2], b"x"), None);
        assert_eq!(candidate.set(&[b'd'; PATH_MAX * 2], b"x"), None);
        assert_eq!(candidate.set(b"", b"x"), Some(c"x".into()));
    }

    #[test]
    fn a_search_goes_on_past_what_says_nothing_of_the_next_element() {
        for errno in [
            ENOENT,
            ENOTDIR,
            EACCES,
            ESTALE,
            ENODEV,
            ETIMEDOUT,
            ELOOP,
            ENAMETOOLONG,
        ] {
            assert!(Search::new().goes_on(Errno(errno)), "errno {errno}");
        }
        for errno in [
            ENOEXEC, ETXTBSY, E2BIG, ENOMEM, EPERM, EISDIR, EIO, EMFILE, ENFILE, ELIBBAD, EAGAIN,
            EINVAL,
        ] {
            assert!(!Search::new().goes_on(Errno(errno)), "errno {errno}");
        }
    }

    #[test]
    fn at_the_end_denied_wins_over_out_of_reach_and_that_over_not_found() {
        let end = |met: &[i32]| {
            let mut search = Search::new();
            for errno in met {
                search.goes_on(Errno(*errno));
            }
            search.end().0
        };
        assert_eq!(end(&[]), ENOENT);
        assert_eq!(end(&[ENOTDIR, ENOENT]), ENOENT);
        assert_eq!(end(&[ELOOP]), ELOOP);
        assert_eq!(end(&[ENOENT, ENAMETOOLONG, ELOOP, ENOENT]), ENAMETOOLONG);
        assert_eq!(end(&[ELOOP, EACCES, ENOENT]), EACCES);
        assert_eq!(end(&[EACCES, ELOOP]), EACCES);
    }
}
