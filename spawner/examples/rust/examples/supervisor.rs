//! Starts a supervisor's command in a process group of its own, so that one signal ends it and its descendants.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{self, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use oomexec_spawner::Launch;

fn main() -> io::Result<()> {
    // cat stands for the work: it runs until its input ends.
    let mut prepared = Launch::new("sh")
        .args(["-c", "exec 3<&0; cat <&3 & echo; cat"])
        .prepare();
    let mut child = prepared.spawn_with(|it| {
        let mut command = it.command();
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    })?;
    let mut stdout = child.stdout.take().expect("it is piped");
    stdout.read_exact(&mut [0])?;

    println!("gateway {}: {}", process::id(), score_of("self")?);
    let score = score_of(&child.id().to_string())?;
    println!("child {}: {score}, by {}", child.id(), prepared.via);

    killpg(Pid::from_raw(child.id() as i32), Signal::SIGTERM)?;
    println!("ended by {}", child.wait()?);
    // Its descendants share its stdout, so this reads until the last of them exits.
    stdout.read_to_end(&mut Vec::new())?;
    println!("nothing that it started is left");
    Ok(())
}

fn score_of(process: &str) -> io::Result<String> {
    let score = fs::read_to_string(format!("/proc/{process}/oom_score_adj"))?;
    Ok(score.trim().to_owned())
}
