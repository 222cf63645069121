/* The floor: `floor PROGRAM ARGS...` makes the three system calls that it takes to raise
 * its score and become the program, and nothing else. No launcher that does the same can
 * add less.
 *
 * At the start the stack holds argc, argv, a null pointer, envp. */

#define AT_FDCWD    -100
#define FLAGS       0x80001             // O_WRONLY | O_CLOEXEC
#define NOT_FOUND   127

        .section .note.GNU-stack, "", %progbits // the stack need not be executable
        .text
        .globl _start
_start:
#if defined(__x86_64__)
        .intel_syntax noprefix
        mov     edi, AT_FDCWD
        lea     rsi, path[rip]
        mov     edx, FLAGS
        mov     eax, 257                // openat
        syscall

        mov     edi, eax
        lea     rsi, score[rip]
        mov     edx, 4
        mov     eax, 1                  // write
        syscall

        mov     rdi, [rsp + 16]         // argv[1]: the program
        lea     rsi, [rsp + 16]         // argv + 1: its argv, in place
        mov     rax, [rsp]              // argc
        lea     rdx, [rsp + rax*8 + 16] // envp, in place
        mov     eax, 59                 // execve
        syscall

        mov     edi, NOT_FOUND
        mov     eax, 231                // exit_group
        syscall
#elif defined(__aarch64__)
        mov     x0, #AT_FDCWD
        adr     x1, path
        ldr     w2, =FLAGS
        mov     x8, #56                 // openat
        svc     #0

        adr     x1, score               // x0 is the descriptor already
        mov     x2, #4
        mov     x8, #64                 // write
        svc     #0

        ldr     x0, [sp, #16]           // argv[1]: the program
        add     x1, sp, #16             // argv + 1: its argv, in place
        ldr     x9, [sp]                // argc
        add     x2, x1, x9, lsl #3      // envp, in place
        mov     x8, #221                // execve
        svc     #0

        mov     x0, #NOT_FOUND
        mov     x8, #94                 // exit_group
        svc     #0
#else
#error "the benchmark's programs are written for x86_64 and aarch64 only"
#endif

path:   .asciz  "/proc/self/oom_score_adj"
score:  .ascii  "1000"
