/* The launched program: exit_group(0), in three instructions. Its own time does not
 * matter. */

        .section .note.GNU-stack, "", %progbits // the stack need not be executable
        .text
        .globl _start
_start:
#if defined(__x86_64__)
        .intel_syntax noprefix
        xor     edi, edi
        mov     eax, 231                // exit_group
        syscall
#elif defined(__aarch64__)
        mov     x0, #0
        mov     x8, #94                 // exit_group
        svc     #0
#else
#error "the benchmark's programs are written for x86_64 and aarch64 only"
#endif
