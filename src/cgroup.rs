//! Where a process's memory cgroup is: what /proc/PID/cgroup (cgroups(7)) and
//! /proc/PID/mountinfo (proc_pid_mountinfo(5)) say of it.

use crate::buffer::Buffer;

/// Which of the two hierarchies a line is about.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Version {
    /// The memory controller's own.
    V1,
    /// The unified one.
    V2,
}

/// What a line of /proc/PID/cgroup says: the version and the process's path in it,
/// if the hierarchy can have the memory controller. Where there is a line of
/// [`Version::V1`], that one has it.
#[must_use]
pub fn membership(mut line: &[u8]) -> Option<(Version, &[u8])> {
    let _number = cut(&mut line, b':');
    let controllers = cut(&mut line, b':');
    let version = match controllers {
        b"" => Version::V2,
        _ if has(controllers, b"memory") => Version::V1,
        _ => return None,
    };
    line.starts_with(b"/").then_some((version, line))
}

/// The cgroup that is mounted, a path as in /proc/PID/cgroup, and the directory
/// where, if a line of /proc/PID/mountinfo is a mount of the hierarchy: both with
/// the escapes that [`unescape`] takes away.
#[must_use]
pub fn mount(mut line: &[u8], version: Version) -> Option<(&[u8], &[u8])> {
    let mut field = || cut(&mut line, b' ');
    let (_mount, _parent, _device) = (field(), field(), field());
    let (root, point) = (field(), field());
    // Behind the options there are any number of tags, and a dash.
    loop {
        match field() {
            b"-" => break,
            b"" => return None,
            _ => {}
        }
    }
    let (kind, _source, options) = (field(), field(), field());
    let (kind_wanted, word): (&[u8], &[u8]) = match version {
        Version::V1 => (b"cgroup", b"memory"),
        Version::V2 => (b"cgroup2", b""),
    };
    let is = kind == kind_wanted && (word.is_empty() || has(options, word));
    is.then_some((root, point))
}

/// Takes what is in front of the next `end` away from the text, and the `end`.
#[inline(never)]
fn cut<'a>(text: &mut &'a [u8], end: u8) -> &'a [u8] {
    let len = text.iter().take_while(|byte| **byte != end).count();
    let (head, rest) = text.split_at_checked(len).unwrap_or_default();
    *text = rest.get(1..).unwrap_or_default();
    head
}

/// Whether a list with commas has this word.
fn has(mut list: &[u8], word: &[u8]) -> bool {
    while !list.is_empty() {
        if cut(&mut list, b',') == word {
            return true;
        }
    }
    false
}

/// What follows `root` in `path`, if it is beneath: with a slash in front, or
/// nothing.
#[must_use]
pub fn beneath<'a>(root: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let root = if root == b"/" { b"" } else { root };
    let rest = path.strip_prefix(root)?;
    if rest == b"/" {
        return Some(b"");
    }
    // A path out of its cgroup namespace would lead out of the mount.
    let is_beneath = rest.is_empty() || rest.starts_with(b"/") && !rest.starts_with(b"/..");
    is_beneath.then_some(rest)
}

/// Puts a field of mountinfo into `room`, without its escapes: `\040` is a space.
pub fn unescape(field: &[u8], room: &mut Buffer) {
    room.clear();
    let mut rest = field;
    while let [byte, behind @ ..] = rest {
        (rest, _) = match rest {
            [b'\\', a, b, c, behind @ ..] => {
                let byte = (a & 3) << 6 | (b & 7) << 3 | (c & 7);
                (behind, room.push(byte))
            }
            _ => (behind, room.push(*byte)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Version, beneath, membership, mount, unescape};
    use crate::buffer::Buffer;

    #[test]
    fn a_membership_is_of_the_memory_controller_or_of_the_unified_hierarchy() {
        for (line, expected) in [
            (&b"0::/"[..], Some((Version::V2, &b"/"[..]))),
            (b"0::/a/b:c", Some((Version::V2, b"/a/b:c"))),
            (b"0::/../x", Some((Version::V2, b"/../x"))),
            (b"8:memory:/a", Some((Version::V1, b"/a"))),
            (b"4:cpu,memory,cpuacct:/a", Some((Version::V1, b"/a"))),
            (b"4:cpu,cpuacct:/a", None),
            (b"4:memory2:/a", None),
            (b"1:name=systemd:/a", None),
            (b"1:name=memory:/a", None),
            (b"8:memory:", None),
            (b"0::", None),
            (b"", None),
            (b":", None),
            (b"memory", None),
        ] {
            assert_eq!(membership(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_mount_is_known_by_its_type_behind_the_dash() {
        for (line, version, expected) in [
            (
                &b"30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw"[..],
                Version::V2,
                Some((&b"/"[..], &b"/sys/fs/cgroup"[..])),
            ),
            (
                b"30 25 0:26 /a /b rw - cgroup cgroup rw,memory",
                Version::V1,
                Some((b"/a", b"/b")),
            ),
            (
                b"30 25 0:26 /a /b rw shared:1 master:2 - cgroup x rw,cpu,memory",
                Version::V1,
                Some((b"/a", b"/b")),
            ),
            (
                b"30 25 0:26 /a /b rw - cgroup cgroup rw,cpu",
                Version::V1,
                None,
            ),
            (
                b"30 25 0:26 /a /b rw - cgroup2 cgroup2 rw,memory",
                Version::V1,
                None,
            ),
            (
                b"30 25 0:26 /a /b rw - cgroup cgroup rw,memory",
                Version::V2,
                None,
            ),
            (
                b"30 25 0:26 /a /cgroup2 rw - ext4 cgroup2 rw",
                Version::V2,
                None,
            ),
            (b"30 25 0:26 /a /b rw cgroup2", Version::V2, None),
            (b"30 25 0:26 /a /b rw -", Version::V2, None),
            (b"", Version::V2, None),
        ] {
            assert_eq!(mount(line, version), expected, "{line:?}");
        }
    }

    #[test]
    fn a_cgroup_is_beneath_a_mount_with_its_own_root_or_one_above() {
        for (root, path, rest) in [
            (&b"/"[..], &b"/"[..], Some(&b""[..])),
            (b"/", b"/a/b", Some(b"/a/b")),
            (b"/a", b"/a", Some(b"")),
            (b"/a", b"/a/", Some(b"")),
            (b"/a", b"/a/b", Some(b"/b")),
            (b"/a", b"/ab", None),
            (b"/a", b"/b", None),
            (b"/a/b", b"/a", None),
            (b"/", b"/..", None),
            (b"/", b"/../x", None),
            (b"/..", b"/", None),
        ] {
            assert_eq!(beneath(root, path), rest, "{root:?} {path:?}");
        }
    }

    #[test]
    fn an_escape_is_a_backslash_and_three_octal_digits() {
        for (field, path) in [
            (&b"/a"[..], &b"/a"[..]),
            (b"/a\\040b\\134c\\011\\012", b"/a b\\c\t\n"),
            (b"/a\\04", b"/a\\04"),
            (b"\\", b"\\"),
            (b"", b""),
        ] {
            let mut room = Buffer::new();
            room.push(b'x');
            unescape(field, &mut room);
            assert_eq!(room.as_bytes(), path, "{field:?}");
        }
    }
}
