//! The pin: stops the command and its descendants from resetting their score.
//!
//! Programs that set their own score open the file so that it is truncated: creat(2),
//! a shell's `>`, every language's way to write a file. Landlock has a right for just
//! that. A ruleset that grants it beneath every entry of the root but /proc leaves
//! other files as they were.

mod entries;
mod landlock;

pub use entries::names;
pub use landlock::{ABI_MIN, abi};

use core::fmt;
use core::mem::ManuallyDrop;

use libc::{E2BIG, EINTR, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM};

use crate::sys::{self, CAP_SYS_ADMIN, Errno, File, OFlags, ThinCStr};
use landlock::Ruleset;

/// Why the score cannot be pinned.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum PinError {
    /// The kernel makes no such ruleset.
    Ruleset(Errno),
    /// The entries of `/` cannot be read.
    Root(Errno),
    /// An entry of `/` cannot be opened or granted, and the fault is not the entry's.
    Entry(Errno),
    /// No entry of `/` can be opened.
    NoEntry,
    /// The kernel refuses no_new_privs.
    NoNewPrivs(Errno),
    /// The kernel refuses to enforce the ruleset.
    Restrict(Errno),
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ruleset(errno) => write!(f, "cannot make a ruleset: {errno}"),
            Self::Root(errno) => write!(f, "cannot read '/': {errno}"),
            Self::Entry(errno) => write!(f, "cannot grant an entry of '/': {errno}"),
            Self::NoEntry => f.write_str("cannot open any entry of '/'"),
            Self::NoNewPrivs(errno) => write!(f, "cannot set no_new_privs: {errno}"),
            Self::Restrict(Errno(E2BIG)) => f.write_str("all 16 layers of Landlock are in use"),
            Self::Restrict(errno) => write!(f, "cannot enforce the ruleset: {errno}"),
        }
    }
}

/// Pins the score, for this process and its descendants, for good.
///
/// # Errors
///
/// Any failure is one of the whole: under a ruleset that lacks an entry the command
/// could truncate nothing there. Nothing is pinned then.
#[cold]
#[inline(never)]
pub fn pin() -> Result<(), PinError> {
    enforce(&ruleset()?)
}

fn ruleset() -> Result<Ruleset, PinError> {
    let ruleset = Ruleset::new().map_err(PinError::Ruleset)?;
    let flags = OFlags::RDONLY.union(OFlags::DIRECTORY);
    let root = File::open(c"/".into(), flags).map_err(PinError::Root)?;
    let root = ManuallyDrop::new(root); // the exec closes it
    let mut granted = 0_usize;
    // Room for a few dozen entries at a time, and for one of any name.
    let mut entries = [0; 2048];
    loop {
        let len = root.read_entries(&mut entries).map_err(PinError::Root)?;
        if len == 0 {
            break;
        }
        for name in names(entries.get(..len).unwrap_or_default()) {
            if matches!(name.to_bytes(), b"." | b".." | b"proc") {
                continue;
            }
            match open_entry(&root, name) {
                Ok(entry) => ruleset.grant(&entry).map_err(PinError::Entry)?,
                Err(errno) if is_callers_fault(errno) => return Err(PinError::Entry(errno)),
                // A caller that may not open the entry cannot truncate beneath it
                // either.
                Err(_) => continue,
            }
            granted += 1;
        }
    }
    if granted == 0 {
        return Err(PinError::NoEntry);
    }
    Ok(ruleset)
}

/// Opens an entry of the root itself: a symbolic link leads beneath another entry, or
/// into /proc.
fn open_entry(root: &File, name: ThinCStr<'_>) -> Result<File, Errno> {
    root.open_beneath(name, OFlags::PATH.union(OFlags::NOFOLLOW))
}

/// Whether openat(2) fails so because of the caller, its limits or its seccomp filter,
/// rather than because of the file.
fn is_callers_fault(errno: Errno) -> bool {
    matches!(
        errno.0,
        E2BIG | EINTR | EINVAL | EMFILE | ENFILE | ENOMEM | ENOSYS | EPERM
    )
}

/// Restricts this process; sets no_new_privs only if the kernel asks for it.
fn enforce(ruleset: &Ruleset) -> Result<(), PinError> {
    match ruleset.restrict_self() {
        // The kernel does not ask a caller with the capability: then the EPERM is that
        // of a seccomp filter.
        Err(Errno(EPERM)) if !sys::has_capability(CAP_SYS_ADMIN) => {
            sys::set_no_new_privs().map_err(PinError::NoNewPrivs)?;
            ruleset.restrict_self()
        }
        result => result,
    }
    .map_err(PinError::Restrict)
}
