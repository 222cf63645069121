//! oomexec: raise its own `oom_score_adj`, then become the command.
//!
//! This file is the whole story: parse, raise, pin, exec, report. The rooms to go on
//! reading in:
//!
//! - [`oomexec::cli`]: the command line; [`oomexec::shim`] and [`oomexec::link`]: the
//!   same where oomexec is invoked as `sh` or by a link that says what to run;
//! - [`oomexec::opt_out`]: the environment variable that turns the raise off;
//! - [`oomexec::score`]: the file in /proc; [`oomexec::pin`]: what holds its score;
//! - [`oomexec::exec`]: the search along PATH, the exec, and why it failed;
//! - [`oomexec::check`]: `--check`; [`oomexec::output`]: messages and exit statuses;
//! - [`oomexec::sys`] and [`rt`]: the kernel, and what a libc brings elsewhere.

#![no_std]
#![no_main]
#![no_builtins] // see `rt::mem`

mod rt;

use oomexec::cli::{self, Mode, Query, Request, UsageError};
use oomexec::output::{self, Status};
use oomexec::sys::InitialStack;
use oomexec::{check, exec, link, opt_out, pin, score, shim};

/// Runs oomexec; returns only if it does not become the command.
fn run(stack: &InitialStack) -> Status {
    let mut request = Request::LAUNCH;
    let parsed = if cli::is_own_name(stack.argv0()) {
        request.parse(stack.args())
    } else {
        parse_by_name(stack, &mut request)
    };
    if let Err(error) = parsed {
        return error.report();
    }
    let opted_out = opt_out::is_set(stack.environment);
    if let Mode::Query(query) = request.mode {
        return run_query(query, opted_out);
    }
    if !opted_out {
        score::raise(request.score);
        if let Some(strength) = request.pin {
            // Best effort: the command runs whatever this returns.
            let _ = pin::pin(strength);
        }
    }
    exec::exec(&stack.command(request.index, request.argv0))
}

/// Parses the command line as the name asks that oomexec is invoked as.
#[cold]
#[inline(never)]
fn parse_by_name(
    stack: &InitialStack,
    request: &mut Request<'static>,
) -> Result<(), UsageError<'static>> {
    let name = stack.argv0();
    if shim::is_sh(name) {
        shim::parse(stack, request)
    } else if link::is_link(name) {
        link::parse(stack, request)
    } else {
        request.parse(stack.args())
    }
}

/// Does what oomexec does besides launching.
#[cold]
#[inline(never)]
fn run_query(query: Query, opted_out: bool) -> Status {
    match query {
        Query::Show(process) => score::show(process),
        Query::Set(process, score) => score::set(process, score),
        Query::Check(gateway) => check::check(gateway, opted_out),
        Query::Help => output::print(cli::HELP.as_bytes()),
        Query::Version => output::print(cli::VERSION.as_bytes()),
    }
}
