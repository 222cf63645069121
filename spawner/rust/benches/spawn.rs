//! Measures what each way of starting a child at 1000 adds to
//! `std::process::Command`, from spawn to exit; and the library's own part before,
//! `prepare()`. Run it with `scripts/bench-spawn`, or with `cargo bench --bench spawn`
//! and `OOMEXEC` set to a built oomexec.
//!
//! Prints a GitHub Markdown table on stdout and progress on stderr. Asserts
//! nothing about the times. `OOMEXEC_BENCH_ROUNDS` sets the number of rounds,
//! `OOMEXEC_BENCH_SEED` the order within each.

use std::env;
use std::fs;
use std::hint::black_box;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

#[path = "../../../tests/testenv/environment.rs"]
mod environment;
#[path = "../src/script.rs"]
#[allow(dead_code, reason = "only the gateways' own shim is measured")]
mod script;

use environment::VARIABLES;
use oomexec_spawner::{Launch, Via};
use script::SHIM;

/// The parent's sizes, in bytes.
const SIZES: [(&str, usize); 2] = [("50 MiB", 50 << 20), ("2 GiB", 2 << 30)];

/// The table's columns; the first two contain text.
const COLUMNS: [&str; 7] = [
    "parent",
    "launcher",
    "spawn() blocks, µs",
    "then to exit, µs",
    "together, µs",
    "added, µs",
    "× direct",
];

fn main() {
    let Some(oomexec) = oomexec() else {
        // `cargo test --all-targets` runs this too, perhaps before oomexec is built.
        assert!(
            !is_bench(),
            "no oomexec beside this build: set OOMEXEC to its path, or run scripts/bench-spawn"
        );
        eprintln!("skipped: there is no oomexec to test");
        return;
    };
    let launchers = Launcher::all(&oomexec);
    launchers.iter().for_each(Launcher::check);
    if !is_bench() {
        return; // `cargo test` only checks that every launcher works
    }

    let rounds = number("OOMEXEC_BENCH_ROUNDS", 200).max(1);
    let seed = number("OOMEXEC_BENCH_SEED", 1000);
    let mut shuffle = Shuffle(seed as u64);
    let mut held = Vec::new();
    let mut rows = vec![COLUMNS.map(String::from)];
    for (size, bytes) in SIZES {
        hold(&mut held, bytes);
        eprintln!(
            "Rust, a parent of {size}: {rounds} rounds of {} launches",
            launchers.len()
        );
        let times = measure(&launchers, rounds, &mut shuffle);
        rows.extend(rows_of(size, &launchers, &times));
    }
    black_box(&held);
    println!("### From spawn to exit in Rust\n\n{}", table(&rows));
    println!("{}\n", note(rounds, seed));
    println!("{}", prepare_note(&oomexec, rounds));
}

/// `cargo bench` passes `--bench`; `cargo test` does not.
fn is_bench() -> bool {
    env::args().any(|arg| arg == "--bench")
}

/// Returns the file in OOMEXEC, or the one that cargo built beside this program.
fn oomexec() -> Option<PathBuf> {
    if let Some(file) = env::var_os("OOMEXEC") {
        return Some(file.into());
    }
    let own = env::current_exe().ok()?; // target/release/deps/spawn-...
    let built = own.parent()?.parent()?.join("oomexec");
    built.is_file().then_some(built)
}

/// Returns the number in the environment variable `name`, or the default.
fn number(name: &str, default: usize) -> usize {
    match env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

/// Grows this process to `bytes` of resident memory.
fn hold(held: &mut Vec<Vec<u8>>, bytes: usize) {
    const STEP: usize = 1 << 20;
    while resident() < bytes {
        held.push(vec![1; STEP]); // 0 would leave the pages untouched
    }
}

fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    1024 * kilobytes
        .and_then(|number| number.parse::<usize>().ok())
        .expect("/proc/self/status has a line VmRSS")
}

/// A way to start a child.
struct Launcher {
    name: &'static str,
    /// The words before the command.
    words: Vec<String>,
    /// Whether the child writes its score between fork and exec.
    hook: bool,
}

impl Launcher {
    /// Returns all launchers; the others are compared with the first.
    fn all(oomexec: &Path) -> [Self; 4] {
        let oomexec = oomexec.to_str().expect("the path of oomexec is UTF-8");
        let new = |name, words: &[&str], hook| Self {
            name,
            words: words.iter().map(ToString::to_string).collect(),
            hook,
        };
        [
            new("direct", &[], false),
            new("oomexec", &[oomexec, "--"], false),
            new("shim", &["/bin/sh", "-c", SHIM], false),
            new("hook (`pre_exec`)", &[], true),
        ]
    }

    fn command(&self, command: &[&str]) -> Command {
        let mut words = self
            .words
            .iter()
            .map(String::as_str)
            .chain(command.iter().copied());
        let mut built = Command::new(words.next().expect("there is a command"));
        built.args(words).env_clear().envs(VARIABLES);
        if self.hook {
            // SAFETY: only async-signal-safe calls are allowed between fork and
            // exec. std opens a path this short without allocating, and the rest
            // is write and close.
            unsafe {
                built.pre_exec(|| {
                    let _ = fs::write("/proc/self/oom_score_adj", "1000");
                    Ok(())
                });
            }
        }
        built
    }

    /// Panics if the launcher does not raise its child: its times would mean nothing.
    fn check(&self) {
        let output = self
            .command(&["/bin/cat", "/proc/self/oom_score_adj"])
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let raised = output.stdout.trim_ascii() == b"1000";
        assert!(
            output.status.success() && (raised || self.name == "direct"),
            "{} did not start a child at 1000: {output:?}",
            self.name
        );
    }

    /// Launches /bin/true once.
    fn launch(&self) -> Time {
        let mut command = self.command(&["/bin/true"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let blocked = start.elapsed();
        let status = child.wait().expect("the child can be waited for");
        let exit = start.elapsed();
        assert!(status.success(), "{}: {status}", self.name);
        Time {
            blocked: blocked.as_secs_f64() * 1e6,
            exit: exit.as_secs_f64() * 1e6,
        }
    }
}

/// Microseconds from before `spawn` until it returns, and until `wait` returns.
struct Time {
    blocked: f64,
    exit: f64,
}

/// Runs every launcher once in each round; the results are in launcher order.
///
/// Rounds, because a machine's speed changes over time. Each round has a new
/// order, because the launch before determines what is in the caches.
fn measure(launchers: &[Launcher], rounds: usize, shuffle: &mut Shuffle) -> Vec<Vec<Time>> {
    for launcher in launchers {
        launcher.launch(); // the first launch reads the files into memory
    }
    let mut times: Vec<_> = launchers
        .iter()
        .map(|_| Vec::with_capacity(rounds))
        .collect();
    let mut order: Vec<_> = (0..launchers.len()).collect();
    for _ in 0..rounds {
        shuffle.shuffle(&mut order);
        for &index in &order {
            times[index].push(launchers[index].launch());
        }
    }
    times
}

/// A random generator with a seed: SplitMix64 (Steele, Lea, Flood 2014).
struct Shuffle(u64);

impl Shuffle {
    /// Shuffles the items (Fisher, Yates).
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() % (last as u64 + 1);
            items.swap(last, other as usize);
        }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A median, and half of its 95 % interval.
#[derive(Clone, Copy)]
struct Summary {
    median: f64,
    noise: f64,
}

impl Summary {
    /// Uses order statistics, because times on a busy machine have a long tail.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<_> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let last = (sorted.len() - 1) as f64;
        let quantile = |part: f64| sorted[(part.clamp(0.0, 1.0) * last).round() as usize];
        // The number of values below the true median is binomial, whatever their
        // distribution.
        let half = 0.98 / (sorted.len() as f64).sqrt();
        Self {
            median: quantile(0.5),
            noise: (quantile(0.5 + half) - quantile(0.5 - half)) / 2.0,
        }
    }

    /// Returns the difference of the medians.
    fn over(self, other: Self) -> Self {
        Self {
            median: self.median - other.median,
            noise: self.noise.hypot(other.noise),
        }
    }

    /// Returns the ratio of the medians.
    fn times(self, other: Self) -> Self {
        let median = self.median / other.median;
        let noise = (self.noise / self.median).hypot(other.noise / other.median);
        Self {
            median,
            noise: median * noise,
        }
    }

    fn shown(self, digits: usize) -> String {
        format!("{:.digits$} ± {:.digits$}", self.median, self.noise)
    }
}

type Row = [String; COLUMNS.len()];

fn rows_of(size: &str, launchers: &[Launcher], times: &[Vec<Time>]) -> Vec<Row> {
    let summary = |times: &[Time], part: fn(&Time) -> f64| Summary::of(times.iter().map(part));
    let direct = summary(&times[0], |time| time.exit);
    let row = |(launcher, times): (&Launcher, &Vec<Time>)| {
        let together = summary(times, |time| time.exit);
        let (added, ratio) = match launcher.name {
            "direct" => ("–".into(), "–".into()),
            _ => (
                together.over(direct).shown(0),
                together.times(direct).shown(2),
            ),
        };
        [
            size.into(),
            launcher.name.into(),
            summary(times, |time| time.blocked).shown(0),
            summary(times, |time| time.exit - time.blocked).shown(0),
            together.shown(0),
            added,
            ratio,
        ]
    };
    launchers.iter().zip(times).map(row).collect()
}

/// Formats the rows, with the header first, as GitHub Markdown aligned for a
/// terminal.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let mut rule = String::new();
        for (column, cell) in row.iter().enumerate() {
            let widths = rows.iter().map(|row| row[column].chars().count());
            let width = widths.max().unwrap_or_default();
            if column < 2 {
                text += &format!("| {cell:<width$} ");
                rule += &format!("| {} ", "-".repeat(width));
            } else {
                text += &format!("| {cell:>width$} ");
                rule += &format!("| {}: ", "-".repeat(width - 1));
            }
        }
        text += "|\n";
        if index == 0 {
            text += &(rule + "|\n");
        }
    }
    text
}

/// Nine directories; the command is in the last one.
const LONG_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/usr/games:/opt:/srv:/var:/bin";

/// Measures `prepare()`, which comes before each spawn.
fn prepare_note(oomexec: &Path, rounds: usize) -> String {
    let time = |command: &str| {
        let mut launch = Launch::new(command);
        launch.env_clear().envs(VARIABLES).env("PATH", LONG_PATH);
        launch.oomexec(oomexec);
        assert_eq!(launch.prepare().via, Via::Oomexec);
        let once = |_| {
            let start = Instant::now();
            black_box(launch.prepare());
            start.elapsed().as_secs_f64() * 1e6
        };
        Summary::of((0..rounds * 10).map(once)).shown(1)
    };
    format!(
        "Before that, `prepare()` takes {} µs for a command in the last of nine directories of \
         PATH, and {} µs for an absolute path. Medians of {} calls.",
        time("true"),
        time("/bin/true"),
        rounds * 10,
    )
}

fn note(rounds: usize, seed: usize) -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "`std::process::Command` of `/bin/true`: from before `spawn` to its return, from there to \
         that of `wait`, and together. Medians of {rounds} rounds, all launchers in a random order \
         in each round (seed {seed}). Added: the median together over that of the direct launch; ×: \
         the ratio of the two. ±: the 95 % interval. The hook writes the score between fork and \
         exec. Linux {}, {processors} processors.",
        release.trim_end(),
    )
}
