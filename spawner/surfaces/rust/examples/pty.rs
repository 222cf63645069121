//! A shell on a terminal: `cargo run --example pty`

use std::fs;
use std::io::{Read, Write};

use oomexec_spawner::Launch;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prepared = Launch::new("bash").arg("--norc").prepare();
    println!("started through {} ({})", prepared.via, prepared.why);
    // portable-pty has a builder of its own in the place of std's Command.
    let mut builder = CommandBuilder::new(prepared.command.get_program());
    builder.args(prepared.command.get_args());

    let pair = native_pty_system().openpty(PtySize::default())?;
    let mut shell = pair.slave.spawn_command(builder)?;
    drop(pair.slave); // or the terminal would never end
    let pid = shell.process_id().ok_or("it has ended already")?;

    let mut reader = pair.master.try_clone_reader()?;
    let mut keyboard = pair.master.take_writer()?;
    keyboard.write_all(b"cat /proc/$$/oom_score_adj; exit\r")?;
    let status = shell.wait()?;
    let mut shown = Vec::new();
    // EIO: the terminal's last program has ended.
    let _ = reader.read_to_end(&mut shown);
    println!(
        "the shell, process {pid}, showed:\n{}",
        String::from_utf8_lossy(&shown)
    );
    let own = fs::read_to_string("/proc/self/oom_score_adj")?;
    println!("{status}; the gateway is at {own}");
    Ok(())
}
