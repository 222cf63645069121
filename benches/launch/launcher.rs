//! The launchers, and whether they work.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use oomexec::pin::Strength;
use oomexec::script::SHIM;

use crate::environment;
use crate::programs::{Programs, installed};

/// The score that every launcher but the direct one must write.
const RAISED: &str = "1000";

/// A way to launch a program.
pub struct Launcher {
    /// Its name in the tables.
    pub label: String,
    /// The words before the program's own: the launcher's absolute path and its
    /// arguments.
    words: Vec<String>,
}

impl Launcher {
    fn new(label: impl Into<String>, words: &[&str]) -> Self {
        Self {
            label: label.into(),
            words: words.iter().map(ToString::to_string).collect(),
        }
    }

    /// No launcher: the baseline.
    pub fn direct() -> Self {
        Self::new("direct, without a launcher", &[])
    }

    /// The smallest possible launcher.
    pub fn floor(programs: &Programs) -> Self {
        Self::new("hand-written assembly", &[&programs.floor])
    }

    /// oomexec itself.
    pub fn oomexec() -> Self {
        Self::new("oomexec", &[env!("CARGO_BIN_EXE_oomexec"), "--"])
    }

    /// The same with a pin: two more system calls for each entry of the root but links and
    /// /proc, and seven.
    fn pinning(pin: Strength) -> Self {
        let option = pin.to_string();
        let words = [env!("CARGO_BIN_EXE_oomexec"), &option, "--"];
        Self::new(format!("`oomexec {option}`"), &words)
    }

    /// Another build of it, if `OOMEXEC_BENCH_OTHER` names one: scripts/bench-against.
    pub fn other() -> Option<Self> {
        let file = env::var("OOMEXEC_BENCH_OTHER").ok()?;
        Some(Self::new("oomexec, the other build", &[&file, "--"]))
    }

    /// Whether it is [`Launcher::direct`].
    pub fn is_direct(&self) -> bool {
        self.words.is_empty()
    }

    /// The launcher's file; `None` for a direct launch.
    pub fn file(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }

    /// Whether this machine has it.
    pub fn is_here(&self) -> bool {
        self.file().is_none_or(|file| Path::new(file).exists())
    }

    /// The words that launch `program`.
    pub fn launching(&self, program: &[&str]) -> Vec<String> {
        let program = program.iter().map(ToString::to_string);
        self.words.iter().cloned().chain(program).collect()
    }
}

/// All launchers of the first table; the first two are the baselines.
pub fn all(programs: &Programs) -> Vec<Launcher> {
    let (busybox, choom) = (installed("busybox"), installed("choom"));
    let ours = [
        Launcher::direct(),
        Launcher::floor(programs),
        Launcher::oomexec(),
    ];
    let shells = [
        Launcher::new(
            format!("`/bin/sh` shim ({})", name_of_sh()),
            &["/bin/sh", "-c", SHIM],
        ),
        Launcher::new("`bash` as `sh`, shim", &[&programs.bash_as_sh, "-c", SHIM]),
        Launcher::new("`busybox sh`, shim", &[&busybox, "sh", "-c", SHIM]),
        Launcher::new("`choom -n 1000 --`", &[&choom, "-n", RAISED, "--"]),
    ];
    let ours = ours.into_iter().chain(Launcher::other());
    let pins = [Strength::Truncate, Strength::Write].map(Launcher::pinning);
    ours.chain(pins).chain(shells).collect()
}

/// Returns which shell /bin/sh is, by the name of the file that it links to.
fn name_of_sh() -> String {
    let file = fs::canonicalize("/bin/sh").unwrap_or_default();
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Panics unless each of them runs a program, and at the right score.
pub fn check(launchers: &[Launcher]) {
    for launcher in launchers {
        let cat = launcher.launching(&[&installed("cat"), "/proc/self/oom_score_adj"]);
        let output = command(&cat, &environment::small())
            .output()
            .unwrap_or_else(|error| panic!("{cat:?}: {error}"));
        let raised = output.stdout.trim_ascii() == RAISED.as_bytes();
        if launcher.is_direct() && raised {
            eprintln!("the score is {RAISED} without a launcher: whether they work cannot be seen");
        }
        assert!(
            output.status.success() && (raised || launcher.is_direct()),
            "{cat:?} did not run at {RAISED}: {output:?}"
        );
    }
}

/// Returns the words as a command, with this environment and no other.
pub fn command(words: &[String], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)));
    command
}
