//! Counts, with ptrace(2), what a program does between its own exec and its next
//! one, or its end.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{io, ptr};

/// The user-space instructions of the program, a system call being one.
pub fn instructions(command: Command) -> usize {
    // The last one, which ends in the exec or the exit, stops nowhere itself.
    stops(command, Until::NextInstruction) + 1
}

/// The system calls of the program, the last being the exec or the exit.
pub fn system_calls(command: Command) -> usize {
    // Each stops where it enters the kernel and where it leaves it, but for the
    // last, which does not come back to this program.
    stops(command, Until::SystemCall).div_ceil(2)
}

/// How far a traced program is let run.
#[derive(Clone, Copy)]
enum Until {
    NextInstruction,
    SystemCall,
}

/// Runs a program, letting it go on from stop to stop; how often it stopped
/// before its exec or its end.
fn stops(command: Command, until: Until) -> usize {
    let pid = start(command);
    let mut stops = 0;
    loop {
        resume(pid, until);
        let status = wait(pid);
        if libc::WIFEXITED(status) {
            return stops;
        }
        assert!(
            libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGTRAP,
            "unexpected wait status {status:#x}"
        );
        if status >> 16 == libc::PTRACE_EVENT_EXEC {
            let_go(pid);
            return stops;
        }
        stops += 1;
    }
}

/// Starts a program, which waits before its first instruction.
#[expect(
    clippy::zombie_processes,
    reason = "`stops` waits, for more than the end"
)]
fn start(mut command: Command) -> libc::pid_t {
    // SAFETY: between fork and exec only this one system call is made, and its
    // error read.
    unsafe { command.pre_exec(|| check(libc::ptrace(libc::PTRACE_TRACEME))) };
    let child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot trace {command:?}: {error}"));
    let pid = child.id() as libc::pid_t;
    wait(pid);

    // An exec is then told from a step, and the program ends if this one does.
    let options = libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_EXITKILL;
    // SAFETY: takes no pointer: the address is not looked at, the data a number.
    let result = unsafe {
        let none = ptr::null_mut::<libc::c_void>();
        libc::ptrace(libc::PTRACE_SETOPTIONS, pid, none, options as usize)
    };
    check(result).expect("the options are older than any kernel in use");
    pid
}

fn resume(pid: libc::pid_t, until: Until) {
    let request = match until {
        Until::NextInstruction => libc::PTRACE_SINGLESTEP,
        Until::SystemCall => libc::PTRACE_SYSCALL,
    };
    let none = ptr::null_mut::<libc::c_void>();
    // SAFETY: takes no pointer: the address is not looked at, the data means "no
    // signal".
    check(unsafe { libc::ptrace(request, pid, none, none) }).expect("the program has stopped");
}

/// Lets the program end on its own.
fn let_go(pid: libc::pid_t) {
    let none = ptr::null_mut::<libc::c_void>();
    // SAFETY: as in `resume`.
    check(unsafe { libc::ptrace(libc::PTRACE_DETACH, pid, none, none) })
        .expect("the program has stopped");
    let status = wait(pid);
    assert_eq!(status, 0, "the program ended with wait status {status:#x}");
}

fn wait(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: the status is written to a variable of its type.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!(
        waited,
        pid,
        "waitpid failed: {}",
        io::Error::last_os_error()
    );
    status
}

/// What ptrace(2) returned, as a result.
fn check(result: libc::c_long) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
