//! A supervisor's children, started with `tokio::process`.
//!
//! The children in these tests read a pipe from the gateway, so they end when the gateway does.

mod testenv;

use std::future::Future;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use command_fds::{CommandFdExt, FdMapping};
use nix::sys::signal::Signal;
use testenv::{
    DEADLINE, each_way, in_group, kill_group, launch, own_score, program_of, runs, score_of,
    socket_pair, stat_of, until, which,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

async fn soon<T>(what: impl Future<Output = std::io::Result<T>>) -> T {
    let in_time = tokio::time::timeout(DEADLINE, what).await;
    in_time.expect("it comes in time").expect("it comes")
}

/// Starts a process group leader with a socket as descriptor 3, and returns the other end.
fn start(command: std::process::Command) -> (Child, BufReader<UnixStream>) {
    let (ours, theirs) = socket_pair();
    let extra = FdMapping {
        parent_fd: OwnedFd::from(theirs),
        child_fd: 3,
    };
    let mut command = Command::from(command);
    command.fd_mappings(vec![extra]).expect("no collision");
    let spawned = command.kill_on_drop(true).process_group(0).spawn();
    ours.set_nonblocking(true).expect("it is set");
    let ours = UnixStream::from_std(ours).expect("a socket");
    // Dropping the command here closes our copy of the child's end.
    (spawned.expect("it starts"), BufReader::new(ours))
}

/// Reads the next line; empty at the end, when all writers are gone.
async fn line(from: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    soon(from.read_line(&mut line)).await;
    line
}

#[tokio::test]
async fn a_child_has_the_pid_that_spawn_returned_and_the_gateway_keeps_its_own_score() {
    for (via, prepared, score) in each_way(&launch("cat")) {
        let mut command = Command::from(prepared.command());
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = pipes.kill_on_drop(true).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        soon(stdin.write_all(b"ready\n")).await;
        let mut ready = String::new();
        soon(stdout.read_line(&mut ready)).await;
        assert_eq!(ready, "ready\n", "{via}");

        let pid = child.id().expect("it runs");
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
        assert!(soon(child.wait()).await.success(), "{via}");
        let mut rest = Vec::new();
        soon(stdout.read_to_end(&mut rest)).await;
        assert_eq!(rest, b"", "{via}");
    }
}

#[tokio::test]
async fn a_signal_to_the_group_ends_every_process_in_it() {
    let cat = "cat <&3 >/dev/null";
    let script = format!("{cat} & ({cat} & {cat}) & {cat}");
    for (via, prepared, score) in each_way(launch("sh").args(["-c", &script])) {
        let (mut child, mut extra) = start(prepared.command());
        let pid = child.id().expect("it runs");
        until("four cats run", || {
            let cats = in_group(pid).into_iter().filter(|stat| stat.name == "cat");
            (cats.count() == 4).then_some(())
        });
        for stat in in_group(pid) {
            assert_eq!(score_of(stat.pid), score, "{via}: {stat:?}");
        }
        kill_group(pid, Signal::SIGTERM);
        let status = soon(child.wait()).await;
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32), "{via}");
        assert_eq!(line(&mut extra).await, "", "{via}");
    }
}

#[tokio::test]
async fn a_child_passes_on_its_exit_status() {
    for code in [0, 7, 126, 127] {
        let script = format!("exit {code}");
        for (via, prepared, _) in each_way(launch("sh").args(["-c", &script])) {
            let status = soon(Command::from(prepared.command()).status()).await;
            assert_eq!(status.code(), Some(code), "{via}");
        }
    }
}

#[tokio::test]
async fn dropping_a_child_kills_the_command_itself() {
    let script = "echo ready >&3; exec cat <&3";
    for (via, prepared, _) in each_way(launch("sh").args(["-c", script])) {
        let (child, mut extra) = start(prepared.command());
        assert_eq!(line(&mut extra).await, "ready\n", "{via}");
        let pid = child.id().expect("it runs");
        drop(child);
        assert_eq!(line(&mut extra).await, "", "{via}");
        until("it has ended", || (!runs(pid)).then_some(()));
    }
}

#[tokio::test]
async fn an_inherited_descriptor_stays_open_until_the_last_descendant_exits() {
    // The descendant leaves the group too, so only the descriptor shows that it still runs.
    let script = r#"setsid sh -c 'echo started >&3; read word <&3
        echo "$word $(cat /proc/self/oom_score_adj)" >&3' & exit 5"#;
    for (via, prepared, score) in each_way(launch("sh").args(["-c", script])) {
        let (mut child, mut extra) = start(prepared.command());
        assert_eq!(soon(child.wait()).await.code(), Some(5), "{via}");
        assert_eq!(line(&mut extra).await, "started\n", "{via}");
        soon(extra.get_mut().write_all(b"still-here\n")).await;
        assert_eq!(
            line(&mut extra).await,
            format!("still-here {score}\n"),
            "{via}"
        );
        assert_eq!(line(&mut extra).await, "", "{via}");
    }
}
