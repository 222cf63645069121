//! oomexec: raise the own `oom_score_adj`, then become the command.
//!
//! This file is the whole story: parse, raise, exec, report. Where to go on
//! reading: [`oomexec::cli`] what a command line means, [`score`] the file in
//! /proc, [`exec`] the search and the exec, [`diagnosis`] and [`report`] what is
//! said of a failure, [`start`], [`kernel`] and [`arch`] where this meets the
//! kernel.

#![no_std]
#![no_main]
#![no_builtins] // see `memory`

mod arch;
mod diagnosis;
mod exec;
mod kernel;
mod memory;
mod report;
mod score;
mod start;

use oomexec::cli::{self, Request};
use oomexec::opt_out;
use oomexec::status::{self, Status};
use start::Start;

/// What oomexec does: returns only where it does not become the command.
fn oomexec(start: &Start) -> Status {
    match cli::parse(start.args()) {
        Ok(Request::Run {
            score,
            argv0,
            command,
            index,
        }) => {
            if !start
                .environment
                .get(opt_out::VARIABLE)
                .is_some_and(opt_out::is_off)
            {
                score::raise(score);
            }
            exec::exec(&start.command(command, index, argv0))
        }
        Ok(Request::Show { pid }) => score::show(pid),
        Ok(Request::Set { pid, score }) => score::set(pid, score),
        Ok(Request::Help) => report::print(cli::HELP.as_bytes()),
        Ok(Request::Version) => report::print(cli::VERSION.as_bytes()),
        Err(usage) => report::usage(&usage),
    }
}

/// Where `_start` of [`arch`] comes in, with the stack as the kernel left it.
// The section: see src/link.ld.
#[unsafe(link_section = ".text.start")]
extern "C" fn start(stack: *mut usize) -> ! {
    // SAFETY: `_start` passes on what the kernel laid out, once.
    let start = unsafe { Start::new(stack) };
    arch::exit_group(oomexec(&start).into())
}

/// `core` wants one. No release build contains it: nothing in it can panic, and
/// a test looks that nothing does.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    arch::exit_group(status::OWN_FAILURE.into())
}
