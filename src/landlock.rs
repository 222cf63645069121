//! The three calls of Landlock (landlock(7), linux/landlock.h), with the right that
//! [`crate::pin`] is about.

use core::ffi::c_int;
use core::mem::ManuallyDrop;

use libc::EINVAL;
use rustix::fd::{AsFd, AsRawFd};

use crate::arch;
use crate::kernel::File;

/// To shorten a file that is there: with open(2) and `O_TRUNC`, with creat(2),
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

/// A ruleset in the making: what it does not allow will be refused. The exec closes
/// it.
pub struct Ruleset(ManuallyDrop<File>);

impl Ruleset {
    /// A ruleset that refuses every truncation, closed on exec. EINVAL where the
    /// kernel's Landlock does not know the right.
    pub fn new() -> Result<Self, c_int> {
        let attr = RulesetAttr {
            handled_access_fs: LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_REFER,
        };
        // SAFETY: the structure is alive, and of the size that is said.
        let result = unsafe {
            arch::syscall3(
                libc::SYS_landlock_create_ruleset,
                &raw const attr as usize,
                size_of_val(&attr),
                0,
            )
        };
        // SAFETY: the kernel has just made the descriptor.
        unsafe { File::from_result(result) }.map(|file| Self(ManuallyDrop::new(file)))
    }

    /// Allows truncation of `entry` and of what is beneath it, and leaves moves there
    /// as they were.
    pub fn allow(&self, entry: &File) -> Result<(), c_int> {
        let both = LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_REFER;
        match self.add_rule(entry, both) {
            // What is no directory has nothing to move.
            Err(EINVAL) => self.add_rule(entry, LANDLOCK_ACCESS_FS_TRUNCATE),
            result => result,
        }
    }

    #[inline(never)]
    fn add_rule(&self, entry: &File, allowed_access: u64) -> Result<(), c_int> {
        let attr = PathBeneathAttr {
            allowed_access,
            parent_fd: entry.as_fd().as_raw_fd(),
        };
        // SAFETY: the structure is alive, and the one of this type of rule.
        let result = unsafe {
            arch::syscall4(
                libc::SYS_landlock_add_rule,
                self.fd(),
                LANDLOCK_RULE_PATH_BENEATH,
                &raw const attr as usize,
                0,
            )
        };
        arch::check(result).map(drop)
    }

    /// Puts this process, and all that comes of it, under the ruleset: for good.
    /// EPERM without either CAP_SYS_ADMIN or no_new_privs.
    pub fn restrict_self(&self) -> Result<(), c_int> {
        // SAFETY: the call takes no pointer.
        let result = unsafe { arch::syscall3(libc::SYS_landlock_restrict_self, self.fd(), 0, 0) };
        arch::check(result).map(drop)
    }

    fn fd(&self) -> usize {
        self.0.as_fd().as_raw_fd() as usize
    }
}

/// The ABI of the kernel's Landlock. ENOSYS where the kernel has none, EOPNOTSUPP
/// where it was not turned on at boot.
pub fn abi() -> Result<c_int, c_int> {
    // SAFETY: asked for its version, the call takes no structure.
    let result = unsafe {
        arch::syscall3(
            libc::SYS_landlock_create_ruleset,
            0,
            0,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    arch::check(result).map(|abi| abi as c_int)
}
