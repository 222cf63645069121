//! Programs of several processes that run while a test looks at them: started through
//! oomexec, watched, and ended with all that they have started.

#![allow(dead_code)] // each test target uses only a part

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::testenv::{Launch, TempDir, check, lacks, program, text};

/// Anything that takes longer hangs.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A process of a program.
#[derive(Debug)]
pub struct Process {
    /// Its argv, or the title that it gave itself instead, as one line.
    pub line: String,
    pub score: String,
    pub status: BTreeMap<String, String>,
}

/// A running program with its own directory, killed on drop.
pub struct Running {
    pub dir: TempDir,
    tree: Tree,
    child: Child,
}

impl Running {
    /// Starts a program in a process group of its own. It writes to the files `stdout` and
    /// `stderr` in its directory.
    pub fn start(dir: TempDir, launch: Launch) -> Self {
        let log = |name| File::create(dir.join(name)).expect("a file");
        let launch = launch
            .stdout(log("stdout"))
            .stderr(log("stderr"))
            // SAFETY: the call takes numbers.
            .prepare(|| check(unsafe { libc::setpgid(0, 0) }));
        let child = launch.spawn();
        let tree = Tree {
            root: child.id() as i32,
            home: dir.join("home").to_str().expect("UTF-8").to_owned(),
        };
        Self { dir, tree, child }
    }

    pub fn pid(&self) -> i32 {
        self.tree.root
    }

    /// Returns its processes, except one that is still oomexec.
    pub fn processes(&self) -> BTreeMap<i32, Process> {
        self.tree.processes()
    }

    /// Notes every score that one of its processes has from now on.
    pub fn watch(&self) -> Watch {
        Watch::new(self.tree.clone())
    }

    /// Waits until this is so.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            let end = self.child.try_wait().expect("it is a child");
            assert!(
                end.is_none() && start.elapsed() < DEADLINE,
                "{what}: no ({end:?}): {:#?}\n{}",
                self.processes(),
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for it to end.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "it hangs: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns its stderr until now.
    pub fn log(&self) -> String {
        fs::read(self.dir.join("stderr")).map_or_else(|_| String::new(), |log| text(&log))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // SAFETY: the call takes numbers; the group is the child's own.
            unsafe { libc::kill(-self.pid(), libc::SIGKILL) };
            let _ = self.child.wait();
        }
        // Some processes are in groups of their own.
        let start = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() || start.elapsed() > DEADLINE {
                break;
            }
            for pid in left.keys() {
                // SAFETY: the call takes numbers.
                unsafe { libc::kill(*pid, libc::SIGKILL) };
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A process and its descendants, and those of every process whose command line names the
/// program's `home`: crash handlers are nobody's descendants.
#[derive(Clone)]
struct Tree {
    root: i32,
    home: String,
}

impl Tree {
    fn processes(&self) -> BTreeMap<i32, Process> {
        // Each process's parent and command line. One that has ended does not count.
        let mut all = BTreeMap::new();
        for entry in fs::read_dir("/proc").expect("/proc").flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            let read = |name: &str| fs::read(entry.path().join(name)).map(|all| text(&all));
            let (Ok(stat), Ok(line)) = (read("stat"), read("cmdline")) else {
                continue;
            };
            // The name before them may have blanks and parentheses.
            let (_, fields) = stat.rsplit_once(") ").expect("proc_pid_stat(5)");
            let parent = fields.split(' ').nth(1).and_then(|pid| pid.parse().ok());
            let parent: i32 = parent.expect("proc_pid_stat(5)");
            all.insert(
                pid,
                (parent, line.trim_end_matches('\0').replace('\0', " ")),
            );
        }
        let mut own: BTreeSet<i32> = all
            .iter()
            .filter(|(pid, (_, line))| **pid == self.root || line.contains(&self.home))
            .map(|(pid, _)| *pid)
            .collect();
        loop {
            let before = own.len();
            let parents = all.iter().filter(|(_, (parent, _))| own.contains(parent));
            let children: Vec<i32> = parents.map(|(pid, _)| *pid).collect();
            own.extend(children);
            if own.len() == before {
                break;
            }
        }
        all.retain(|pid, (_, line)| own.contains(pid) && !line.starts_with("oomexec "));
        all.into_iter()
            .filter_map(|(pid, (_, line))| Some((pid, Process::new(pid, line)?)))
            .collect()
    }
}

impl Process {
    /// Returns nothing if it has ended.
    fn new(pid: i32, line: String) -> Option<Self> {
        let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).ok();
        // After its command line: one that is not oomexec any more has the score it got.
        let score = text(&read("oom_score_adj")?).trim().to_owned();
        let status = text(&read("status")?);
        let fields = status.lines().filter_map(|line| line.split_once(':'));
        let status: BTreeMap<_, _> = fields
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let ended = status["State"].starts_with('Z');
        (!ended).then_some(Self {
            line,
            score,
            status,
        })
    }
}

/// Notes the scores of a program's processes, again and again.
pub struct Watch {
    seen: Arc<Mutex<BTreeSet<Seen>>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A score, and the command line of a process that had it.
type Seen = (String, String);

impl Watch {
    fn new(tree: Tree) -> Self {
        let (seen, end) = (
            Arc::<Mutex<BTreeSet<Seen>>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (noted, ended) = (Arc::clone(&seen), Arc::clone(&end));
        let watch = move || {
            while !ended.load(Ordering::SeqCst) {
                let sample = tree.processes().into_values();
                let mut noted = noted.lock().expect("no panic");
                noted.extend(sample.map(|process| (process.score, process.line)));
                drop(noted);
                thread::sleep(Duration::from_millis(20));
            }
        };
        Self {
            seen,
            end,
            thread: Some(thread::spawn(watch)),
        }
    }

    fn seen(&self) -> BTreeSet<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Whether there was a process with this in its command line.
    pub fn saw(&self, word: &str) -> bool {
        self.seen().iter().any(|(_, line)| line.contains(word))
    }

    /// Asserts that each process was at 1000 all the time until now.
    #[track_caller]
    pub fn held(self) {
        let (lower, all): (Vec<_>, Vec<_>) = self
            .seen()
            .into_iter()
            .partition(|(score, _)| score != "1000");
        assert!(lower.is_empty(), "{lower:#?}");
        assert!(!all.is_empty());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Returns whether an unprivileged process cannot have a score of 0 here, because a
/// process with CAP_SYS_RESOURCE has set this one's.
#[must_use]
pub fn lacks_floor_of_zero() -> bool {
    let dir = TempDir::new();
    let pinned = dir.copy(program("pinned"), "pinned");
    let argv = ["pinned", "0", "creat", "/proc/self/oom_score_adj"];
    let output = Launch::new(pinned, argv).unprivileged().output();
    lacks(
        "a process whose oom_score_adj can be lowered to 0",
        text(&output.stdout).ends_with("\nscore 0\n"),
    )
}
