//! A supervisor's children, with std::process: what a gateway relies on, through
//! oomexec, through the shell and directly.

mod testenv;

use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use oomexec_spawner::Via;
use testenv::{WAYS, expected, launch, place, program, score, would};

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32)
}

#[test]
fn the_pid_is_the_childs_and_the_gateway_keeps_its_score() {
    for via in WAYS {
        let own = score("self");
        let mut command = launch(via, "cat").prepare().command;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());

        // It answers: so it has become the program.
        writeln!(stdin, "ready").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        assert_eq!(program(child.id()), "cat", "{via}");
        assert_eq!(place(child.id())[0], std::process::id() as i32);
        assert_eq!(score(child.id()), expected(via), "{via}");
        assert_eq!(score("self"), own, "{via}");

        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(stdout.read_line(&mut line).unwrap(), 0);
    }
}

#[test]
fn a_signal_to_the_group_ends_all_in_it_and_an_inherited_descriptor_tells() {
    for via in WAYS {
        let (mut reader, writer) = pipe().unwrap();
        let script = "cat <&4 >/dev/null & echo started >&3; cat <&4 >/dev/null";
        let (hold, _held) = pipe().unwrap();
        let mut command = launch(via, "sh").args(["-c", script]).prepare().command;
        let mapping = |parent_fd: OwnedFd, child_fd| FdMapping {
            parent_fd,
            child_fd,
        };
        command
            .fd_mappings(vec![mapping(writer.into(), 3), mapping(hold.into(), 4)])
            .unwrap();
        let mut child = command.process_group(0).spawn().unwrap();
        drop(command); // it has the pipe's other end

        let mut started = [0; 8];
        reader.read_exact(&mut started).unwrap();
        assert_eq!(&started, b"started\n");
        assert_eq!(place(child.id())[1], child.id() as i32, "{via}");
        assert_eq!(score(child.id()), expected(via), "{via}");

        killpg(pid(&child), Signal::SIGTERM).unwrap();
        // The end of the file: no descendant has the descriptor any more.
        assert_eq!(reader.read(&mut started).unwrap(), 0, "{via}");
        assert_eq!(child.wait().unwrap().signal(), Some(15), "{via}");
    }
}

#[test]
fn exit_statuses_and_signals_arrive() {
    for via in WAYS {
        for code in [0, 1, 7, 125, 126, 127, 255] {
            let script = format!("exit {code}");
            let mut command = launch(via, "sh").args(["-c", &script]).prepare().command;
            assert_eq!(command.status().unwrap().code(), Some(code), "{via}");
        }
        // Those that no caller of the tests will have ignored.
        for signal in [Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGKILL] {
            let mut command = launch(via, "cat").prepare().command;
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(b"x").unwrap();
            child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
            kill(pid(&child), signal).unwrap();
            let status = child.wait().unwrap();
            assert_eq!(status.signal(), Some(signal as i32), "{via}");
        }
    }
}

#[test]
fn a_command_that_does_not_exist_is_the_native_error() {
    for via in [Via::Oomexec, Via::Sh] {
        for missing in ["no-such-command", "/nonexistent/command"] {
            let prepared = would(via, missing).prepare();
            assert_eq!(prepared.via, Via::Direct);
            let mut command = prepared.command;
            let error = command.spawn().unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{missing}");
        }
    }
}
