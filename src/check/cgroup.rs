//! This process's memory cgroup, by what /proc/self/cgroup (cgroups(7)) and
//! /proc/self/mountinfo (proc_pid_mountinfo(5)) say.

use core::ffi::CStr;
use core::ops::Range;

use libc::{ENAMETOOLONG, ENOENT};

use super::amount;
use crate::sys::{Buffer, Errno, File, OFlags, PATH_MAX, ThinCStr};

/// This process's memory cgroup, and those above it as far as they can be seen.
pub struct Cgroup {
    /// The hierarchy that it is in.
    version: Option<Version>,
    /// Its directory.
    dir: Buffer<PATH_MAX>,
    /// How many bytes of `dir` are the topmost directory: the mount point.
    top: usize,
    /// The file that was looked at last.
    file: Buffer<PATH_MAX>,
}

/// Why [`Cgroup::find`] fails, by the file that it looked at last.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum NotFound {
    /// The file says that no hierarchy of this machine has the memory controller.
    NoController,
    /// The file says nothing of this process's memory cgroup.
    Unsaid,
    /// The file cannot be read.
    Unread(Errno),
}

impl Cgroup {
    /// Returns a cgroup that is still to be found.
    pub const fn new() -> Self {
        Self {
            version: None,
            dir: Buffer::new(),
            top: 0,
            file: Buffer::new(),
        }
    }

    /// Finds this process's memory cgroup.
    ///
    /// # Errors
    ///
    /// [`NotFound`] says why.
    pub fn find(&mut self) -> Result<(), NotFound> {
        let (mut own, mut is_empty) = (Buffer::<PATH_MAX>::new(), true);
        let mut version = None;
        File::each_line(self.look_at(b"/proc/self/cgroup\0"), |line| {
            is_empty &= line.is_empty();
            if let (Some((of_line, path)), None | Some(Version::V2)) = (membership(line), version) {
                version = Some(of_line);
                own.clear();
                own.extend(path);
            }
        })
        .map_err(NotFound::Unread)?;
        self.version = version;
        let version = match version {
            Some(version) => version,
            // No cgroup file system is mounted: what this runs in is not known.
            None if is_empty => return Err(NotFound::Unsaid),
            None => return Err(NotFound::NoController),
        };

        let (mut dir, mut top) = (Buffer::new(), 0);
        File::each_line(self.look_at(b"/proc/self/mountinfo\0"), |line| {
            if top > 0 {
                return;
            }
            if let Some((root, point)) = mount(line, version) {
                unescape(root, &mut dir);
                if let Some(rest) = beneath(dir.as_bytes(), own.as_bytes()) {
                    unescape(point, &mut dir);
                    top = dir.as_bytes().len();
                    dir.extend(rest);
                }
            }
        })
        .map_err(NotFound::Unread)?;
        if top == 0 {
            return Err(NotFound::Unsaid);
        }
        (self.dir, self.top) = (dir, top);

        // Every cgroup has this file. Another file system that is mounted over the
        // cgroup has none.
        match File::open(self.file(usize::MAX, c"/cgroup.procs"), OFlags::PATH) {
            Ok(_) => Ok(()),
            Err(errno) => Err(NotFound::Unread(errno)),
        }
    }

    /// The hierarchy that it is in; `None` if it is not found.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Reads the number in each file of this name, from its own directory upwards,
    /// until one is `wanted`; returns that, and how many bytes of the path are the
    /// directory with it.
    ///
    /// # Errors
    ///
    /// Those of openat(2) and read(2), but for a file that is not there.
    pub fn nearest(
        &mut self,
        name: &CStr,
        wanted: Range<u64>,
    ) -> Result<Option<(u64, usize)>, Errno> {
        let mut len = self.dir.as_bytes().len();
        loop {
            match amount(self.file(len, name), b"") {
                Ok(number) if wanted.contains(&number) => return Ok(Some((number, len))),
                // There is none where the controller is off, nor in the root cgroup.
                Ok(_) | Err(Errno(ENOENT)) => {}
                Err(errno) => return Err(errno),
            }
            if self.file.as_thin_c_str().is_none() {
                return Err(Errno(ENAMETOOLONG));
            }
            if len <= self.top {
                return Ok(None);
            }
            len -= 1;
            while len > self.top && self.dir.as_bytes().get(len) != Some(&b'/') {
                len -= 1;
            }
        }
    }

    /// Returns the path of a file in the directory that is the first `len` bytes of its
    /// own.
    pub fn file(&mut self, len: usize, name: &CStr) -> ThinCStr<'_> {
        let dir = self.dir.as_bytes();
        self.file.clear();
        self.file.extend(dir.get(..len).unwrap_or(dir));
        self.file.extend(name.to_bytes_with_nul());
        self.last()
    }

    /// Returns the path of the file that was looked at last.
    pub fn last(&self) -> ThinCStr<'_> {
        self.file.as_thin_c_str().unwrap_or(ThinCStr::EMPTY)
    }

    fn look_at(&mut self, path: &[u8]) -> ThinCStr<'_> {
        self.file.clear();
        self.file.extend(path);
        self.last()
    }
}

/// A hierarchy of cgroups.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Version {
    /// The memory controller's own.
    V1,
    /// The unified one.
    V2,
}

/// Parses a line of /proc/PID/cgroup: returns the version and the process's path in it,
/// if the hierarchy can have the memory controller. If there is a line of
/// [`Version::V1`], that one has it.
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

/// Parses a line of /proc/PID/mountinfo: returns the cgroup that is mounted, a path as
/// in /proc/PID/cgroup, and the mount point, if it is a mount of the hierarchy. Both
/// have the escapes that [`unescape`] takes away.
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

/// Takes away from the text what is in front of the next `end`, and the `end`; returns
/// the former.
fn cut<'a>(text: &mut &'a [u8], end: u8) -> &'a [u8] {
    let len = text.iter().take_while(|byte| **byte != end).count();
    let (head, rest) = text.split_at_checked(len).unwrap_or_default();
    *text = rest.get(1..).unwrap_or_default();
    head
}

/// Whether a list that is separated by commas has this word.
fn has(mut list: &[u8], word: &[u8]) -> bool {
    while !list.is_empty() {
        if cut(&mut list, b',') == word {
            return true;
        }
    }
    false
}

/// Returns what follows `root` in `path`, with a slash in front, or nothing; `None` if
/// it is not beneath.
pub fn beneath<'a>(root: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let root = if root == b"/" { b"" } else { root };
    let rest = path.strip_prefix(root)?;
    if rest == b"/" {
        return Some(b"");
    }
    // A path that leads out of its cgroup namespace leads out of the mount too.
    let is_beneath = rest.is_empty() || rest.starts_with(b"/") && !rest.starts_with(b"/..");
    is_beneath.then_some(rest)
}

/// Writes a field of mountinfo to `room`, without its escapes: `\040` is a space.
pub fn unescape(field: &[u8], room: &mut Buffer<PATH_MAX>) {
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
    use crate::sys::Buffer;

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
