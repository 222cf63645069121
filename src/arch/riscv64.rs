//! riscv64: RISC-V ELF psABI, and syscall(2).

use core::arch::{asm, global_asm};

global_asm!(
    ".globl _start",
    "_start:",
    "mv s0, zero",   // no frame above this one
    "mv ra, zero",   // and no return address
    "mv a0, sp",     // 1st argument: where the kernel laid argc, argv and envp
    "call {start}",  // the stack is 16-byte aligned as the kernel leaves it
    "unimp",         // it does not return
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
            "ecall", // into the kernel; it keeps every register but a0
            in("a7") number,
            inlateout("a0") a => result,
            in("a1") b,
            in("a2") c,
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
            "ecall", // into the kernel; it keeps every register but a0
            in("a7") number,
            inlateout("a0") a => result,
            in("a1") b,
            in("a2") c,
            in("a3") d,
            in("a4") 0,
            options(nostack),
        );
    }
    result
}
