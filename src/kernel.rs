//! The calls on files, and on the own process: rustix's, where that can make them
//! here. Errors are the errno; lengths are those of a buffer of this program, of a
//! few pages at most.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use oomexec::c_text::CText;
use oomexec::lines::Lines;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use rustix::fs::OFlags;

use crate::arch;

#[cfg(target_arch = "x86")]
use self::interrupt::close;
#[cfg(target_arch = "x86")]
pub use self::interrupt::{read, seek, write};
#[cfg(not(target_arch = "x86"))]
use self::of_rustix::close;
#[cfg(not(target_arch = "x86"))]
pub use self::of_rustix::{read, seek, write};

/// An open file, closed when dropped.
///
/// Why not rustix's `open` and its `OwnedFd`: both assert, the second each time
/// it is borrowed, that the descriptor is not -1. Of a number that came from the
/// kernel or through a function's result the compiler cannot know that, so that
/// a panic path would stay, and this program has none.
pub struct File(BorrowedFd<'static>);

/// What is there from the start; where it is closed, a write fails.
// SAFETY: the descriptors are never closed by this program, nor taken by a file of
// its own: those that it opens are closed, or it does not write any more.
pub static STDOUT: File = File(unsafe { BorrowedFd::borrow_raw(1) });
/// See [`STDOUT`].
// SAFETY: the same.
pub static STDERR: File = File(unsafe { BorrowedFd::borrow_raw(2) });

impl File {
    /// The file that a system call has opened, or its errno.
    ///
    /// # Safety
    ///
    /// `result` is what a call returned that makes a descriptor, and nothing else
    /// closes that.
    pub unsafe fn from_result(result: isize) -> Result<Self, c_int> {
        match c_int::try_from(result) {
            // SAFETY: the descriptor is this caller's, and stays open until the
            // `File` is dropped.
            Ok(fd) if fd >= 0 => Ok(Self(unsafe { BorrowedFd::borrow_raw(fd) })),
            _ => Err(arch::errno(result)),
        }
    }
}

/// Opens a file that exists, closed on exec (openat(2)).
///
/// # Errors
///
/// What openat(2) says.
pub fn open(path: CText<'_>, flags: OFlags) -> Result<File, c_int> {
    openat(libc::AT_FDCWD, path, flags)
}

/// The same, from a directory on.
pub fn open_in(dir: &File, path: CText<'_>, flags: OFlags) -> Result<File, c_int> {
    openat(dir.0.as_raw_fd(), path, flags)
}

fn openat(dir: RawFd, path: CText<'_>, flags: OFlags) -> Result<File, c_int> {
    let flags = flags.union(OFlags::CLOEXEC);
    // SAFETY: the path is a C string, which the kernel only reads. Without
    // O_CREAT there is no fourth argument. The descriptor is a new one.
    unsafe {
        let result = arch::syscall3(
            libc::SYS_openat,
            dir as usize,
            path.as_ptr() as usize,
            flags.bits() as usize,
        );
        File::from_result(result)
    }
}

/// Reads entries of a directory, as [`oomexec::dirent`] takes them (getdents64(2));
/// how many bytes, 0 at the end.
///
/// # Errors
///
/// What getdents64(2) says.
// rustix's `RawDir` indexes its buffer, which leaves a panic path.
pub fn read_dir(dir: &File, entries: &mut [u8]) -> Result<u32, c_int> {
    // SAFETY: the pointer and the length are those of a live, exclusive slice.
    let result = unsafe {
        arch::syscall3(
            libc::SYS_getdents64,
            dir.0.as_raw_fd() as usize,
            entries.as_mut_ptr() as usize,
            entries.len(),
        )
    };
    arch::check(result)
}

/// Shows each line of a file, as far as it fits into a buffer.
#[inline(never)]
pub fn each_line(file: CText<'_>, show: &mut dyn FnMut(&[u8])) -> Result<(), c_int> {
    let file = open(file, OFlags::RDONLY)?;
    let mut lines = Lines::default();
    let mut bytes = [0; 1024];
    loop {
        let len = read(&file, &mut bytes)? as usize;
        for byte in bytes.get(..len).unwrap_or_default() {
            lines.push(*byte, show);
        }
        if len == 0 {
            // The last line may have no newline.
            lines.push(b'\n', show);
            return Ok(());
        }
    }
}

/// Bits of a capability set (linux/capability.h).
pub const CAP_SYS_ADMIN: u32 = 21;
/// See [`CAP_SYS_ADMIN`].
pub const CAP_SYS_RESOURCE: u32 = 24;

/// Whether this process has a capability (one of the first 32) in effect
/// (capget(2)); where that cannot be learnt, no.
pub fn has_capability(capability: u32) -> bool {
    const _LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;
    let header = [_LINUX_CAPABILITY_VERSION_3, 0];
    // Twice effective, permitted and inheritable: the low halves, then the high.
    let mut sets = [0_u32; 6];
    // SAFETY: both are alive, and of the sizes that the version has.
    let result = unsafe {
        arch::syscall3(
            libc::SYS_capget,
            &raw const header as usize,
            &raw mut sets as usize,
            0,
        )
    };
    let [effective, ..] = sets;
    result == 0 && effective >> capability & 1 == 1
}

/// From here on an exec of this process gains no privilege (PR_SET_NO_NEW_PRIVS
/// of prctl(2)).
pub fn set_no_new_privs() -> Result<(), c_int> {
    const PR_SET_NO_NEW_PRIVS: usize = libc::PR_SET_NO_NEW_PRIVS as usize;
    // SAFETY: this one takes no pointer.
    let result = unsafe { arch::syscall4(libc::SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0) };
    arch::check(result).map(drop)
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        close(self.0.as_raw_fd());
    }
}

/// Whether this process may look into itself through /proc as its own
/// (PR_GET_DUMPABLE of prctl(2)): not so where its user may not read its file.
pub fn is_dumpable() -> bool {
    // SAFETY: this one takes no pointer.
    let result = unsafe { arch::syscall3(libc::SYS_prctl, libc::PR_GET_DUMPABLE as usize, 0, 0) };
    result == 1
}

/// The parent's process id; 0 where it is outside this pid namespace (getppid(2)).
pub fn parent() -> i32 {
    // SAFETY: the call takes nothing.
    unsafe { arch::syscall3(libc::SYS_getppid, 0, 0, 0) as i32 }
}

/// The host's memory and swap, in bytes (sysinfo(2)); 0 if that cannot be learnt.
pub fn host_memory() -> u64 {
    let mut info = MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: the structure is the one that the call fills in.
    unsafe {
        arch::syscall3(libc::SYS_sysinfo, info.as_mut_ptr() as usize, 0, 0);
    }
    // SAFETY: it consists of integers, and is zero where the call left it alone.
    let info = unsafe { info.assume_init() };
    // 32 bits wide on some machines, and 64 on others.
    #[allow(clippy::useless_conversion)]
    let units = u64::from(info.totalram).saturating_add(info.totalswap.into());
    units.saturating_mul(info.mem_unit.into())
}

#[cfg(not(target_arch = "x86"))]
mod of_rustix {
    use core::ffi::c_int;

    use super::File;
    use rustix::fd::RawFd;
    use rustix::fs::SeekFrom;
    use rustix::io::Errno;

    /// Reads once (read(2)); how many bytes.
    pub fn read(file: &File, bytes: &mut [u8]) -> Result<u32, c_int> {
        let len = rustix::io::read(file, bytes).map_err(Errno::raw_os_error)?;
        Ok(len as u32)
    }

    /// Writes once (write(2)); how many bytes.
    pub fn write(file: &File, bytes: &[u8]) -> Result<u32, c_int> {
        let len = rustix::io::write(file, bytes).map_err(Errno::raw_os_error)?;
        Ok(len as u32)
    }

    /// Goes to an offset from the file's beginning (lseek(2)).
    pub fn seek(file: &File, offset: u64) -> Result<(), c_int> {
        rustix::fs::seek(file, SeekFrom::Start(offset))
            .map(drop)
            .map_err(Errno::raw_os_error)
    }

    /// Closes a descriptor that nothing uses any more (close(2)).
    pub fn close(fd: RawFd) {
        // SAFETY: the one caller is the drop of the descriptor's owner.
        unsafe { rustix::io::close(fd) };
    }
}

/// The same for 32-bit x86, where rustix makes its calls through the vDSO: it
/// would first look for that with a call of its own, on the launch path, and
/// keep what it found in a writable segment.
#[cfg(target_arch = "x86")]
mod interrupt {
    use core::ffi::{c_int, c_long};

    use rustix::fd::{AsFd, AsRawFd, RawFd};

    use super::File;
    use crate::arch;

    /// Reads once (read(2)); how many bytes.
    pub fn read(file: &File, bytes: &mut [u8]) -> Result<u32, c_int> {
        call(
            libc::SYS_read,
            raw(file),
            bytes.as_mut_ptr() as usize,
            bytes.len(),
        )
    }

    /// Writes once (write(2)); how many bytes.
    pub fn write(file: &File, bytes: &[u8]) -> Result<u32, c_int> {
        call(
            libc::SYS_write,
            raw(file),
            bytes.as_ptr() as usize,
            bytes.len(),
        )
    }

    /// Goes to an offset from the file's beginning (lseek(2)).
    pub fn seek(file: &File, offset: u64) -> Result<(), c_int> {
        let offset = usize::try_from(offset).map_err(|_| libc::EOVERFLOW)?;
        call(libc::SYS_lseek, raw(file), offset, libc::SEEK_SET as usize).map(drop)
    }

    /// Closes a descriptor that nothing uses any more (close(2)).
    pub fn close(fd: RawFd) {
        let _ = call(libc::SYS_close, fd, 0, 0);
    }

    fn raw(file: &File) -> RawFd {
        file.as_fd().as_raw_fd()
    }

    fn call(number: c_long, fd: RawFd, a: usize, b: usize) -> Result<u32, c_int> {
        // SAFETY: for the two calls that take a pointer, `a` and `b` are those
        // of a live slice, exclusive where it is written.
        let result = unsafe { arch::syscall3(number, fd as usize, a, b) };
        arch::check(result)
    }
}
