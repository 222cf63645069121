//! 32-bit x86: System V ABI, Intel386 supplement, and syscall(2).

use core::arch::{asm, global_asm};

global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",  // no frame above this one: the ABI's mark of the outermost
    "mov eax, esp",  // where the kernel laid argc, argv and envp
    "sub esp, 12",   // with the argument below, 16 bytes: aligned for a call
    "push eax",      // 1st argument: on the stack in this ABI
    "call {start}",
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
    // SAFETY: the registers are those of the convention, and the caller vouches
    // for the rest.
    unsafe {
        asm!(
            "int 0x80", // into the kernel; it keeps every register but eax
            inlateout("eax") number as isize => result,
            in("ebx") a,
            in("ecx") b,
            in("edx") c,
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
    // SAFETY: as for `syscall3`; esi has its value back at the end.
    unsafe {
        asm!(
            "push esi",     // the compiler may use it, and lets no operand name it
            "mov esi, edi", // the 4th argument
            "xor edi, edi", // the 5th
            "int 0x80",     // into the kernel; it keeps every register but eax
            "pop esi",      // the compiler's esi again
            inlateout("eax") number as isize => result,
            in("ebx") a,
            in("ecx") b,
            in("edx") c,
            inlateout("edi") d => _,
        );
    }
    result
}
