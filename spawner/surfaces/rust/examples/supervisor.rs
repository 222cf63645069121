//! A supervisor's child: `cargo run --example supervisor`

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use oomexec_spawner::{Launch, OomKills, explain_exit};

fn main() -> io::Result<()> {
    let before = OomKills::read();
    let mut prepared = Launch::new("cat").arg("/proc/self/oom_score_adj").prepare();
    println!("started through {} ({})", prepared.via, prepared.why);
    let wrapped = prepared.wrapped();
    // A group of its own, so that one signal ends it with all that it starts.
    let command = prepared.command.process_group(0).stdout(Stdio::piped());
    let mut child = command.spawn()?;

    let mut score = String::new();
    child
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut score)?;
    print!("the child is at {score}");
    let own = fs::read_to_string("/proc/self/oom_score_adj")?;
    print!("the gateway is at {own}");

    let status = child.wait()?;
    let after = before.as_ref().and_then(OomKills::again);
    let ended = explain_exit(status, wrapped, before.as_ref(), after.as_ref());
    println!("{}", ended.text);
    Ok(())
}
