//! bash on a real terminal, started with `portable-pty`.

#[path = "../examples/pty.rs"]
#[allow(dead_code, reason = "the rest of it is a program")]
mod example;
mod testenv;

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use example::builder;
use oomexec_spawner::{Launch, Prepared, Via, Why};
use portable_pty::{Child, MasterPty, PtySize, native_pty_system};
use testenv::{
    DEADLINE, copy, each_way, launch, oomexec, own_score, program_of, runs, score_of, stat_of,
    until, which,
};

const ROWS: u16 = 31;
const COLUMNS: u16 = 93;

const IS_LOGIN: &str = "$(shopt -q login_shell && echo login)";

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

/// A shell on a terminal, to type and read there. Dropping this ends the shell.
struct Terminal {
    pid: u32,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    screen: Receiver<Vec<u8>>,
    unread: String,
}

impl Terminal {
    fn start(prepared: &Prepared) -> Self {
        let pair = native_pty_system().openpty(size(ROWS, COLUMNS));
        let pair = pair.expect("a terminal");
        let child = pair.slave.spawn_command(builder(prepared));
        let child = child.expect("it starts");
        let mut reader = pair.master.try_clone_reader().expect("it can be read");
        let (sender, screen) = channel();
        // The thread ends when the terminal closes.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            pid: child.process_id().expect("it runs"),
            child,
            keyboard: pair.master.take_writer().expect("it can be written"),
            master: pair.master,
            screen,
            unread: String::new(),
        }
    }

    fn type_in(&mut self, text: &str) {
        self.keyboard
            .write_all(text.as_bytes())
            .expect("it is open");
    }

    /// Waits until the terminal shows the text, and discards everything up to its end.
    fn shows(&mut self, text: &str) {
        self.shown_before(text);
    }

    /// Does the same, and returns what is before the text.
    fn shown_before(&mut self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some((before, after)) = self.unread.split_once(text) {
                let before = before.to_owned();
                self.unread = after.to_owned();
                return before;
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            let more = self.screen.recv_timeout(rest);
            let more = more
                .unwrap_or_else(|_| panic!("the terminal shows {:?}, not {text:?}", self.unread));
            self.unread.push_str(&String::from_utf8_lossy(&more));
        }
    }

    /// Returns the shell's expansion of the words. The quotes tell the answer from the echoed input.
    fn answer(&mut self, words: &str) -> String {
        self.type_in(&format!("echo \"answer\"\"=<{words}>\"\r"));
        self.shows("answer=<");
        self.shown_before(">")
    }

    fn foreground(&self) -> u32 {
        let stat = stat_of(self.pid).expect("it runs");
        u32::try_from(stat.foreground).expect("it has a terminal")
    }

    /// Waits until the named program is in the foreground, and returns its process group.
    fn job(&self, name: &str) -> u32 {
        until("the job is in the foreground", || {
            let foreground = self.foreground();
            let is_it = foreground != self.pid && stat_of(foreground)?.name == name;
            is_it.then_some(foreground)
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Sends SIGHUP, which bash passes on, and then SIGKILL if needed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An empty home directory, so that bash reads no files of whoever runs the tests.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oomexec-examples-{}-{count}", std::process::id());
        let home = env::temp_dir().join(name);
        fs::create_dir(&home).expect("it can be made");
        Self(home)
    }

    fn bash(&self) -> Launch {
        let mut launch = launch("bash");
        launch
            .env("HOME", &self.0)
            .env("HISTFILE", "/dev/null")
            .env("TERM", "xterm-256color")
            .current_dir(&self.0);
        launch
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_shell_has_the_pid_that_spawn_returned_and_the_gateway_keeps_its_own_score() {
    let home = Home::new();
    for (via, prepared, score) in each_way(home.bash().arg("--norc")) {
        let mut terminal = Terminal::start(&prepared);
        assert_eq!(terminal.answer("$$"), terminal.pid.to_string(), "{via}");
        assert_eq!(program_of(terminal.pid), which("bash"), "{via}");
        assert_eq!(score_of(terminal.pid), score, "{via}");
        assert_eq!(score_of("self"), own_score(), "{via}");
    }
}

#[test]
fn a_shell_leads_its_own_session_with_its_own_controlling_terminal() {
    let home = Home::new();
    for (via, prepared, _) in each_way(home.bash().arg("--norc")) {
        let mut terminal = Terminal::start(&prepared);
        let tty = terminal.answer("$(tty)");
        let stat = stat_of(terminal.pid).expect("it runs");
        assert_eq!(stat.session, terminal.pid, "{via}");
        assert_eq!(terminal.foreground(), terminal.pid, "{via}");
        let device = fs::metadata(&tty).expect("it is there").rdev();
        assert_eq!(stat.terminal, device, "{via}");
        terminal.type_in("sh -c 'echo on the \"\"terminal >/dev/tty'\r");
        terminal.shows("on the terminal\r\n");
    }
}

#[test]
fn a_shell_controls_jobs() {
    let home = Home::new();
    for (via, prepared, score) in each_way(home.bash().arg("--norc")) {
        let mut terminal = Terminal::start(&prepared);
        assert!(terminal.answer("$-").contains('m'), "{via}");
        terminal.type_in("cat\r");
        let job = terminal.job("cat");
        assert_eq!(score_of(job), score, "{via}");

        terminal.type_in("\x1a");
        until("Ctrl-Z has stopped cat", || {
            let is_stopped = stat_of(job)?.state == 'T' && terminal.foreground() == terminal.pid;
            is_stopped.then_some(())
        });
        terminal.type_in("fg\r");
        until("fg has resumed cat", || {
            let goes_on = stat_of(job)?.state != 'T' && terminal.foreground() == job;
            goes_on.then_some(())
        });
        terminal.type_in("hello\r");
        terminal.shows("hello\r\nhello\r\n");

        terminal.type_in("\x03");
        until("Ctrl-C has ended cat but not the shell", || {
            (!runs(job) && terminal.foreground() == terminal.pid).then_some(())
        });
        assert_eq!(terminal.answer("$?"), "130", "{via}");
    }
}

#[test]
fn a_shell_knows_the_size_of_its_window_and_notices_a_change() {
    let home = Home::new();
    for (via, prepared, _) in each_way(home.bash().arg("--norc")) {
        let mut terminal = Terminal::start(&prepared);
        assert_eq!(
            terminal.answer("$(stty size)"),
            format!("{ROWS} {COLUMNS}"),
            "{via}"
        );
        // Not at the prompt: there readline sets the size back to what it last read.
        terminal.type_in("cat\r");
        let job = terminal.job("cat");
        terminal
            .master
            .resize(size(43, 117))
            .expect("it is resized");
        terminal.type_in("\x04");
        until("cat is gone", || (!runs(job)).then_some(()));
        assert_eq!(terminal.answer("$(stty size)"), "43 117", "{via}");
    }
}

#[test]
fn a_shell_passes_on_its_exit_status() {
    let home = Home::new();
    for (via, prepared, _) in each_way(home.bash().arg("--norc")) {
        let mut terminal = Terminal::start(&prepared);
        terminal.type_in("exit 7\r");
        let status = terminal.child.wait().expect("it ends");
        assert_eq!(status.exit_code(), 7, "{via}");
    }
}

#[test]
fn a_shell_ends_with_its_job_on_hangup() {
    let home = Home::new();
    for (via, prepared, _) in each_way(home.bash().arg("--norc")) {
        let mut terminal = Terminal::start(&prepared);
        terminal.type_in("cat\r");
        let job = terminal.job("cat");
        // Sends SIGHUP. Closing the terminal is not enough: the reader keeps it open.
        let mut killer = terminal.child.clone_killer();
        killer.kill().expect("it runs");
        until("cat is gone", || (!runs(job)).then_some(()));
        assert!(!terminal.child.wait().expect("it ends").success(), "{via}");
    }
}

#[test]
fn a_login_shell_starts_through_oomexec_by_argv0_which_portable_pty_cannot_set() {
    let home = Home::new();
    let prepared = home.bash().argv0("-bash").oomexec(oomexec()).prepare();
    let mut terminal = Terminal::start(&prepared);
    assert_eq!(terminal.answer(IS_LOGIN), "login");
    let name = fs::read(format!("/proc/{}/cmdline", terminal.pid)).expect("it runs");
    assert_eq!(name, b"-bash\0");
    assert_eq!(score_of(terminal.pid), 1000);

    // Without oomexec the reason is Argv0, and the gateway must use -l instead.
    let prepared = home.bash().argv0("-bash").without_oomexec().prepare();
    assert_eq!((prepared.via, prepared.why), (Via::Direct, Why::Argv0));
}

#[test]
fn a_login_shell_starts_by_its_option_in_each_way() {
    let home = Home::new();
    for (via, prepared, score) in each_way(home.bash().arg("-l")) {
        let mut terminal = Terminal::start(&prepared);
        assert_eq!(terminal.answer(IS_LOGIN), "login", "{via}");
        assert_eq!(score_of(terminal.pid), score, "{via}");
    }
}

#[test]
fn a_shell_starts_also_if_oomexec_is_removed_meanwhile() {
    let home = Home::new();
    let file = home.0.join("oomexec");
    copy(&oomexec(), &file);
    let prepared = home.bash().arg("--norc").oomexec(&file).prepare();
    assert_eq!(prepared.via, Via::Oomexec);
    fs::remove_file(&file).expect("it is removed");
    let pair = native_pty_system().openpty(size(ROWS, COLUMNS));
    let slave = pair.expect("a terminal").slave;
    assert!(slave.spawn_command(builder(&prepared)).is_err());

    let again = prepared.without_oomexec().expect("there is another way");
    assert_eq!(again.via, Via::Sh);
    let mut terminal = Terminal::start(&again);
    assert_eq!(terminal.answer("$$"), terminal.pid.to_string());
    assert_eq!(score_of(terminal.pid), 1000);
}

#[test]
fn a_shell_has_the_environment_and_the_directory_that_it_is_given_and_no_others() {
    let home = Home::new();
    let mut launch = home.bash();
    launch.arg("--norc").env_clear().env("ONLY", "this");
    launch.env("OPENCLAW_CHILD_OOM_SCORE_ADJ", "1");
    let path = env::var_os("PATH").expect("a PATH");
    for (via, prepared, _) in each_way(launch.env("PATH", path)) {
        let mut terminal = Terminal::start(&prepared);
        assert_eq!(terminal.answer("$ONLY$HOME"), "this", "{via}");
        let directory = home.0.display().to_string();
        assert_eq!(terminal.answer("$(pwd)"), directory, "{via}");
    }
}
