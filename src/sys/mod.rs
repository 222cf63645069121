//! The kernel: its system calls, and the stack that it hands to a program.
//!
//! How each system call is made:
//!
//! | call | made by | why |
//! |---|---|---|
//! | read, write, lseek, close, readlinkat, getpid, getppid, prctl, capget, sysinfo | rustix (`calls.rs`) | it offers them without a panic path |
//! | openat | `syscall` | rustix returns an `OwnedFd`, which asserts that a descriptor is not -1: a panic path |
//! | getdents64 | `syscall` | rustix's `RawDir` indexes its buffer: a panic path |
//! | execve, exit_group | `syscall` | rustix keeps them in a module whose name changes |
//! | landlock_* | `syscall` | rustix does not have them |
//! | all, on 32-bit x86 | `syscall` | rustix looks for the vDSO with a further call, and keeps its address in a writable segment |

mod buffer;
mod errno;
mod file;
mod initial_stack;
mod process;
mod syscall;
mod thin_c_str;

#[cfg_attr(target_arch = "x86", path = "calls_x86.rs")]
mod calls;

pub use buffer::Buffer;
pub use calls::{has_capability, host_memory, is_dumpable, set_no_new_privs};
pub use errno::Errno;
pub use file::{File, Lines, OFlags, PATH_MAX, STDERR, STDOUT};
pub use initial_stack::{Command, Environment, InitialStack};
pub use process::{Pid, Process};
pub use syscall::syscall;
pub use thin_c_str::ThinCStr;

use core::ffi::c_int;
use core::str::{self, FromStr};

/// Bits of a capability set (linux/capability.h).
pub const CAP_SYS_ADMIN: u32 = 21;
/// See [`CAP_SYS_ADMIN`].
pub const CAP_SYS_RESOURCE: u32 = 24;

/// Ends the process (exit_group(2)).
pub fn exit(status: c_int) -> ! {
    loop {
        // SAFETY: the call takes no pointer, and does not return.
        let _ = unsafe { syscall(libc::SYS_exit_group, [status as usize, 0, 0, 0, 0]) };
    }
}

/// Parses a decimal number as the kernel writes it: without a `+`.
pub fn number<T: FromStr>(text: &[u8]) -> Option<T> {
    let text = str::from_utf8(text).ok()?;
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_decimal_digits_within_its_type() {
        assert_eq!(number::<u64>(b"0"), Some(0));
        assert_eq!(number::<u64>(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(number::<i32>(b"2147483647"), Some(i32::MAX));
        for text in [
            &b""[..],
            b"+1",
            b"-1",
            b"1 ",
            b" 1",
            b"1x",
            b"0x10",
            b"1_000",
            b"18446744073709551616",
            b"99999999999999999999999",
            b"\xff",
        ] {
            assert_eq!(number::<u64>(text), None, "{text:?}");
        }
    }
}
