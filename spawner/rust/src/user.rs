//! Tells what a user may execute, by the permission bits: std has no access(2), and no
//! process can ask it for another user.
//!
//! Access control lists and `noexec` mounts are not looked at.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

const CAP_DAC_OVERRIDE: u32 = 1;
/// The kernel's limit (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The ids that the kernel compares with a file's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct User {
    uid: u32,
    /// The first is the primary group.
    groups: Vec<u32>,
    /// Whether it has CAP_DAC_OVERRIDE.
    overrides: bool,
}

impl User {
    /// Returns the gateway's own user; `None` if there is no /proc.
    pub(crate) fn own() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/status").ok()?)
    }

    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        // Real, effective, saved, and the one for access to files.
        let last = |name: &str| field(name)?.split_ascii_whitespace().last()?.parse().ok();
        let capabilities = u64::from_str_radix(field("CapEff:")?.trim(), 16).ok()?;
        let others = field("Groups:")?.split_ascii_whitespace();
        let others = others.filter_map(|group| group.parse().ok());
        Some(Self {
            uid: last("Uid:")?,
            groups: [last("Gid:")?].into_iter().chain(others).collect(),
            overrides: capabilities >> CAP_DAC_OVERRIDE & 1 == 1,
        })
    }

    /// Returns the user of a child for which [`Command`](std::process::Command) sets these ids.
    pub(crate) fn of_child(self, uid: Option<u32>, gid: Option<u32>) -> Self {
        let (mut groups, mut overrides) = (self.groups, self.overrides);
        if let Some(uid) = uid {
            // std drops root's other groups; to become another user drops its capabilities.
            if self.uid == 0 {
                groups.truncate(1);
            }
            overrides &= uid == 0;
        }
        if let Some(gid) = gid {
            groups[0] = gid;
        }
        let uid = uid.unwrap_or(self.uid);
        Self {
            uid,
            groups,
            overrides,
        }
    }

    pub(crate) fn is(&self, uid: u32) -> bool {
        self.uid == uid
    }

    /// Whether the user can execute the file, and so search each directory on the way to it.
    pub(crate) fn can_execute(&self, file: &Path) -> bool {
        let seen = self.resolve(file).map(fs::metadata);
        matches!(seen, Some(Ok(file)) if file.is_file() && self.may_execute(&file))
    }

    /// Follows an absolute path and its symbolic links, as the kernel does for the user.
    fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let names = |path: &Path| -> Vec<OsString> {
            let parts = path.components().rev();
            parts.map(|part| part.as_os_str().to_owned()).collect()
        };
        let mut at = PathBuf::from("/");
        let (mut rest, mut links) = (names(path), 0);
        while let Some(name) = rest.pop() {
            if !self.may_execute(&fs::metadata(&at).ok()?) {
                return None;
            }
            if name == *Component::ParentDir.as_os_str() {
                at.pop();
                continue;
            }
            // An absolute name, that of the root, replaces the rest.
            at.push(name);
            if let Ok(target) = fs::read_link(&at) {
                links += 1;
                if links > MOST_LINKS {
                    return None;
                }
                at.pop();
                rest.extend(names(&target));
            }
        }
        Some(at)
    }

    /// Whether the user may execute the file, or search the directory.
    fn may_execute(&self, metadata: &Metadata) -> bool {
        let mode = metadata.mode();
        let anybody = metadata.is_dir() || mode & 0o111 != 0;
        let bit = if self.is(metadata.uid()) {
            0o100
        } else if self.groups.contains(&metadata.gid()) {
            0o010
        } else {
            0o001
        };
        mode & bit != 0 || self.overrides && anybody
    }
}

/// Whether the gateway may execute the file, or search the directory.
pub(crate) fn may_execute(metadata: &Metadata) -> bool {
    // Mostly all may, and /proc/self/status need not be read.
    metadata.mode() & 0o111 == 0o111
        || match User::own() {
            Some(own) => own.may_execute(metadata),
            None => metadata.mode() & 0o111 != 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const STATUS: &str = "Name:\tgateway\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n\
        Groups:\t9 10 \nCapEff:\t0000000000000002\n";

    fn user(uid: u32, groups: &[u32], overrides: bool) -> User {
        User {
            uid,
            groups: groups.to_vec(),
            overrides,
        }
    }

    #[test]
    fn the_ids_are_those_for_access_to_files() {
        assert_eq!(User::parse(STATUS), Some(user(4, &[8, 9, 10], true)));
        let without = STATUS.replace("0002", "0004");
        assert_eq!(User::parse(&without), Some(user(4, &[8, 9, 10], false)));
        assert!(User::own().is_some());
    }

    #[test]
    fn a_child_of_root_that_becomes_another_user_keeps_neither_groups_nor_capabilities() {
        let root = || user(0, &[0, 4], true);
        assert_eq!(root().of_child(Some(7), None), user(7, &[0], false));
        assert_eq!(root().of_child(Some(7), Some(8)), user(7, &[8], false));
        assert_eq!(root().of_child(None, Some(8)), user(0, &[8, 4], true));
        assert_eq!(root().of_child(Some(0), None), user(0, &[0], true));
        let other = user(1, &[2, 3], false);
        assert_eq!(other.of_child(None, None), user(1, &[2, 3], false));
    }

    /// A directory `a` with a file, and `link/file`, a way to it by two symbolic links.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let temporary = fs::canonicalize(std::env::temp_dir()).expect("a directory");
            let place = temporary.join(format!("oomexec-user-{name}-{}", std::process::id()));
            for directory in ["a/b", "links"] {
                fs::create_dir_all(place.join(directory)).expect("a directory");
            }
            fs::write(place.join("a/b/file"), "").expect("a file");
            symlink("../a", place.join("links/relative")).expect("a link");
            symlink(place.join("links/relative/b/../b"), place.join("link")).expect("a link");
            symlink("loop", place.join("loop")).expect("a link");
            let place = Self(place);
            for file in ["", "a", "a/b", "a/b/file", "links"] {
                place.set(file, 0o755);
            }
            place
        }

        fn set(&self, file: &str, mode: u32) {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(self.0.join(file), mode).expect("its mode is set");
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_file_and_each_directory_on_the_way_must_let_the_user() {
        let place = Place::new("way");
        let owned = fs::metadata(&place.0).expect("it is there");
        let (owner, group) = (owned.uid(), owned.gid());
        let stranger = user(owner + 1, &[group + 1], false);
        let [plain, linked] = ["a/b/file", "link/file"].map(|file| place.0.join(file));
        for file in [&plain, &linked] {
            assert!(stranger.can_execute(file), "{file:?}");
        }
        for locked in ["", "a", "a/b", "a/b/file"] {
            place.set(locked, 0o750);
            for file in [&plain, &linked] {
                assert!(!stranger.can_execute(file), "{locked}, {file:?}");
                for member in [&[group][..], &[group + 1, group]] {
                    assert!(user(owner + 1, member, false).can_execute(file));
                }
                assert!(user(owner, &[group + 1], false).can_execute(file));
            }
            place.set(locked, 0o755);
        }
        // Only one of the two ways leads through it.
        place.set("links", 0o750);
        assert!(stranger.can_execute(&plain) && !stranger.can_execute(&linked));
    }

    #[test]
    fn the_bits_of_the_owner_and_of_the_group_go_before_those_of_others() {
        let place = Place::new("bits");
        let owned = fs::metadata(&place.0).expect("it is there");
        let (owner, group) = (owned.uid(), owned.gid());
        let file = place.0.join("a/b/file");
        place.set("a/b/file", 0o011);
        assert!(!user(owner, &[group], false).can_execute(&file));
        place.set("a/b/file", 0o701);
        assert!(!user(owner + 1, &[group], false).can_execute(&file));
    }

    #[test]
    fn capabilities_override_all_but_a_file_that_nobody_may_execute() {
        let place = Place::new("root");
        let owner = fs::metadata(&place.0).expect("it is there").uid();
        let able = user(owner + 1, &[], true);
        let file = place.0.join("link/file");
        place.set("a/b/file", 0o100);
        assert!(able.can_execute(&file));
        place.set("a", 0);
        // Without the capability, whoever runs this test has no way through either.
        if fs::metadata(&file).is_ok() {
            assert!(able.can_execute(&file));
        }
        place.set("a", 0o755);
        place.set("a/b/file", 0o644);
        assert!(!able.can_execute(&file));
    }

    #[test]
    fn what_is_no_file_cannot_be_executed() {
        let place = Place::new("none");
        let own = User::own().expect("there is a /proc");
        for path in ["a", "gone", "gone/file", "a/b/file/x", "loop"] {
            assert!(!own.can_execute(&place.0.join(path)), "{path}");
        }
    }
}
