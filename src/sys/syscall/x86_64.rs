//! x86_64: System V ABI, AMD64 supplement, A.2 "Linux Kernel Conventions".

use core::arch::asm;
use core::ffi::c_long;

/// Makes a system call, as safe as that is; returns what the kernel returned.
#[inline(always)]
pub unsafe fn syscall(number: c_long, [a, b, c, d, e]: [usize; 5]) -> isize {
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
            in("r10") d,
            in("r8") e,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}
