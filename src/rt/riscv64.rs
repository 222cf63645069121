//! riscv64: RISC-V ELF psABI.

use core::arch::global_asm;

global_asm!(
    ".globl _start",
    "_start:",
    "mv s0, zero",   // no frame above this one
    "mv ra, zero",   // and no return address
    "mv a0, sp",     // 1st argument: where the kernel laid argc, argv and envp
    "call {entry}",  // the kernel leaves the stack 16-byte aligned
    "unimp",         // `entry` does not return
    entry = sym super::entry,
);
