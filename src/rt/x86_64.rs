//! x86_64: System V ABI, AMD64 supplement, 3.4 "Process Initialization".

use core::arch::global_asm;

global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",  // no frame above this one: the ABI's mark of the outermost
    "mov rdi, rsp",  // 1st argument: where the kernel laid argc, argv and envp
    "call {entry}",  // the kernel leaves the stack aligned for a call
    "ud2",           // `entry` does not return
    entry = sym super::entry,
);
