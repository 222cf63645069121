//! Starts a supervisor's command with tokio.

use std::process::{self, Stdio};
use std::{fs, io};

use oomexec_spawner::Launch;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut prepared = Launch::new("cat").prepare();
    let mut child = prepared.spawn_with(|it| {
        let mut command = Command::from(it.command());
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    })?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let pid = child.id().expect("it was not waited for");

    stdin.write_all(b"hello\n").await?;
    println!("it says: {}", stdout.next_line().await?.unwrap_or_default());
    println!("gateway {}: {}", process::id(), score_of("self")?);
    let score = score_of(&pid.to_string())?;
    println!("child {pid}: {score}, by {}", prepared.via);

    drop(stdin);
    println!("ended by {}", child.wait().await?);
    Ok(())
}

fn score_of(process: &str) -> io::Result<String> {
    let score = fs::read_to_string(format!("/proc/{process}/oom_score_adj"))?;
    Ok(score.trim().to_owned())
}
