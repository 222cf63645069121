//! Starts a login shell on a terminal, as a gateway does for a user.

use std::io::{Read, Write};
use std::{env, fs, io, process};

use oomexec_spawner::{Launch, Prepared};
use portable_pty::{Child, CommandBuilder, PtySize, SlavePty, native_pty_system};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let size = PtySize {
        rows: 30,
        cols: 100,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(size)?;
    let (prepared, mut child) = start_login_shell("bash", &*pair.slave)?;
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

/// A shell is a login shell if its argv[0] begins with `-`. portable-pty cannot set argv[0], but oomexec can.
fn start_login_shell(
    shell: &str,
    terminal: &dyn SlavePty,
) -> Result<(Prepared, Box<dyn Child>), Error> {
    let mut launch = Launch::new(shell);
    // portable-pty defaults to the home directory.
    launch.current_dir(env::current_dir()?);
    let by_name = launch.clone().argv0(format!("-{shell}")).prepare();
    if by_name.argv0().is_none() {
        if let Ok(child) = terminal.spawn_command(builder(&by_name)) {
            return Ok((by_name, child));
        }
    }
    // There is no oomexec, or since a moment ago none that can be executed.
    let by_option = launch.arg("-l").without_oomexec().prepare();
    let child = terminal.spawn_command(builder(&by_option))?;
    Ok((by_option, child))
}

/// Converts to the builder of `portable-pty`.
pub fn builder(prepared: &Prepared) -> CommandBuilder {
    let mut builder = CommandBuilder::new(prepared.program());
    builder.args(prepared.args());
    builder.env_clear();
    for (name, value) in prepared.env() {
        builder.env(name, value);
    }
    if let Some(directory) = prepared.current_dir() {
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
