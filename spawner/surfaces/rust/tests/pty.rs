//! bash on a real terminal, with portable-pty.

mod testenv;

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use oomexec_spawner::{Launch, Via};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use testenv::{WAYS, expected, launch, place, program, score, stat, until};

/// A shell on a terminal, and all that it has shown.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<Mutex<String>>,
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

/// What portable-pty wants in the place of a `Command`.
fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => builder.env(name, value),
            None => builder.env_remove(name),
        }
    }
    builder
}

impl Terminal {
    fn new(launch: &mut Launch) -> Self {
        let pair = native_pty_system().openpty(size(33, 101)).unwrap();
        let prepared = launch.env("PS1", "").env("HOME", "/").prepare();
        let child = pair
            .slave
            .spawn_command(builder(&prepared.command))
            .unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            // EIO: the terminal's last program has ended.
            while let Ok(len @ 1..) = reader.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..len]);
                seen.lock().unwrap().push_str(&text);
            }
        });
        Self {
            keyboard: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            shown,
        }
    }

    fn pid(&self) -> u32 {
        self.child.process_id().expect("it was started")
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What the shell says of `words`, which it expands.
    fn says(&mut self, mark: &str, words: &str) -> String {
        // The marks are not as they are typed: what is echoed is not the answer.
        self.type_in(&format!("echo \"{mark}\"'<'\"{words}\"'>'\r"));
        let begin = format!("{mark}<");
        let answer = || {
            let shown = self.shown.lock().unwrap();
            let (_, answer) = shown.split_once(&begin)?;
            Some(answer.split_once('>')?.0.to_owned())
        };
        until(mark, || answer().is_some());
        answer().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn bash_has_a_terminal_of_its_own_and_the_gateway_keeps_its_score() {
    for via in WAYS {
        let own = score("self");
        let mut terminal = Terminal::new(launch(via, "bash").arg("--norc"));
        assert_eq!(terminal.says("pid", "$$"), terminal.pid().to_string());
        let pid = terminal.pid();
        assert_eq!(program(pid), "bash", "{via}");
        assert_eq!(score(pid), expected(via), "{via}");
        assert_eq!(score("self"), own, "{via}");

        let [_, group, session, terminal_number] = place(pid);
        assert_eq!([group, session], [pid as i32; 2], "{via}");
        assert_ne!(terminal_number, 0, "{via}");
        assert!(terminal.says("tty", "$(tty)").starts_with("/dev/pts/"));
        assert_eq!(terminal.says("size", "$(stty size)"), "33 101");
        terminal.master.resize(size(44, 120)).unwrap();
        assert_eq!(terminal.says("resized", "$(stty size)"), "44 120");

        terminal.type_in("exit 7\r");
        assert_eq!(terminal.child.wait().unwrap().exit_code(), 7, "{via}");
    }
}

#[test]
fn the_keys_that_stop_and_end_a_job_reach_the_job_and_not_the_shell() {
    for via in WAYS {
        let mut terminal = Terminal::new(launch(via, "bash").arg("--norc"));
        let pid = terminal.pid();
        let foreground = |pid: u32| stat(pid)[5].parse::<u32>().unwrap_or(0);
        assert!(terminal.says("flags", "$-").contains('m'), "{via}");
        terminal.type_in("cat\r");
        until("cat has the keyboard", || {
            let job = foreground(pid);
            job != pid && program(job) == "cat"
        });
        let job = foreground(pid);
        assert_eq!(score(job), expected(via), "{via}");
        terminal.type_in("\x1a");
        until("the job is stopped", || {
            stat(job)[0] == "T" && foreground(pid) == pid
        });
        terminal.type_in("fg\r");
        until("the job goes on", || {
            stat(job)[0] != "T" && foreground(pid) == job
        });
        terminal.type_in("\x03");
        until("the shell has the keyboard", || foreground(pid) == pid);
        assert_eq!(terminal.says("status", "$?"), "130", "{via}");
    }
}

#[test]
fn a_login_shell_is_one_by_its_argv0_through_oomexec() {
    let is_login = |terminal: &mut Terminal| {
        terminal.says("login", "$(shopt -q login_shell && echo yes || echo no)")
    };
    let mut named = Terminal::new(launch(Via::Oomexec, "bash").argv0("-bash"));
    assert_eq!(is_login(&mut named), "yes");
    assert_eq!(score(named.pid()), "1000");
    let mut plain = Terminal::new(launch(Via::Oomexec, "bash").arg("--norc"));
    assert_eq!(is_login(&mut plain), "no");
}
