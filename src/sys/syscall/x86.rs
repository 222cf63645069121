//! 32-bit x86: syscall(2).

use core::arch::asm;
use core::ffi::c_long;

/// Makes a system call, as safe as that is; returns what the kernel returned.
#[inline(always)]
pub unsafe fn syscall(number: c_long, [a, b, c, d, e]: [usize; 5]) -> isize {
    // The compiler has no register left for the 4th argument: it lets no operand
    // name esi.
    let last = [d, e];
    let result;
    // SAFETY: the registers are those of the convention, esi has its value back at
    // the end, and the caller vouches for the rest.
    unsafe {
        asm!(
            "push esi",            // the compiler may use it
            "mov esi, [edi]",      // the 4th argument
            "mov edi, [edi + 4]",  // the 5th
            "int 0x80",            // into the kernel, which keeps every register but eax
            "pop esi",             // the compiler's esi again
            inlateout("eax") number as isize => result,
            in("ebx") a,
            in("ecx") b,
            in("edx") c,
            inlateout("edi") &raw const last => _,
        );
    }
    result
}
