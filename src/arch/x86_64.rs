//! x86_64: System V ABI, AMD64 supplement, 3.4 "Process Initialization" and A.2
//! "Linux Kernel Conventions".

use core::arch::{asm, global_asm};

global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",  // no frame above this one: the ABI's mark of the outermost
    "mov rdi, rsp",  // 1st argument: where the kernel laid argc, argv and envp
    "call {start}",  // the stack is aligned for a call as the kernel leaves it
    "ud2",           // it does not return
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
    // SAFETY: the registers are those of the convention, the ones that the
    // instruction overwrites are declared, and the caller vouches for the rest.
    unsafe {
        asm!(
            "syscall", // overwrites rcx with the return address, r11 with the flags
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            lateout("rcx") _,
            lateout("r11") _,
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
            "syscall", // overwrites rcx with the return address, r11 with the flags
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") 0,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}
