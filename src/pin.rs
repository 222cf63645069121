//! The pin: a score that the command, and all that comes of it, does not take back
//! by habit.
//!
//! Programs that set their own score open the file so that it is truncated:
//! creat(2), a shell's `>`, every language's way to write a file. Landlock has a
//! right for just that. A ruleset that grants it beneath every entry of the root but
//! /proc leaves other files as they were.

use core::ffi::c_int;
use core::mem::ManuallyDrop;

use libc::{E2BIG, EINTR, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM};
use oomexec::c_text::CText;
use oomexec::dirent;
use rustix::fs::OFlags;

use crate::kernel::{self, CAP_SYS_ADMIN, File};
use crate::landlock::Ruleset;

/// Pins the score, if that can be done; the command runs whatever becomes of it,
/// so that nothing is said about a failure.
#[cold]
#[inline(never)]
pub fn pin() {
    let _ = ruleset().and_then(|ruleset| enforce(&ruleset));
}

/// Any failure is one of the whole: under a ruleset that lacks an entry the
/// command could truncate nothing there.
fn ruleset() -> Result<Ruleset, c_int> {
    let ruleset = Ruleset::new()?;
    let root = kernel::open(c"/".into(), OFlags::RDONLY.union(OFlags::DIRECTORY))?;
    let root = ManuallyDrop::new(root); // the exec closes it
    let mut allowed = 0_usize;
    // Room for a few dozen entries at a time, and for one of any name.
    let mut entries = [0; 2048];
    loop {
        let len = kernel::read_dir(&root, &mut entries)? as usize;
        if len == 0 {
            break;
        }
        for name in dirent::names(entries.get(..len).unwrap_or_default()) {
            if matches!(name.to_bytes(), b"." | b".." | b"proc") {
                continue;
            }
            match entry(&root, name) {
                Ok(entry) => ruleset.allow(&entry)?,
                Err(errno) if is_callers(errno) => return Err(errno),
                // Whom the kernel does not let at the entry cannot truncate
                // beneath it either.
                Err(_) => continue,
            }
            allowed += 1;
        }
    }
    // A root of which nothing can be opened: it is not the entries' fault.
    if allowed == 0 {
        return Err(EPERM);
    }
    Ok(ruleset)
}

/// An entry of the root, as it stands there: what a symbolic link leads to is
/// beneath another one, or in /proc.
fn entry(root: &File, name: CText<'_>) -> Result<File, c_int> {
    kernel::open_in(root, name, OFlags::PATH.union(OFlags::NOFOLLOW))
}

/// Whether an errno of open(2) tells of the caller, its limits or its seccomp
/// filter, rather than of the file.
fn is_callers(errno: c_int) -> bool {
    matches!(
        errno,
        E2BIG | EINTR | EINVAL | EMFILE | ENFILE | ENOMEM | ENOSYS | EPERM
    )
}

/// Restricts this process; no_new_privs is set where the kernel asks for it, and
/// only there.
fn enforce(ruleset: &Ruleset) -> Result<(), c_int> {
    match ruleset.restrict_self() {
        // Of a caller with the capability the kernel asks for nothing: that EPERM
        // is a seccomp filter's.
        Err(EPERM) if !kernel::has_capability(CAP_SYS_ADMIN) => {
            kernel::set_no_new_privs()?;
            ruleset.restrict_self()
        }
        result => result,
    }
}
