//! riscv64: syscall(2).

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
            "ecall", // into the kernel, which keeps every register but a0
            in("a7") number,
            inlateout("a0") a => result,
            in("a1") b,
            in("a2") c,
            in("a3") d,
            in("a4") e,
            options(nostack),
        );
    }
    result
}
