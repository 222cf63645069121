//! 32-bit arm, EABI: Procedure Call Standard for the Arm Architecture, and
//! syscall(2).

use core::arch::{asm, global_asm};

global_asm!(
    ".globl _start",
    "_start:",
    "mov fp, #0",    // no frame above this one
    "mov lr, #0",    // and no return address
    "mov r0, sp",    // 1st argument: where the kernel laid argc, argv and envp
    "bl {start}",    // the stack is 8-byte aligned as the kernel leaves it
    "udf #1",        // it does not return
    start = sym crate::start,
);

/// A system call of up to three arguments; what the kernel returned.
///
/// # Safety
///
/// As the call that `number` names.
#[inline(always)]
pub unsafe fn syscall3(number: super::Number, a: usize, b: usize, c: usize) -> isize {
    let result;
    // SAFETY: the registers are those of the convention, r7 has its value back
    // at the end, and the caller vouches for the rest.
    unsafe {
        asm!(
            "mov {saved}, r7",  // r7 may be the frame pointer: no operand can name it
            "mov r7, {number}", // where the kernel looks for the call's number
            "svc #0",           // into the kernel; it keeps every register but r0
            "mov r7, {saved}",  // the compiler's r7 again
            saved = out(reg) _,
            number = in(reg) number,
            inlateout("r0") a => result,
            in("r1") b,
            in("r2") c,
            options(nostack),
        );
    }
    result
}

/// A system call of up to four arguments; to one that takes a fifth (prctl(2)),
/// that is 0. What the kernel returned.
///
/// # Safety
///
/// As the call that `number` names.
#[inline(never)]
pub unsafe fn syscall4(number: super::Number, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result;
    // SAFETY: as for `syscall3`.
    unsafe {
        asm!(
            "mov {saved}, r7",  // r7 may be the frame pointer: no operand can name it
            "mov r7, {number}", // where the kernel looks for the call's number
            "svc #0",           // into the kernel; it keeps every register but r0
            "mov r7, {saved}",  // the compiler's r7 again
            saved = out(reg) _,
            number = in(reg) number,
            inlateout("r0") a => result,
            in("r1") b,
            in("r2") c,
            in("r3") d,
            in("r4") 0,
            options(nostack),
        );
    }
    result
}
