//! Raises a browser's main process again after it resets its score, which it does once, soon after its start.
//! For kernels without Landlock, where `oomexec --pin` cannot refuse the write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

/// A held process. It stays held after this is dropped, until it ends or [`stop`](Hold::stop) is called.
#[derive(Debug)]
pub struct Hold {
    thread: Option<Thread>,
    is_stopped: Arc<AtomicBool>,
}

impl Hold {
    /// Stops holding the process.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

/// Keeps a running child's score at 1000 until the child ends, from a new thread.
///
/// Call it before waiting for the child: until then the pid is the child's. It never panics, never raises another
/// process that gets the pid later, and ignores errors.
pub fn hold(pid: u32) -> Hold {
    let is_stopped = Arc::new(AtomicBool::new(false));
    // The gateway itself is never raised.
    let thread = if pid == std::process::id() {
        None
    } else {
        start(pid, Arc::clone(&is_stopped))
    };
    Hold { thread, is_stopped }
}

#[cfg(not(unix))]
fn start(_: u32, _: Arc<AtomicBool>) -> Option<Thread> {
    None
}

#[cfg(unix)]
use watch::start;

#[cfg(unix)]
mod watch {
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::os::unix::fs::FileExt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::{self, Thread};
    use std::time::{Duration, Instant};

    /// Chromium writes 0.4 s after its start, later on a busy machine.
    const FIRST: [Duration; 7] = [
        Duration::from_millis(100),
        Duration::from_millis(400),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_secs(2),
        Duration::from_secs(4),
        Duration::from_secs(8),
    ];
    const LATER: Duration = Duration::from_secs(30);

    const SCORE: i32 = 1000;
    // The same on every architecture.
    const ESRCH: i32 = 3;

    pub(super) fn start(pid: u32, is_stopped: Arc<AtomicBool>) -> Option<Thread> {
        let score = Score::open(pid)?;
        let watch = move || {
            let pauses = FIRST.into_iter().chain(std::iter::repeat(LATER));
            for pause in pauses {
                if score.raise() == Outcome::Ended {
                    return;
                }
                let until = Instant::now() + pause;
                while Instant::now() < until {
                    if is_stopped.load(Ordering::Acquire) {
                        return;
                    }
                    // park_timeout may return early, hence the loop.
                    thread::park_timeout(until.saturating_duration_since(Instant::now()));
                }
            }
        };
        let thread = thread::Builder::new().name("oomexec-hold".to_owned());
        Some(thread.spawn(watch).ok()?.thread().clone())
    }

    /// The score of one process.
    ///
    /// The open file stays bound to that process: once it has ended, reads and writes fail with ESRCH, even if another
    /// process has its pid. A start time alone cannot tell apart two processes that began in the same clock tick.
    struct Score {
        pid: u32,
        start: u64,
        file: File,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Outcome {
        Raised,
        /// Already at 1000, or the kernel refuses.
        Kept,
        Ended,
    }

    impl Score {
        fn open(pid: u32) -> Option<Self> {
            let start = start_of(pid)?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(format!("/proc/{pid}/oom_score_adj"))
                .ok()?;
            Some(Self { pid, start, file })
        }

        fn raise(&self) -> Outcome {
            // A zombie still has its files in /proc, and another process with the pid has a later start time.
            if start_of(self.pid) != Some(self.start) {
                return Outcome::Ended;
            }
            match self.write() {
                Ok(outcome) => outcome,
                Err(error) if error.raw_os_error() == Some(ESRCH) => Outcome::Ended,
                Err(_) => Outcome::Kept,
            }
        }

        fn write(&self) -> io::Result<Outcome> {
            let mut text = [0; 16];
            let length = self.file.read_at(&mut text, 0)?;
            let score = std::str::from_utf8(&text[..length]).ok();
            if score.and_then(|score| score.trim().parse().ok()) >= Some(SCORE) {
                return Ok(Outcome::Kept);
            }
            self.file.write_all_at(SCORE.to_string().as_bytes(), 0)?;
            Ok(Outcome::Raised)
        }
    }

    /// Returns a process's start time in clock ticks since boot; `None` if it has ended, reaped or not.
    fn start_of(pid: u32) -> Option<u64> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // Field 2 is the name in parentheses and may contain any byte: count from the last `)`.
        let name_end = stat.iter().rposition(|&byte| byte == b')')?;
        let mut fields = std::str::from_utf8(&stat[name_end + 1..])
            .ok()?
            .split_ascii_whitespace();
        let state = fields.next()?;
        if state == "Z" || state == "X" {
            return None;
        }
        fields.nth(18)?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::process::{Child, Command, Stdio};

        fn sleeper() -> Child {
            Command::new("cat")
                .stdin(Stdio::piped())
                .spawn()
                .expect("cat starts")
        }

        fn score_of(pid: u32) -> String {
            fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).expect("it runs")
        }

        fn end(mut child: Child) {
            child.kill().expect("it is killed");
            child.wait().expect("it is waited for");
        }

        #[test]
        fn a_process_is_raised_if_lower_kept_if_at_1000_and_left_alone_if_ended() {
            let child = sleeper();
            let pid = child.id();
            let score = Score::open(pid).expect("it runs");
            assert_eq!(score.raise(), Outcome::Raised);
            assert_eq!(score_of(pid), "1000\n");
            assert_eq!(score.raise(), Outcome::Kept);
            end(child);
            assert_eq!(score.raise(), Outcome::Ended);
            assert!(Score::open(pid).is_none());
        }

        #[test]
        fn a_process_that_began_at_another_time_is_left_alone() {
            let child = sleeper();
            let before = score_of(child.id());
            let mut score = Score::open(child.id()).expect("it runs");
            score.start -= 1;
            assert_eq!(score.raise(), Outcome::Ended);
            assert_eq!(score_of(child.id()), before);
            end(child);
        }

        #[test]
        fn another_process_with_the_same_pid_and_start_is_left_alone() {
            // Even then, the open file of the ended process fails with ESRCH.
            let (ended, running) = (sleeper(), sleeper());
            let before = score_of(running.id());
            let mut score = Score::open(ended.id()).expect("it runs");
            end(ended);
            score.pid = running.id();
            score.start = start_of(running.id()).expect("it runs");
            assert_eq!(score.raise(), Outcome::Ended);
            assert_eq!(score_of(running.id()), before);
            end(running);
        }

        #[test]
        fn a_zombie_counts_as_ended() {
            let mut child = sleeper();
            let score = Score::open(child.id()).expect("it runs");
            child.kill().expect("it is killed");
            while start_of(child.id()).is_some() {
                std::thread::yield_now();
            }
            assert_eq!(score.raise(), Outcome::Ended);
            child.wait().expect("it is waited for");
        }

        #[test]
        fn start_of_parses_a_name_that_looks_like_the_fields_after_it() {
            let directory =
                std::env::temp_dir().join(format!("oomexec-name-{}", std::process::id()));
            fs::create_dir(&directory).expect("a directory");
            let program = directory.join("a) S 1 (b");
            // Copied by another process: a child that another test forks could inherit a file open for writing, and
            // then the kernel would not run it.
            let copied = Command::new("sh")
                .args(["-c", "cp \"$(command -v cat)\" \"$0\""])
                .arg(&program)
                .status();
            assert!(copied.is_ok_and(|status| status.success()));
            let named = Command::new(&program)
                .stdin(Stdio::piped())
                .spawn()
                .expect("it starts");
            let plain = sleeper();
            let start = |child: &Child| start_of(child.id()).expect("it runs");
            // Both began just now: their clock ticks are close.
            assert!(start(&named).abs_diff(start(&plain)) < 1000);
            end(named);
            end(plain);
            fs::remove_dir_all(&directory).expect("it is removed");
        }
    }
}
