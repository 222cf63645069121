//! oomexec: raise the own `oom_score_adj`, then become the command.
//!
//! This file is the whole story: parse, raise, pin, exec, report. Where to go on
//! reading: [`oomexec::cli`] what a command line means, [`score`] the file in
//! /proc, [`pin`] what holds it, [`exec`] the search and the exec, [`diagnosis`] and
//! [`report`] what is said of a failure, [`check`] whether all this works here,
//! [`oomexec::shim`] what it is under the name of a shell, [`start`], [`kernel`] and
//! [`arch`] where this meets the kernel.

#![no_std]
#![no_main]
#![no_builtins] // see `memory`

mod arch;
mod check;
mod diagnosis;
mod exec;
mod kernel;
mod landlock;
mod memory;
mod pin;
mod report;
mod score;
mod start;

use oomexec::c_text::CText;
use oomexec::cli::{DEFAULT_SCORE, Mode, Request, Usage};
use oomexec::opt_out;
use oomexec::shim;
use oomexec::status::{self, Status};
use oomexec::words::Message;
use start::Start;

/// What oomexec does: returns only where it does not become the command.
fn oomexec(start: &Start) -> Status {
    let mut request = Request::LAUNCH;
    let read = if start.arg(0).is_some_and(shim::is_shell) {
        as_shell(start, &mut request)
    } else {
        request.read(start.args())
    };
    if let Err(usage) = read {
        return report::usage(&usage);
    }
    let opted_out = start
        .environment
        .get(opt_out::VARIABLE)
        .is_some_and(opt_out::is_off);
    if request.mode != Mode::Run {
        return other(&request, opted_out);
    }
    if !opted_out {
        score::raise(request.score.unwrap_or(DEFAULT_SCORE));
        if request.pin {
            pin::pin();
        }
    }
    exec::exec(&start.command(request.index, request.argv0))
}

/// Under the name `sh`: reads the shim's command line, and nothing else.
#[cold]
#[inline(never)]
fn as_shell(start: &Start, request: &mut Request<'_>) -> Result<(), Usage<'static>> {
    let is_shim = start.arg(1) == Some(c"-c".into())
        && start.arg(2).is_some_and(shim::is_script)
        && start.arg(3).is_some();
    if !is_shim {
        return Err(Usage(Message::NotAShell, CText::EMPTY));
    }
    start.environment.change(shim::restored);
    request.index = 3;
    Ok(())
}

/// What it does besides.
#[cold]
#[inline(never)]
fn other(request: &Request<'_>, opted_out: bool) -> Status {
    match (request.mode, request.score) {
        (Mode::Pid, None) => score::show(request.pid),
        (Mode::Pid, Some(score)) => score::set(request.pid, score),
        (Mode::Check, _) => check::check(request.pid, opted_out),
        (Mode::Help, _) => report::text(Message::Help),
        // A launch does not come here.
        (Mode::Version | Mode::Run, _) => report::text(Message::Version),
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
