//! Where a command is looked for: the walk along PATH, as execvp(3) does it,
//! and where it does better.
//!
//! The rules are glibc's (posix/execvpe.c), with three differences. A candidate
//! that is a symbolic-link loop or a name too long does not end the search; an
//! element too long for `PATH_MAX` is passed over, where glibc looks in the
//! current directory instead; and a search that met nothing but "not found" and
//! "not a directory" ends as "not found".

use libc::{EACCES, ELOOP, ENAMETOOLONG, ENODEV, ENOENT, ENOTDIR, ESTALE, ETIMEDOUT, c_int};

use crate::buffer::Buffer;
use crate::c_text::CText;

/// What the entry of the search path in the environment begins with.
pub const VARIABLE: &[u8] = b"PATH=";

/// The search path where the environment has no PATH. POSIX leaves it to the
/// implementation; local programs come first, as in a login's PATH, and the
/// current directory is not in it.
pub const DEFAULT: &[u8] = b"/usr/local/bin:/bin:/usr/bin";

/// Whether a command is a path to run as it is, rather than a name to look up.
#[must_use]
pub fn has_slash(command: CText<'_>) -> bool {
    command.bytes().any(|byte| byte == b'/')
}

/// The directories of a PATH, in order. An empty one is the current directory.
pub fn elements(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b':')
}

/// Room for the path of a file to try.
pub struct Candidate(Buffer);

impl Candidate {
    /// No path yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Buffer::new())
    }

    /// The path of `name` in the directory `element`; in the current directory
    /// where `element` is empty. `None` if it is too long for the kernel.
    pub fn set(&mut self, element: &[u8], name: &[u8]) -> Option<CText<'_>> {
        self.0.clear();
        let fits = self.0.extend(element)
            && (element.is_empty() || self.0.push(b'/'))
            && self.0.extend(name)
            && self.0.push(0);
        if fits { self.0.as_c_text() } else { None }
    }

    /// The path `file` as a shell must see it: with `./` in front where it begins
    /// with `-` or `+`, which the shell would take for an option (sh(1)). `None` if
    /// that makes it too long.
    pub fn operand<'a>(&'a mut self, file: CText<'a>) -> Option<CText<'a>> {
        match file.bytes().next() {
            Some(b'-' | b'+') => self.set(b".", file.to_bytes()),
            _ => Some(file),
        }
    }
}

impl Default for Candidate {
    fn default() -> Self {
        Self::new()
    }
}

/// What a search has met so far.
#[derive(Default)]
pub struct Search {
    denied: bool,
}

impl Search {
    /// Whether the search goes on to the next element after execve(2) said
    /// `errno` of a candidate.
    pub fn goes_on(&mut self, errno: c_int) -> bool {
        match errno {
            EACCES => {
                self.denied = true;
                true
            }
            ENOENT | ENOTDIR | ESTALE | ENODEV | ETIMEDOUT | ELOOP | ENAMETOOLONG => true,
            _ => false,
        }
    }

    /// The errno of a search that came to the end of PATH: a command that is
    /// there and may not be run says more than elements without it.
    #[must_use]
    pub const fn at_end(&self) -> c_int {
        if self.denied { EACCES } else { ENOENT }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Candidate, Search, elements, has_slash};
    use crate::buffer::CAPACITY as PATH_MAX;
    use crate::c_text::CText;
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
        let mut room = Candidate::new();
        assert_eq!(room.operand(c"-x".into()), Some(c"./-x".into()));
        assert_eq!(room.operand(c"-d/x".into()), Some(c"./-d/x".into()));
        assert_eq!(room.operand(c"+x".into()), Some(c"./+x".into()));
        assert_eq!(room.operand(c"/d/-x".into()), Some(c"/d/-x".into()));
        assert_eq!(room.operand(c"x".into()), Some(c"x".into()));
    }

    #[test]
    fn a_candidate_too_long_for_the_kernel_is_none_at_all() {
        let mut candidate = Candidate::new();
        let fits = [b'd'; PATH_MAX - 3];
        let path = candidate.set(&fits, b"x").map(CText::to_bytes);
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
            assert!(Search::default().goes_on(errno), "errno {errno}");
        }
        for errno in [
            ENOEXEC, ETXTBSY, E2BIG, ENOMEM, EPERM, EISDIR, EIO, EMFILE, ENFILE, ELIBBAD, EAGAIN,
            EINVAL,
        ] {
            assert!(!Search::default().goes_on(errno), "errno {errno}");
        }
    }

    #[test]
    fn permission_denied_wins_over_not_found_at_the_end() {
        let mut search = Search::default();
        assert_eq!(search.at_end(), ENOENT);
        search.goes_on(ENOTDIR);
        search.goes_on(ELOOP);
        assert_eq!(search.at_end(), ENOENT);
        search.goes_on(EACCES);
        search.goes_on(ENOENT);
        assert_eq!(search.at_end(), EACCES);
    }
}
