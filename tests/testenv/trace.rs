//! Counts with ptrace(2) what a program does between its own exec and its next exec
//! or its exit.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{io, ptr};

/// Returns the number of user-space instructions; a system call is one.
pub fn instructions(command: Command) -> usize {
    // The last instruction, the exec or the exit, causes no stop.
    stops(command, Until::NextInstruction) + 1
}

/// Returns the number of system calls, including the final exec or exit.
pub fn system_calls(command: Command) -> usize {
    // Each call stops on entry and on return, except the last, which does not
    // return.
    stops(command, Until::SystemCall).div_ceil(2)
}

/// Where a traced program stops next.
#[derive(Clone, Copy)]
enum Until {
    NextInstruction,
    SystemCall,
}

/// Runs a program; returns the number of stops before its exec or exit.
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

/// Starts a program and stops it before its first instruction.
#[expect(clippy::zombie_processes, reason = "`stops` waits for the process")]
fn start(mut command: Command) -> libc::pid_t {
    // SAFETY: between fork and exec, the process makes only this system call and
    // reads its error.
    unsafe { command.pre_exec(|| check(libc::ptrace(libc::PTRACE_TRACEME))) };
    let child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot trace {command:?}: {error}"));
    let pid = child.id() as libc::pid_t;
    wait(pid);

    // These tell an exec from a step, and kill the program if this process ends.
    let options = libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_EXITKILL;
    // SAFETY: the call ignores the address, and the data is a number.
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
    // SAFETY: the call ignores the address, and the data means "no signal".
    check(unsafe { libc::ptrace(request, pid, none, none) }).expect("the program has stopped");
}

/// Detaches from the program and waits for its end.
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
    // SAFETY: the call writes the status to a variable of its type.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!(
        waited,
        pid,
        "waitpid failed: {}",
        io::Error::last_os_error()
    );
    status
}

/// Converts the return value of ptrace(2) to a result.
fn check(result: libc::c_long) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
