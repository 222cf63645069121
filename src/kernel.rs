//! The calls on files: rustix's, where that can make them here. Errors are the
//! errno.

use core::ffi::c_int;

use oomexec::c_text::CText;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
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

/// Opens a file that exists, closed on exec (openat(2)).
///
/// # Errors
///
/// What openat(2) says.
pub fn open(path: CText<'_>, flags: OFlags) -> Result<File, c_int> {
    let flags = flags.union(OFlags::CLOEXEC);
    // SAFETY: the path is a C string, which the kernel only reads. Without
    // O_CREAT there is no fourth argument.
    let result = unsafe {
        arch::syscall3(
            libc::SYS_openat,
            libc::AT_FDCWD as usize,
            path.as_ptr() as usize,
            flags.bits() as usize,
        )
    };
    match c_int::try_from(result) {
        // SAFETY: the kernel has just made this descriptor for this caller, and
        // it stays open until the `File` is dropped.
        Ok(fd) if fd >= 0 => Ok(File(unsafe { BorrowedFd::borrow_raw(fd) })),
        _ => Err(arch::errno(result)),
    }
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

#[cfg(not(target_arch = "x86"))]
mod of_rustix {
    use core::ffi::c_int;

    use rustix::fd::{AsFd, RawFd};
    use rustix::fs::SeekFrom;
    use rustix::io::Errno;

    /// Reads once (read(2)); how many bytes.
    pub fn read(file: impl AsFd, bytes: &mut [u8]) -> Result<usize, c_int> {
        rustix::io::read(file, bytes).map_err(Errno::raw_os_error)
    }

    /// Writes once (write(2)); how many bytes.
    pub fn write(file: impl AsFd, bytes: &[u8]) -> Result<usize, c_int> {
        rustix::io::write(file, bytes).map_err(Errno::raw_os_error)
    }

    /// Goes to an offset from the file's beginning (lseek(2)).
    pub fn seek(file: impl AsFd, offset: u64) -> Result<(), c_int> {
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

    use crate::arch;

    /// Reads once (read(2)); how many bytes.
    pub fn read(file: impl AsFd, bytes: &mut [u8]) -> Result<usize, c_int> {
        call(
            libc::SYS_read,
            raw(file),
            bytes.as_mut_ptr() as usize,
            bytes.len(),
        )
    }

    /// Writes once (write(2)); how many bytes.
    pub fn write(file: impl AsFd, bytes: &[u8]) -> Result<usize, c_int> {
        call(
            libc::SYS_write,
            raw(file),
            bytes.as_ptr() as usize,
            bytes.len(),
        )
    }

    /// Goes to an offset from the file's beginning (lseek(2)).
    pub fn seek(file: impl AsFd, offset: u64) -> Result<(), c_int> {
        let offset = usize::try_from(offset).map_err(|_| libc::EOVERFLOW)?;
        call(libc::SYS_lseek, raw(file), offset, libc::SEEK_SET as usize).map(drop)
    }

    /// Closes a descriptor that nothing uses any more (close(2)).
    pub fn close(fd: RawFd) {
        let _ = call(libc::SYS_close, fd, 0, 0);
    }

    fn raw(file: impl AsFd) -> RawFd {
        file.as_fd().as_raw_fd()
    }

    fn call(number: c_long, fd: RawFd, a: usize, b: usize) -> Result<usize, c_int> {
        // SAFETY: for the two calls that take a pointer, `a` and `b` are those
        // of a live slice, exclusive where it is written.
        let result = unsafe { arch::syscall3(number, fd as usize, a, b) };
        usize::try_from(result).map_err(|_| arch::errno(result))
    }
}
