//! Files: opened, read and written without a panic path.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use rustix::fd::{AsRawFd, BorrowedFd, RawFd};

pub use rustix::fs::OFlags;

use super::{Buffer, Errno, ThinCStr, calls, syscall};

/// The longest path that the kernel takes, its NUL included (linux/limits.h).
pub const PATH_MAX: usize = libc::PATH_MAX as usize;

/// The flags of every open: the exec closes the file, and a FIFO or a device in its
/// place does not hold this program up.
const ALWAYS: OFlags = OFlags::CLOEXEC.union(OFlags::NONBLOCK);

/// An open file, closed when dropped.
pub struct File(BorrowedFd<'static>);

/// The standard output.
// SAFETY: this program never closes the descriptor; if its caller has, a write fails
// or goes to a file that this program opened, and it opens none to keep.
pub static STDOUT: File = File(unsafe { BorrowedFd::borrow_raw(1) });

/// The standard error.
// SAFETY: as for `STDOUT`.
pub static STDERR: File = File(unsafe { BorrowedFd::borrow_raw(2) });

impl File {
    /// Opens a file that exists (openat(2)).
    ///
    /// # Errors
    ///
    /// Those of openat(2); ENXIO for a FIFO to write to that nobody reads.
    pub fn open(path: ThinCStr<'_>, flags: OFlags) -> Result<Self, Errno> {
        openat(libc::AT_FDCWD, path, flags)
    }

    /// Opens a file by its path from this directory on.
    ///
    /// # Errors
    ///
    /// As [`File::open`].
    pub fn open_beneath(&self, path: ThinCStr<'_>, flags: OFlags) -> Result<Self, Errno> {
        openat(self.0.as_raw_fd(), path, flags)
    }

    /// Takes the descriptor that a system call has returned.
    ///
    /// # Safety
    ///
    /// The call was one that makes a descriptor, and nothing else closes that.
    pub unsafe fn from_raw(fd: usize) -> Self {
        // No descriptor is negative. The mask shows that to the compiler, for rustix
        // asserts that it is not -1.
        let fd = fd as RawFd & RawFd::MAX;
        // SAFETY: the caller vouches for it.
        Self(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// Reads once; returns how many bytes, 0 at the end.
    ///
    /// # Errors
    ///
    /// Those of read(2).
    pub fn read(&self, bytes: &mut [u8]) -> Result<usize, Errno> {
        calls::read(self.0, bytes)
    }

    /// Writes once; returns how many bytes.
    ///
    /// # Errors
    ///
    /// Those of write(2).
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        calls::write(self.0, bytes)
    }

    /// Fills `bytes` with what the file has at `offset`; leaves them as they are past
    /// its end.
    ///
    /// # Errors
    ///
    /// Those of lseek(2) and read(2).
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Errno> {
        calls::seek(self.0, offset)?;
        calls::read(self.0, bytes).map(drop)
    }

    /// Reads directory entries into `room`, as `struct linux_dirent64` (getdents64(2));
    /// returns them, nothing at the end.
    ///
    /// # Errors
    ///
    /// Those of getdents64(2).
    pub fn read_entries<'a>(&self, room: &'a mut [MaybeUninit<u8>]) -> Result<&'a [u8], Errno> {
        let start = room.as_mut_ptr();
        let args = [self.as_raw(), start as usize, room.len(), 0, 0];
        // SAFETY: the room is that of a live, exclusive slice. The kernel has written the
        // first bytes of it, and says how many.
        unsafe {
            let len = syscall(libc::SYS_getdents64, args)?;
            Ok(core::slice::from_raw_parts(start.cast(), len))
        }
    }

    /// Shows each line of the file at `path`, as far as it fits into a buffer.
    ///
    /// # Errors
    ///
    /// Those of openat(2) and read(2).
    pub fn each_line(path: ThinCStr<'_>, mut show: impl FnMut(&[u8])) -> Result<(), Errno> {
        let file = Self::open(path, OFlags::RDONLY)?;
        let mut lines = Lines::default();
        let mut bytes = [0; 1024];
        loop {
            let len = file.read(&mut bytes)?;
            for byte in bytes.get(..len).unwrap_or_default() {
                lines.push(*byte, &mut show);
            }
            if len == 0 {
                // The last line may have no newline.
                lines.push(b'\n', &mut show);
                return Ok(());
            }
        }
    }

    /// The descriptor, as an argument of a system call.
    pub fn as_raw(&self) -> usize {
        self.0.as_raw_fd() as usize
    }
}

fn openat(dir: c_int, path: ThinCStr<'_>, flags: OFlags) -> Result<File, Errno> {
    let flags = flags.union(ALWAYS).bits() as usize;
    // SAFETY: the path is a C string, which the kernel only reads. Without O_CREAT
    // there is no mode. The descriptor is a new one.
    unsafe {
        let fd = syscall(
            libc::SYS_openat,
            [dir as usize, path.as_ptr() as usize, flags, 0, 0],
        )?;
        Ok(File::from_raw(fd))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this owner's, which ends here.
        unsafe { calls::close(self.0.as_raw_fd()) };
    }
}

/// Cuts a file into lines, a byte at a time. It leaves out what does not fit into
/// the buffer, so that a line is cut short, and never becomes two.
#[derive(Default)]
pub struct Lines(Buffer<PATH_MAX>);

impl Lines {
    /// Takes the next byte; shows the line that it ends, without the newline.
    pub fn push(&mut self, byte: u8, show: &mut impl FnMut(&[u8])) {
        if byte == b'\n' {
            show(self.0.as_bytes());
            self.0.clear();
        } else {
            self.0.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Lines, PATH_MAX};
    use std::vec;
    use std::vec::Vec;

    fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for byte in bytes {
            lines.push(*byte, &mut |line: &[u8]| seen.push(line.to_vec()));
        }
        seen
    }

    #[test]
    fn a_line_ends_in_front_of_its_newline() {
        assert_eq!(lines(b"ab\n\nc\nd"), [&b"ab"[..], b"", b"c"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_is_whole() {
        let lengths = [PATH_MAX + 1, PATH_MAX - 1, PATH_MAX, 3 * PATH_MAX];
        // Miri takes long for each.
        let count = if cfg!(miri) { 1 } else { lengths.len() };
        for len in lengths.into_iter().take(count) {
            let long = vec![b'x'; len];
            let seen = lines(&[b"a\n", &long[..], b"\nb\n"].concat());
            let cut = &long[..len.min(PATH_MAX)];
            assert_eq!(seen, [&b"a"[..], cut, b"b"], "{len}");
        }
    }
}
