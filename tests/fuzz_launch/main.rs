//! Fuzzes whole launches: a random command, arguments, environment and PATH, over a
//! random tree of files that can and cannot be run, launched once through glibc's
//! execvp(3) and once through oomexec.
//!
//! Both must do the same, down to the last byte that the child gets, except for the
//! differences listed in [`Difference`]. A small model of execve(2) and of both
//! searches predicts from the case alone what each launcher must do. If it predicts
//! no difference, the two launches are also compared directly.
//!
//! `scripts/fuzz-launch SECONDS` runs it for longer. Environment variables:
//!
//! - `OOMEXEC_FUZZ_SECONDS`: the duration;
//! - `OOMEXEC_FUZZ_SEED`: the seed of the cases;
//! - `OOMEXEC_FUZZ_CASE`: the number of one case to run and print.

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

/// The least number of cases to run, however long it takes. Each difference must occur
/// in them, or the fuzz no longer tests it.
const CASES_MIN: u64 = 600;

/// A launch that takes longer hangs.
const LAUNCH_SECONDS_MAX: u32 = 10;

/// linux/limits.h: the first counts the NUL, the second does not.
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;

/// The directory that oomexec searches without a PATH, and glibc does not.
const LOCAL: &str = "/usr/local/bin";

/// The variable that opts out of the raise.
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

/// Returns a number from the environment.
fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable}={text}: not a number")))
}

/// The state that all cases share.
struct Fuzz {
    seed: u64,
    stock: Stock,
    /// This process's own score, which a child of glibc's launch inherits.
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

    /// Prints and runs the case of this number.
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
            assert_ne!(cases, 0, "no case has this difference");
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
        // Each case has its own random stream, so that it can run alone.
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

    /// Launches a case both ways and checks the results.
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
            .map_err(|what| format!("glibc, or its model: {what}"))
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

/// The only ways in which oomexec may differ from glibc's execvp(3).
#[derive(Clone, Copy, Debug)]
enum Difference {
    /// Without a PATH, oomexec also searches [`LOCAL`].
    DefaultPath,
    /// A link loop or a name that is too long ends only glibc's search.
    GoesOn,
    /// For an element too long for the kernel, glibc searches the current
    /// directory.
    LongElement,
    /// After ENOTDIR in a search, oomexec says "not found".
    NotFound,
    /// glibc runs a program for another machine with the shell.
    OtherMachine,
    /// glibc's shell takes a path that begins with `-` or `+` for options.
    Option,
    /// oomexec names the missing interpreter or loader of a file.
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

/// The result that a launcher must have.
enum Forecast {
    /// It becomes a command that does this.
    Runs(Run),
    /// execvp(3) fails with this errno.
    Fails(c_int),
    /// oomexec fails with this reason.
    Refuses(Box<Reason>),
}

/// What a command does.
enum Run {
    /// Prints its score and a newline, then this, and exits with this status.
    Prints(Vec<u8>, i32),
    /// Prints nothing and exits with 0.
    Nothing,
    /// A shell gets options, or a file that it cannot read.
    Anything,
}

/// Checks a launch against the forecast; its child's score is `score`.
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

/// Checks that both launches have the same result, except for the score.
fn is_as_glibc(oomexec: &Output, glibc: &Output, case: &Case) -> Result<(), String> {
    if let Some(errno) = errno_of_glibc(glibc) {
        return refused(oomexec, &case.command, &Reason::Errno(Errno(errno)));
    }
    let same = after_score(&oomexec.stdout) == after_score(&glibc.stdout)
        && oomexec.stderr == glibc.stderr
        && oomexec.status == glibc.status;
    same.then_some(()).ok_or("must be: the same".into())
}

/// Checks that oomexec ran nothing and printed this reason.
fn refused(output: &Output, command: &[u8], reason: &Reason) -> Result<(), String> {
    let status = match reason {
        Reason::Errno(Errno(ENOENT))
        | Reason::Missing(_, _, Errno(ENOENT))
        | Reason::Unreachable(Errno(ENOENT)) => 127,
        _ => 126,
    };
    let mut line = Line::new();
    let line = line.fill_complaint(format_args!("cannot run {}: {reason}", Quoted(command)));
    ended(output, status, b"", line)
}

fn ended(output: &Output, status: i32, stdout: &[u8], stderr: &[u8]) -> Result<(), String> {
    let same =
        output.status.code() == Some(status) && output.stdout == stdout && output.stderr == stderr;
    same.then_some(()).ok_or_else(|| {
        let (stdout, stderr) = (stdout.escape_ascii(), stderr.escape_ascii());
        format!("must be: status {status}, stdout \"{stdout}\", stderr \"{stderr}\"")
    })
}

/// Parses the errno that `tests/programs/execvp.c` prints.
fn errno_of_glibc(output: &Output) -> Option<c_int> {
    let line = std::str::from_utf8(&output.stderr).ok()?;
    let errno = line.strip_prefix("errno ")?.strip_suffix('\n')?.parse();
    errno.ok().filter(|_| output.status.code() == Some(99))
}

/// Returns what a child printed after its score.
fn after_score(stdout: &[u8]) -> &[u8] {
    match stdout.iter().position(|byte| *byte == b'\n') {
        Some(end) if stdout.starts_with(b"score ") => &stdout[end..],
        _ => stdout,
    }
}

/// Returns whether the environment opts out of the raise.
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
