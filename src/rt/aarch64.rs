//! aarch64: Procedure Call Standard for the Arm 64-bit Architecture.

use core::arch::global_asm;

global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, xzr",  // no frame above this one
    "mov x30, xzr",  // and no return address
    "mov x0, sp",    // 1st argument: where the kernel laid argc, argv and envp
    "bl {entry}",    // the kernel leaves the stack 16-byte aligned
    "brk #1",        // `entry` does not return
    entry = sym super::entry,
);
