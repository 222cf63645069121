//! 32-bit arm, EABI: Procedure Call Standard for the Arm Architecture.

use core::arch::global_asm;

global_asm!(
    ".globl _start",
    "_start:",
    "mov fp, #0",    // no frame above this one
    "mov lr, #0",    // and no return address
    "mov r0, sp",    // 1st argument: where the kernel laid argc, argv and envp
    "bl {entry}",    // the kernel leaves the stack 8-byte aligned
    "udf #1",        // `entry` does not return
    entry = sym super::entry,
);
