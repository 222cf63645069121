//! aarch64: syscall(2).

use core::arch::asm;
use core::ffi::c_long;

/// Makes a system call, as safe as that is; returns what the kernel returned.
#[inline(always)]
pub unsafe fn syscall(number: c_long, [a, b, c, d, e]: [usize; 5]) -> isize {
    let result;
    // SAFETY: the registers are those of the convention, and the caller vouches for
    // the rest.
    unsafe {
        asm!(
            "svc #0", // into the kernel, which keeps every register but x0
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            options(nostack),
        );
    }
    result
}
