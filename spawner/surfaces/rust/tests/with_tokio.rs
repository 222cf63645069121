//! The same children with tokio.

mod testenv;

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use testenv::{WAYS, expected, launch, place, program, score};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn the_pid_is_the_childs_and_its_pipes_and_its_end_arrive() {
    for via in WAYS {
        let own = score("self");
        let mut command = Command::from(launch(via, "cat").prepare().command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let pid = child.id().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();

        stdin.write_all(b"ready\n").await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
        assert_eq!(program(pid), "cat", "{via}");
        assert_eq!(score(pid), expected(via), "{via}");
        assert_eq!(score("self"), own, "{via}");

        drop(stdin);
        assert!(child.wait().await.unwrap().success());
        assert_eq!(lines.next_line().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_signal_to_the_group_ends_all_in_it() {
    for via in WAYS {
        let script = "cat & echo started; cat";
        let mut command = Command::from(launch(via, "sh").args(["-c", script]).prepare().command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.process_group(0).spawn().unwrap();
        let pid = child.id().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut started = [0; 8];
        stdout.read_exact(&mut started).await.unwrap();
        assert_eq!(&started, b"started\n");
        assert_eq!(place(pid)[1], pid as i32, "{via}");

        killpg(Pid::from_raw(pid as i32), Signal::SIGTERM).unwrap();
        assert_eq!(stdout.read(&mut started).await.unwrap(), 0, "{via}");
        assert_eq!(child.wait().await.unwrap().signal(), Some(15), "{via}");
    }
}

#[tokio::test]
async fn exit_statuses_arrive() {
    for via in WAYS {
        for code in [0, 7, 126, 127] {
            let script = format!("exit {code}");
            let command = launch(via, "sh").args(["-c", &script]).prepare().command;
            let status = Command::from(command).status().await.unwrap();
            assert_eq!(status.code(), Some(code), "{via}");
        }
    }
}
