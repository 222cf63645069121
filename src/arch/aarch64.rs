//! aarch64: Procedure Call Standard for the Arm 64-bit Architecture, and
//! syscall(2).

use core::arch::{asm, global_asm};

global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, xzr",  // no frame above this one
    "mov x30, xzr",  // and no return address
    "mov x0, sp",    // 1st argument: where the kernel laid argc, argv and envp
    "bl {start}",    // the stack is 16-byte aligned as the kernel leaves it
    "brk #1",        // it does not return
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
    // SAFETY: the registers are those of the convention, and the caller vouches
    // for the rest.
    unsafe {
        asm!(
            "svc #0", // into the kernel; it keeps every register but x0
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
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
            "svc #0", // into the kernel; it keeps every register but x0
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") 0,
            options(nostack),
        );
    }
    result
}
