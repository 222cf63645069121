//! The raw system call: one file an architecture, one function in each.

use core::ffi::c_long;

use super::Errno;

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod arch;

/// The most negative result that is an errno (`MAX_ERRNO`, linux/err.h).
const MIN_ERROR: isize = -4095;

/// Makes a system call of up to five arguments; those it does not take are 0.
///
/// # Errors
///
/// The errno that the call fails with.
///
/// # Safety
///
/// As the call that `number` names (syscall(2)).
#[inline(always)]
pub unsafe fn syscall(number: c_long, args: [usize; 5]) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the call.
    match unsafe { arch::syscall(number, args) } {
        result @ MIN_ERROR..0 => Err(Errno(result.wrapping_neg() as i32)),
        result => Ok(result as usize),
    }
}
