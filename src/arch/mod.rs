//! What differs from one machine to the next, and what no crate offers: where
//! the program begins, and the raw system call. One file a machine, the same
//! names in each: `_start`, and `syscall3` and `syscall4`.
//!
//! On top of those, the same for every machine, the two calls that rustix does
//! not offer.

use core::ffi::{c_char, c_int, c_long};

use oomexec::c_text::CText;

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(
    not(any(
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64",
        target_arch = "x86",
        target_arch = "x86_64",
    )),
    path = "unknown.rs"
)]
mod machine;

pub use machine::{syscall3, syscall4};

#[cfg(not(target_os = "linux"))]
compile_error!("oomexec is for Linux alone: oom_score_adj is a file of its /proc");

/// Becomes the program at `path`, if that succeeds (execve(2)); the errno, if it
/// does not.
///
/// # Safety
///
/// `argv` and `envp` are arrays of pointers to C strings that end with a null
/// pointer.
pub unsafe fn execve(
    path: CText<'_>,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    // SAFETY: the path is a C string, the caller vouches for the arrays, and
    // the kernel only reads them.
    let result = unsafe {
        syscall3(
            libc::SYS_execve,
            path.as_ptr() as usize,
            argv as usize,
            envp as usize,
        )
    };
    errno(result)
}

/// Ends the process (exit_group(2)).
pub fn exit_group(status: c_int) -> ! {
    loop {
        // SAFETY: the call takes no pointer, and does not return.
        unsafe { syscall3(libc::SYS_exit_group, status as usize, 0, 0) };
    }
}

/// What a system call returned that returns no pointer but a small number; the
/// errno, if it failed.
pub fn check(result: isize) -> Result<u32, c_int> {
    match result {
        0.. => Ok(result as u32),
        _ => Err(errno(result)),
    }
}

/// The errno in what a failed system call returned: a number from -4095 to -1
/// (linux/err.h).
pub const fn errno(result: isize) -> c_int {
    result.wrapping_neg() as c_int
}

/// The type of a system call's number, as libc has it.
pub type Number = c_long;
