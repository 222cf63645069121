//! Starts a login shell on a terminal, as a gateway does for a user.

use std::io::{Read, Write};
use std::process::{self, Command};
use std::{env, fs, io};

use oomexec_spawner::{Launch, Prepared, Via};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let size = PtySize {
        rows: 30,
        cols: 100,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(size)?;
    let prepared = login_shell("bash")?;
    let mut child = pair.slave.spawn_command(builder(&prepared.command))?;
    // Otherwise the terminal would stay open after the shell exits.
    drop(pair.slave);

    let mut keyboard = pair.master.take_writer()?;
    keyboard.write_all(b"shopt login_shell\r")?;
    let mut screen = pair.master.try_clone_reader()?;
    println!("login shell: {}", read_answer(&mut screen)?);

    let pid = child.process_id().expect("it runs");
    println!("gateway {}: {}", process::id(), score_of("self")?);
    let score = score_of(&pid.to_string())?;
    println!("child {pid}: {score}, by {}", prepared.via);

    keyboard.write_all(b"exit\r")?;
    println!("ended: {}", child.wait()?);
    Ok(())
}

/// A shell is a login shell if its argv[0] begins with `-`. `portable-pty` cannot set argv[0], but oomexec can.
fn login_shell(shell: &str) -> io::Result<Prepared> {
    // portable-pty defaults to the home directory.
    let directory = env::current_dir()?;
    let mut launch = Launch::new(shell);
    launch.current_dir(directory);
    let by_name = launch.clone().argv0(format!("-{shell}")).prepare();
    Ok(match by_name.via {
        Via::Oomexec => by_name,
        Via::Sh | Via::Direct => launch.arg("-l").prepare(),
    })
}

/// Converts to the builder of `portable-pty`. This copies all that a launch without `env_clear` sets.
fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => builder.env(name, value),
            None => builder.env_remove(name),
        }
    }
    if let Some(directory) = command.get_current_dir() {
        builder.cwd(directory);
    }
    builder
}

/// The terminal echoes the input, but only the answer has a word after the option's name.
fn read_answer(screen: &mut dyn Read) -> io::Result<&'static str> {
    let mut shown = String::new();
    let mut bytes = [0; 1024];
    loop {
        let length = screen.read(&mut bytes)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        shown.push_str(&String::from_utf8_lossy(&bytes[..length]));
        let words: Vec<&str> = shown.split_whitespace().collect();
        for pair in words.windows(2) {
            match pair {
                ["login_shell", "on"] => return Ok("on"),
                ["login_shell", "off"] => return Ok("off"),
                _ => {}
            }
        }
    }
}

fn score_of(process: &str) -> io::Result<String> {
    let score = fs::read_to_string(format!("/proc/{process}/oom_score_adj"))?;
    Ok(score.trim().to_owned())
}
