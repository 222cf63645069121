//! The runtime: what a libc brings to other programs. `_start`, one file an
//! architecture; the mem functions; the panic handler.

mod mem;

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod start;

use oomexec::output::status;
use oomexec::sys::{self, InitialStack};

#[cfg(not(target_os = "linux"))]
compile_error!("oomexec is for Linux alone: oom_score_adj is a file of its /proc");

/// Runs the program; `_start` calls this with the stack as the kernel left it.
// The section: see link.ld.
#[unsafe(link_section = ".text.start")]
extern "C" fn entry(stack: *mut usize) -> ! {
    // SAFETY: `_start` passes on what the kernel laid out, once.
    let stack = unsafe { InitialStack::new(stack) };
    sys::exit(crate::run(&stack).into())
}

/// `core` wants a panic handler. Nothing in a release build can panic, and a test
/// looks that nothing does.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    sys::exit(status::OWN_FAILURE.into())
}
