//! 32-bit arm, EABI: syscall(2).

use core::arch::asm;
use core::ffi::c_long;

/// Makes a system call, as safe as that is; returns what the kernel returned.
#[inline(always)]
pub unsafe fn syscall(number: c_long, [a, b, c, d, e]: [usize; 5]) -> isize {
    let result;
    // SAFETY: the registers are those of the convention, r7 has its value back at
    // the end, and the caller vouches for the rest.
    unsafe {
        asm!(
            "mov {saved}, r7",  // r7 may be the frame pointer: no operand can name it
            "mov r7, {number}", // where the kernel looks for the call's number
            "svc #0",           // into the kernel, which keeps every register but r0
            "mov r7, {saved}",  // the compiler's r7 again
            saved = out(reg) _,
            number = in(reg) number,
            inlateout("r0") a => result,
            in("r1") b,
            in("r2") c,
            in("r3") d,
            in("r4") e,
            options(nostack),
        );
    }
    result
}
