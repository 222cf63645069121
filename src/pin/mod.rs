//! The pin: stops the command and its descendants from resetting their score.
//!
//! A Landlock ruleset refuses them a way to open files, and grants it beneath every entry
//! of the root but /proc: so other files stay as they were. Which way, the [`Strength`]
//! says.

mod entries;
mod landlock;

pub use entries::{Entry, Kind, entries};
pub use landlock::{ABI_MIN, abi};

use core::fmt;
use core::mem::{self, MaybeUninit};

use libc::{E2BIG, EINTR, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM};

use crate::sys::{self, CAP_SYS_ADMIN, Errno, File, OFlags, ThinCStr};
use landlock::Ruleset;

/// What the pin refuses in /proc.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Strength {
    /// Truncation: so creat(2), a shell's `>`, and every language's way to write a file.
    /// Chromium sets its scores so, and its sandbox needs none of it.
    Truncate,
    /// Every open for writing: so a score cannot be set in any way.
    Write,
}

/// The option that asks for it.
impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncate => "--pin",
            Self::Write => "--pin=write",
        })
    }
}

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
pub fn pin(strength: Strength) -> Result<(), PinError> {
    enforce(&ruleset(strength)?)
}

/// What a root directory has and the pin does not grant.
const LEFT_OUT: [ThinCStr<'_>; 3] = [
    ThinCStr::from_c_str(c"."),
    ThinCStr::from_c_str(c".."),
    ThinCStr::from_c_str(c"proc"),
];

fn ruleset(strength: Strength) -> Result<Ruleset, PinError> {
    let ruleset = Ruleset::new(strength).map_err(PinError::Ruleset)?;
    let flags = OFlags::RDONLY.union(OFlags::DIRECTORY);
    let root = File::open(c"/".into(), flags).map_err(PinError::Root)?;
    let mut has_entry = false;
    // The entry that was opened last. The exec closes those before it.
    let mut last = None;
    // Room for a few dozen entries at a time, and for one of any name.
    let mut room = [MaybeUninit::uninit(); 1024];
    loop {
        let bytes = root.read_entries(&mut room).map_err(PinError::Root)?;
        if bytes.is_empty() {
            break;
        }
        for Entry { kind, name } in entries(bytes) {
            // A symbolic link leads beneath another entry, or into /proc.
            if kind == Kind::Link || LEFT_OUT.contains(&name) {
                continue;
            }
            let mut entry = open_entry(&root, name);
            if matches!(entry, Err(Errno(EMFILE | ENFILE))) {
                // Once more without the last one.
                drop(last.take());
                entry = open_entry(&root, name);
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(errno) if is_callers_fault(errno) => return Err(PinError::Entry(errno)),
                // A caller that may not open the entry cannot write beneath it either.
                Err(_) => continue,
            };
            match kind {
                Kind::File => ruleset.grant_file(&entry),
                _ => ruleset.grant_beneath(&entry),
            }
            .map_err(PinError::Entry)?;
            has_entry = true;
            mem::forget(last.replace(entry));
        }
    }
    if !has_entry {
        return Err(PinError::NoEntry);
    }
    Ok(ruleset)
}

/// Opens an entry of the root, and of a symbolic link the link.
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
