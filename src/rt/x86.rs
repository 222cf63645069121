//! 32-bit x86: System V ABI, Intel386 supplement, "Process Initialization".

use core::arch::global_asm;

global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",  // no frame above this one: the ABI's mark of the outermost
    "mov eax, esp",  // where the kernel laid argc, argv and envp
    "sub esp, 12",   // with the argument below, 16 bytes: aligned for a call
    "push eax",      // 1st argument: on the stack in this ABI
    "call {entry}",
    "ud2",           // `entry` does not return
    entry = sym super::entry,
);
