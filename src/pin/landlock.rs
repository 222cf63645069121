//! The three calls of Landlock (landlock(7), linux/landlock.h), with the rights that the
//! pin refuses.

use core::ffi::c_int;
use core::mem::ManuallyDrop;

use libc::EINVAL;

use super::Strength;
use crate::sys::{Errno, File, syscall};

/// The first ABI that knows truncation (landlock(7)): Linux 6.2.
pub const ABI_MIN: usize = 3;

/// To open a file for writing.
const LANDLOCK_ACCESS_FS_WRITE_FILE: u64 = 1 << 1;

/// To shorten an existing file: with open(2) and `O_TRUNC`, with creat(2),
/// with truncate(2).
const LANDLOCK_ACCESS_FS_TRUNCATE: u64 = 1 << 14;

/// To move or link a file to another directory. Every ruleset takes this one away,
/// whether it handles it or not, unless a rule gives it back: without that rename(2)
/// and link(2) would say EXDEV.
const LANDLOCK_ACCESS_FS_REFER: u64 = 1 << 13;

const LANDLOCK_CREATE_RULESET_VERSION: usize = 1;
const LANDLOCK_RULE_PATH_BENEATH: usize = 1;

/// `struct landlock_ruleset_attr`, as far as the first ABI had it: the kernel
/// takes the rest for zeros.
#[repr(C)]
struct RulesetAttr {
    handled_access_fs: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneathAttr {
    allowed_access: u64,
    parent_fd: c_int,
}

/// A ruleset in the making: it refuses what no rule grants. The exec closes it.
pub struct Ruleset {
    fd: ManuallyDrop<File>,
    /// What it refuses of a file. Of a directory it refuses moves as well.
    rights: u64,
}

impl Ruleset {
    /// Returns a ruleset that refuses everywhere what this strength refuses in /proc.
    ///
    /// # Errors
    ///
    /// Those of landlock_create_ruleset(2); EINVAL below [`ABI_MIN`].
    pub fn new(strength: Strength) -> Result<Self, Errno> {
        let rights = match strength {
            Strength::Truncate => LANDLOCK_ACCESS_FS_TRUNCATE,
            Strength::Write => LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE,
        };
        let attr = RulesetAttr {
            handled_access_fs: rights | LANDLOCK_ACCESS_FS_REFER,
        };
        let args = [&raw const attr as usize, size_of_val(&attr), 0, 0, 0];
        // SAFETY: the structure is alive, and has the size that is said; the
        // descriptor is a new one.
        unsafe {
            let fd = syscall(libc::SYS_landlock_create_ruleset, args)?;
            let fd = ManuallyDrop::new(File::from_raw(fd));
            Ok(Self { fd, rights })
        }
    }

    /// Grants all of it in a file.
    ///
    /// # Errors
    ///
    /// Those of landlock_add_rule(2).
    pub fn grant_file(&self, file: &File) -> Result<(), Errno> {
        self.add_rule(file, self.rights)
    }

    /// Grants all of it beneath a directory; in a file if it is one.
    ///
    /// # Errors
    ///
    /// Those of landlock_add_rule(2).
    pub fn grant_beneath(&self, entry: &File) -> Result<(), Errno> {
        match self.add_rule(entry, self.rights | LANDLOCK_ACCESS_FS_REFER) {
            // A file has nothing to move.
            Err(Errno(EINVAL)) => self.grant_file(entry),
            result => result,
        }
    }

    fn add_rule(&self, entry: &File, allowed_access: u64) -> Result<(), Errno> {
        let attr = PathBeneathAttr {
            allowed_access,
            parent_fd: entry.as_raw() as c_int,
        };
        let args = [
            self.fd.as_raw(),
            LANDLOCK_RULE_PATH_BENEATH,
            &raw const attr as usize,
            0,
            0,
        ];
        // SAFETY: the structure is alive, and the one of this type of rule.
        unsafe { syscall(libc::SYS_landlock_add_rule, args) }.map(drop)
    }

    /// Restricts this process and its descendants, for good.
    ///
    /// # Errors
    ///
    /// Those of landlock_restrict_self(2); EPERM without either CAP_SYS_ADMIN or
    /// no_new_privs; E2BIG above 16 rulesets.
    pub fn restrict_self(&self) -> Result<(), Errno> {
        let args = [self.fd.as_raw(), 0, 0, 0, 0];
        // SAFETY: the call takes no pointer.
        unsafe { syscall(libc::SYS_landlock_restrict_self, args) }.map(drop)
    }
}

/// Returns the ABI of the kernel's Landlock.
///
/// # Errors
///
/// ENOSYS if the kernel has none, EOPNOTSUPP if it was not turned on at boot.
pub fn abi() -> Result<usize, Errno> {
    let args = [0, 0, LANDLOCK_CREATE_RULESET_VERSION, 0, 0];
    // SAFETY: asked for its version, the call takes no structure.
    unsafe { syscall(libc::SYS_landlock_create_ruleset, args) }
}
