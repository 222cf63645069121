//! The calls that rustix offers without a panic path. `calls_x86.rs` has the same
//! names.

use core::ffi::CStr;

use rustix::fd::{BorrowedFd, RawFd};
use rustix::fs::SeekFrom;
use rustix::process::{DumpableBehavior, Pid as RustixPid};
use rustix::thread::CapabilitySet;

use super::{Errno, Pid};

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Self {
        Self(errno.raw_os_error())
    }
}

/// Reads once (read(2)); returns how many bytes.
pub fn read(fd: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<usize, Errno> {
    Ok(rustix::io::read(fd, bytes)?)
}

/// Writes once (write(2)); returns how many bytes.
pub fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    Ok(rustix::io::write(fd, bytes)?)
}

/// Moves to an offset from the file's beginning (lseek(2)).
pub fn seek(fd: BorrowedFd<'_>, offset: u64) -> Result<(), Errno> {
    rustix::fs::seek(fd, SeekFrom::Start(offset))?;
    Ok(())
}

/// Closes a descriptor (close(2)).
///
/// # Safety
///
/// Nothing uses the descriptor any more.
pub unsafe fn close(fd: RawFd) {
    // SAFETY: the caller vouches for it.
    unsafe { rustix::io::close(fd) };
}

/// Reads what a symbolic link leads to (readlinkat(2)), as much as fits.
pub fn read_link<'a>(path: &CStr, bytes: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    let len = rustix::fs::readlinkat_raw(rustix::fs::CWD, path, &mut *bytes)?;
    Ok(bytes.get(..len).unwrap_or_default())
}

/// Returns this process's id (getpid(2)).
pub fn getpid() -> Pid {
    RustixPid::as_raw(Some(rustix::process::getpid()))
}

/// Returns the parent's process id (getppid(2)); 0 if the parent is outside of
/// this pid namespace.
pub fn getppid() -> Pid {
    RustixPid::as_raw(rustix::process::getppid())
}

/// Whether this process owns its files in /proc (PR_GET_DUMPABLE of prctl(2)): not
/// if its user may not read its executable.
pub fn is_dumpable() -> bool {
    matches!(
        rustix::process::dumpable_behavior(),
        Ok(DumpableBehavior::Dumpable)
    )
}

/// Sets no_new_privs (prctl(2)): from here on no exec gains a privilege.
pub fn set_no_new_privs() -> Result<(), Errno> {
    Ok(rustix::thread::set_no_new_privs(true)?)
}

/// Whether this process has a capability in effect (capget(2)); `false` if the
/// kernel does not say.
pub fn has_capability(capability: u32) -> bool {
    let capability = CapabilitySet::from_bits_retain(1 << capability);
    rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(capability))
}

/// Returns the host's memory and swap, in bytes (sysinfo(2)).
pub fn host_memory() -> u64 {
    let info = rustix::system::sysinfo();
    // 32 bits wide on some machines, and 64 on others.
    #[allow(clippy::useless_conversion)]
    let units = u64::from(info.totalram).saturating_add(info.totalswap.into());
    units.saturating_mul(info.mem_unit.into())
}
