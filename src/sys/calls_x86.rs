//! The calls of `calls.rs` for 32-bit x86, by [`syscall`]: see the table in
//! [`crate::sys`].

use core::ffi::{CStr, c_long};
use core::mem::MaybeUninit;

use rustix::fd::{AsRawFd, BorrowedFd, RawFd};

use super::{Errno, Pid, syscall};

/// Reads once (read(2)); returns how many bytes.
pub fn read(fd: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<usize, Errno> {
    let args = [bytes.as_mut_ptr() as usize, bytes.len()];
    // SAFETY: the pointer and the length are those of a live, exclusive slice.
    unsafe { on_file(libc::SYS_read, fd, args) }
}

/// Writes once (write(2)); returns how many bytes.
pub fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    let args = [bytes.as_ptr() as usize, bytes.len()];
    // SAFETY: the pointer and the length are those of a live slice.
    unsafe { on_file(libc::SYS_write, fd, args) }
}

/// Moves to an offset from the file's beginning (lseek(2)).
pub fn seek(fd: BorrowedFd<'_>, offset: u64) -> Result<(), Errno> {
    let offset = i32::try_from(offset).map_err(|_| Errno(libc::EOVERFLOW))?;
    let args = [offset as usize, libc::SEEK_SET as usize];
    // SAFETY: the call takes no pointer.
    unsafe { on_file(libc::SYS_lseek, fd, args) }.map(drop)
}

/// Closes a descriptor (close(2)).
///
/// # Safety
///
/// Nothing uses the descriptor any more.
pub unsafe fn close(fd: RawFd) {
    // SAFETY: the call takes no pointer, and the caller vouches for the rest.
    let _ = unsafe { syscall(libc::SYS_close, [fd as usize, 0, 0, 0, 0]) };
}

/// Reads what a symbolic link leads to (readlink(2)), as much as fits.
pub fn read_link<'a>(path: &CStr, bytes: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    let room = [bytes.as_mut_ptr() as usize, bytes.len()];
    // SAFETY: the path is a C string, and the room that of a live, exclusive slice.
    let len = unsafe {
        syscall(
            libc::SYS_readlink,
            [path.as_ptr() as usize, room[0], room[1], 0, 0],
        )
    }?;
    Ok(bytes.get(..len).unwrap_or_default())
}

/// Returns this process's id (getpid(2)).
pub fn getpid() -> Pid {
    // SAFETY: the call takes nothing.
    unsafe { syscall(libc::SYS_getpid, [0; 5]) }.map_or(0, |pid| pid as Pid)
}

/// Returns the parent's process id (getppid(2)); 0 if the parent is outside of
/// this pid namespace.
pub fn getppid() -> Pid {
    // SAFETY: the call takes nothing.
    unsafe { syscall(libc::SYS_getppid, [0; 5]) }.map_or(0, |pid| pid as Pid)
}

/// Whether this process owns its files in /proc (PR_GET_DUMPABLE of prctl(2)): not
/// if its user may not read its executable.
pub fn is_dumpable() -> bool {
    let args = [libc::PR_GET_DUMPABLE as usize, 0, 0, 0, 0];
    // SAFETY: this prctl takes no pointer.
    let dumpable = unsafe { syscall(libc::SYS_prctl, args) };
    dumpable == Ok(1)
}

/// Sets no_new_privs (prctl(2)): from here on no exec gains a privilege.
pub fn set_no_new_privs() -> Result<(), Errno> {
    let args = [libc::PR_SET_NO_NEW_PRIVS as usize, 1, 0, 0, 0];
    // SAFETY: this prctl takes no pointer.
    unsafe { syscall(libc::SYS_prctl, args) }.map(drop)
}

/// Whether this process has a capability in effect (capget(2)); `false` if the
/// kernel does not say.
pub fn has_capability(capability: u32) -> bool {
    const _LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;
    let header = [_LINUX_CAPABILITY_VERSION_3, 0];
    // Twice effective, permitted and inheritable: the low halves, then the high.
    let mut sets = [0_u32; 6];
    let args = [&raw const header as usize, &raw mut sets as usize, 0, 0, 0];
    // SAFETY: both are alive, and of the sizes that the version has.
    let result = unsafe { syscall(libc::SYS_capget, args) };
    let [effective, ..] = sets;
    result.is_ok() && effective >> capability & 1 == 1
}

/// Returns the host's memory and swap, in bytes (sysinfo(2)).
pub fn host_memory() -> u64 {
    let mut info = MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: the structure is the one that the call fills in.
    let _ = unsafe { syscall(libc::SYS_sysinfo, [info.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    // SAFETY: it consists of integers, and is zero if the call failed.
    let info = unsafe { info.assume_init() };
    let units = u64::from(info.totalram).saturating_add(info.totalswap.into());
    units.saturating_mul(info.mem_unit.into())
}

/// Makes a call whose first argument is a descriptor.
///
/// # Safety
///
/// As the call that `number` names.
unsafe fn on_file(number: c_long, fd: BorrowedFd<'_>, args: [usize; 2]) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for it.
    unsafe { syscall(number, [fd.as_raw_fd() as usize, args[0], args[1], 0, 0]) }
}
