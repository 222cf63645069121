//! A fuzz of whole launches: a random command, arguments, environment and PATH,
//! over a random tree of files that can and cannot be run, launched once through
//! glibc's execvp(3) and once through oomexec.
//!
//! Both must do the same, down to the last byte that the child gets, but for the
//! differences listed in [`Difference`]. Those are foreseen from the case alone:
//! a small model of execve(2) and of both searches says what each launcher must
//! do, and each is held to that. Where the model sees none of the differences,
//! glibc's launch is the reference, and no model stands between the two.
//!
//! `scripts/fuzz-launch SECONDS` runs it for longer. In the environment:
//!
//! - `OOMEXEC_FUZZ_SECONDS`: for how long;
//! - `OOMEXEC_FUZZ_SEED`: which cases;
//! - `OOMEXEC_FUZZ_CASE`: only the case of this number, which is printed.

mod case;
mod files;
mod model;
mod random;
#[path = "../testenv/mod.rs"]
mod testenv;

use std::ffi::c_int;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use libc::ENOENT;
use oomexec::exec::reason::Reason;
use oomexec::output::{Line, Quoted};
use oomexec::sys::Errno;

use case::{Case, Text};
use files::Stock;
use model::Model;
use random::Random;
use testenv::{lacks_own_mounts, own_score};

/// The seed and the time of a plain `cargo test`.
const SEED: u64 = 1;
const SECONDS: u64 = 3;

/// So many cases are run however long it takes: among them each difference must
/// be met, or the fuzz has gone blind.
const CASES_MIN: u64 = 600;

/// A launch that takes longer hangs.
const LAUNCH_SECONDS_MAX: u32 = 10;

/// linux/limits.h: the first counts the NUL, the second does not.
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;

/// Where oomexec looks without a PATH, and glibc does not.
const LOCAL: &str = "/usr/local/bin";

/// The variable that leaves a child's score alone.
const OPT_OUT: &[u8] = b"OPENCLAW_CHILD_OOM_SCORE_ADJ=";

#[test]
fn a_launch_does_what_execvp_does_but_for_the_listed_differences() {
    if lacks_own_mounts() {
        return;
    }
    // SAFETY: the call takes a number.
    unsafe { libc::umask(0o022) };
    let fuzz = Fuzz::new(number("OOMEXEC_FUZZ_SEED").unwrap_or(SEED));
    match number("OOMEXEC_FUZZ_CASE") {
        Some(index) => fuzz.run_one(index),
        None => fuzz.run_all(number("OOMEXEC_FUZZ_SECONDS").unwrap_or(SECONDS)),
    }
}

/// A number from the environment.
fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable}={text}: not a number")))
}

/// What all cases share.
struct Fuzz {
    seed: u64,
    stock: Stock,
    /// This process's own score, which a child of glibc's inherits.
    score: String,
    /// The number of the next case.
    next: AtomicU64,
    /// How many cases had each difference.
    met: [AtomicU64; Difference::ALL.len()],
}

impl Fuzz {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            stock: Stock::new(),
            score: own_score().trim_end().to_owned(),
            next: AtomicU64::new(0),
            met: Default::default(),
        }
    }

    /// Runs the case of this number and shows it.
    fn run_one(&self, index: u64) {
        println!("{:#?}", self.case(index));
        self.run(index)
            .unwrap_or_else(|failure| panic!("{failure}"));
    }

    /// Runs cases for so many seconds.
    fn run_all(&self, seconds: u64) {
        let begin = Instant::now();
        let failures = self.run_until(begin + Duration::from_secs(seconds));
        let launches = 2 * self.next.load(Ordering::Relaxed);
        println!(
            "seed {}: {launches} launches, {:.0} a second",
            self.seed,
            launches as f64 / begin.elapsed().as_secs_f64()
        );
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        for difference in Difference::ALL {
            let cases = self.met[difference as usize].load(Ordering::Relaxed);
            println!("{cases} cases of {difference:?}");
            assert_ne!(cases, 0, "no case had it");
        }
    }

    /// Runs cases on every processor until the deadline, or until one fails.
    fn run_until(&self, deadline: Instant) -> Vec<String> {
        let stop = AtomicBool::new(false);
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let index = self.next.fetch_add(1, Ordering::Relaxed);
                if let Err(failure) = self.run(index) {
                    stop.store(true, Ordering::Relaxed);
                    return Some(failure);
                }
                if index >= CASES_MIN && Instant::now() >= deadline {
                    break;
                }
            }
            None
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, _>| worker.join().expect("no panic");
            workers.into_iter().filter_map(join).collect()
        })
    }

    fn case(&self, index: u64) -> Case {
        // Each case has a stream of its own, so that it can be had alone.
        let mut random = Random(self.seed);
        random.0 = random.next() ^ index;
        let dir = self.stock.dir.join(format!("case-{index}"));
        Case::random(&mut random, dir)
    }

    fn run(&self, index: u64) -> Result<(), String> {
        let case = self.case(index);
        case.make(&self.stock);
        let verdict = self.judge(&case);
        case.remove();
        verdict.map_err(|failure| {
            format!(
                "{failure}\n{case:#?}\nagain: OOMEXEC_FUZZ_SEED={} OOMEXEC_FUZZ_CASE={index} \
                 cargo test --release --test fuzz_launch -- --nocapture",
                self.seed
            )
        })
    }

    /// Launches a case both ways, and looks at what came of it.
    fn judge(&self, case: &Case) -> Result<(), String> {
        let glibc = case.launch(&self.stock.execvp);
        let oomexec = case.launch(&self.stock.oomexec);
        let model = Model {
            case,
            show: &self.stock.show,
        };
        let (foreseen, differences) = model.glibc();
        for difference in &differences {
            self.met[*difference as usize].fetch_add(1, Ordering::Relaxed);
        }
        let score = if opted_out(&case.environment) {
            &self.score
        } else {
            "1000"
        };
        is_as_foreseen(&glibc, &foreseen, case, &self.score)
            .map_err(|what| format!("glibc, or the model of it: {what}"))
            .and_then(|()| {
                is_as_foreseen(&oomexec, &model.oomexec(), case, score)
                    .map_err(|what| format!("oomexec: {what}"))
            })
            .and_then(|()| match differences[..] {
                [] => is_as_glibc(&oomexec, &glibc, case),
                _ => Ok(()),
            })
            .map_err(|what| {
                format!("{what}\n{differences:?}\nglibc: {glibc:?}\noomexec: {oomexec:?}")
            })
    }
}

/// Where oomexec may differ from glibc's execvp(3): nowhere else.
#[derive(Clone, Copy, Debug)]
enum Difference {
    /// Without a PATH, oomexec looks in [`LOCAL`] too.
    DefaultPath,
    /// A candidate that is a loop, or too long a name, ends glibc's search.
    GoesOn,
    /// For an element too long for the kernel, glibc looks in the current
    /// directory.
    LongElement,
    /// A search that ends with "not a directory" has not found the command.
    NotFound,
    /// glibc hands a program for another machine to the shell.
    OtherMachine,
    /// glibc lets the shell take a path that begins with `-` or `+` for options.
    Option,
    /// oomexec says what a file that is there lacks.
    Lacking,
}

impl Difference {
    const ALL: [Self; 7] = [
        Self::DefaultPath,
        Self::GoesOn,
        Self::LongElement,
        Self::NotFound,
        Self::OtherMachine,
        Self::Option,
        Self::Lacking,
    ];
}

/// What a launcher must do.
enum Forecast {
    /// Become a command that does this.
    Runs(Run),
    /// Get this errno from execvp(3).
    Fails(c_int),
    /// Give this reason, as oomexec does.
    Refuses(Box<Reason>),
}

/// What a command does.
enum Run {
    /// Prints its score and a newline, then this, and exits with this status.
    Prints(Vec<u8>, i32),
    /// Nothing, with success.
    Nothing,
    /// What a shell does with options, or with what it cannot read.
    Anything,
}

/// Looks that the launcher did what it must; its child's score is `score`.
fn is_as_foreseen(
    output: &Output,
    forecast: &Forecast,
    case: &Case,
    score: &str,
) -> Result<(), String> {
    match forecast {
        Forecast::Runs(Run::Prints(rest, status)) => {
            let stdout = [format!("score {score}\n").as_bytes(), rest].concat();
            ended(output, *status, &stdout, b"")
        }
        Forecast::Runs(Run::Nothing) => ended(output, 0, b"", b""),
        Forecast::Runs(Run::Anything) => {
            let failed =
                output.stderr.starts_with(b"oomexec: ") || errno_of_glibc(output).is_some();
            match output.status.code() {
                Some(_) if !failed => Ok(()),
                _ => Err("must be: the shell runs".into()),
            }
        }
        Forecast::Fails(errno) => ended(output, 99, b"", format!("errno {errno}\n").as_bytes()),
        Forecast::Refuses(reason) => refused(output, &case.command, reason),
    }
}

/// Looks that both launches came to the same, but for the score.
fn is_as_glibc(oomexec: &Output, glibc: &Output, case: &Case) -> Result<(), String> {
    if let Some(errno) = errno_of_glibc(glibc) {
        return refused(oomexec, &case.command, &Reason::Errno(Errno(errno)));
    }
    let same = after_score(&oomexec.stdout) == after_score(&glibc.stdout)
        && oomexec.stderr == glibc.stderr
        && oomexec.status == glibc.status;
    same.then_some(()).ok_or("must be: the same".into())
}

/// Looks that oomexec ran nothing, and said this reason.
fn refused(output: &Output, command: &[u8], reason: &Reason) -> Result<(), String> {
    let status = match reason {
        Reason::Errno(Errno(ENOENT))
        | Reason::Missing(_, _, Errno(ENOENT))
        | Reason::Unreachable(Errno(ENOENT)) => 127,
        _ => 126,
    };
    let line = Line::complaint(format_args!("cannot run {}: {reason}", Quoted(command)));
    ended(output, status, b"", line.as_bytes())
}

fn ended(output: &Output, status: i32, stdout: &[u8], stderr: &[u8]) -> Result<(), String> {
    let same =
        output.status.code() == Some(status) && output.stdout == stdout && output.stderr == stderr;
    same.then_some(()).ok_or_else(|| {
        let (stdout, stderr) = (stdout.escape_ascii(), stderr.escape_ascii());
        format!("must be: status {status}, stdout \"{stdout}\", stderr \"{stderr}\"")
    })
}

/// What `tests/programs/execvp.c` says when execvp(3) has returned.
fn errno_of_glibc(output: &Output) -> Option<c_int> {
    let line = std::str::from_utf8(&output.stderr).ok()?;
    let errno = line.strip_prefix("errno ")?.strip_suffix('\n')?.parse();
    errno.ok().filter(|_| output.status.code() == Some(99))
}

/// What a child printed behind its score.
fn after_score(stdout: &[u8]) -> &[u8] {
    match stdout.iter().position(|byte| *byte == b'\n') {
        Some(end) if stdout.starts_with(b"score ") => &stdout[end..],
        _ => stdout,
    }
}

/// Whether the environment leaves the child's score alone.
fn opted_out(environment: &[Text]) -> bool {
    let value = environment
        .iter()
        .find_map(|entry| entry.strip_prefix(OPT_OUT));
    value.is_some_and(|value| {
        let value = String::from_utf8_lossy(value).to_ascii_lowercase();
        let word = value.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
        ["0", "false", "no", "off"].contains(&word)
    })
}
