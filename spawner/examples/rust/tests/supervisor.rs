//! A supervisor's children, started with `std::process`.
//!
//! The children in these tests read a pipe from the gateway, so they end when the gateway does.

mod testenv;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use nix::sys::signal::Signal;
use testenv::{
    Leader, each_way, in_group, kill_group, launch, line, own_score, program_of, score_of,
    socket_pair, stat_of, until, which,
};

/// Starts a process group leader with a socket as descriptor 3, and returns the other end.
fn start(mut command: Command) -> (Leader, BufReader<UnixStream>) {
    let (ours, theirs) = socket_pair();
    let extra = FdMapping {
        parent_fd: OwnedFd::from(theirs),
        child_fd: 3,
    };
    command.fd_mappings(vec![extra]).expect("no collision");
    let child = command.process_group(0).spawn().expect("it starts");
    // Dropping the command here closes our copy of the child's end.
    (Leader(child), BufReader::new(ours))
}

#[test]
fn a_child_has_the_pid_that_spawn_returned_and_the_gateway_keeps_its_own_score() {
    for (via, prepared, score) in each_way(&launch("cat")) {
        let mut command = prepared.command();
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Leader(pipes.process_group(0).spawn().expect("it starts"));
        let mut stdin = child.0.stdin.take().expect("a pipe");
        let mut stdout = BufReader::new(child.0.stdout.take().expect("a pipe"));
        stdin.write_all(b"ready\n").expect("it reads");
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("it writes");
        assert_eq!(ready, "ready\n", "{via}");

        let pid = child.0.id();
        assert_eq!(program_of(pid), which("cat"), "{via}");
        let stat = stat_of(pid).expect("it runs");
        assert_eq!(
            (&*stat.name, stat.parent),
            ("cat", std::process::id()),
            "{via}"
        );
        assert_eq!(score_of(pid), score, "{via}");
        assert_eq!(score_of("self"), own_score(), "{via}");

        drop(stdin);
        assert!(child.0.wait().expect("it ends").success(), "{via}");
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).expect("the end");
        assert_eq!(rest, b"", "{via}");
    }
}

#[test]
fn a_child_reads_and_writes_an_extra_descriptor() {
    let script = r#"read word <&3; echo "got $word" >&3"#;
    for (via, prepared, _) in each_way(launch("sh").args(["-c", script])) {
        let (mut child, mut extra) = start(prepared.command());
        extra.get_mut().write_all(b"extra\n").expect("it reads");
        assert_eq!(line(&mut extra), "got extra\n", "{via}");
        assert_eq!(line(&mut extra), "", "{via}");
        assert!(child.0.wait().expect("it ends").success(), "{via}");
    }
}

#[test]
fn a_signal_to_the_group_ends_every_process_in_it() {
    let cat = "cat <&3 >/dev/null";
    let script = format!("{cat} & ({cat} & {cat}) & {cat}");
    for (via, prepared, score) in each_way(launch("sh").args(["-c", &script])) {
        let (mut child, mut extra) = start(prepared.command());
        let pid = child.0.id();
        until("four cats run", || {
            let cats = in_group(pid).into_iter().filter(|stat| stat.name == "cat");
            (cats.count() == 4).then_some(())
        });
        let group = in_group(pid);
        assert!(group.iter().any(|stat| stat.pid == pid), "{via}");
        for stat in &group {
            assert_eq!(score_of(stat.pid), score, "{via}: {stat:?}");
        }

        kill_group(pid, Signal::SIGTERM);
        let status = child.0.wait().expect("it ends");
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32), "{via}");
        assert_eq!(line(&mut extra), "", "{via}");
        until("all have ended", || in_group(pid).is_empty().then_some(()));
    }
}

#[test]
fn a_child_passes_on_its_exit_status() {
    for code in [0, 1, 7, 125, 126, 127, 255] {
        let script = format!("exit {code}");
        for (via, prepared, _) in each_way(launch("sh").args(["-c", &script])) {
            let status = prepared.command().status().expect("it starts");
            assert_eq!(status.code(), Some(code), "{via}");
        }
    }
}

#[test]
fn a_child_ends_by_the_signal_it_is_sent() {
    for signal in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGPIPE,
        Signal::SIGKILL,
    ] {
        let script = "echo ready >&3; exec cat <&3";
        // Whoever runs the tests may ignore a signal, and a child inherits that.
        let words = ["--default-signal", "sh", "-c", script];
        for (via, prepared, _) in each_way(launch("env").args(words)) {
            let (mut child, mut extra) = start(prepared.command());
            assert_eq!(line(&mut extra), "ready\n", "{via}");
            kill_group(child.0.id(), signal);
            let status = child.0.wait().expect("it ends");
            assert_eq!(status.signal(), Some(signal as i32), "{via}");
        }
    }
}

#[test]
fn an_inherited_descriptor_stays_open_until_the_last_descendant_exits() {
    // The descendant leaves the group too, so only the descriptor shows that it still runs.
    let script = r#"setsid sh -c 'echo started >&3; read word <&3
        echo "$word $(cat /proc/self/oom_score_adj)" >&3' & exit 5"#;
    for (via, prepared, score) in each_way(launch("sh").args(["-c", script])) {
        let (mut child, mut extra) = start(prepared.command());
        assert_eq!(child.0.wait().expect("it ends").code(), Some(5), "{via}");
        assert_eq!(line(&mut extra), "started\n", "{via}");
        extra
            .get_mut()
            .write_all(b"still-here\n")
            .expect("it reads");
        assert_eq!(line(&mut extra), format!("still-here {score}\n"), "{via}");
        assert_eq!(line(&mut extra), "", "{via}");
    }
}
