//! `cargo bench`: what a launch through oomexec costs, compared with other launchers and
//! with the least that any program can add.
//!
//! Prints three tables in GitHub Markdown on stdout, for the README, and progress on
//! stderr. No time makes it fail. `OOMEXEC_BENCH_ROUNDS` sets the rounds of the first
//! table, `OOMEXEC_BENCH_SEED` the order within them; `OOMEXEC_BENCH_OTHER` names another
//! build to compare.
//!
//! [`added`], [`growth`] and [`fast_path`] are the tables, [`launcher`] the launchers;
//! [`rounds`] and [`spawn`] take the times, [`trace`] counts instructions.

mod added;
mod environment;
mod fast_path;
mod growth;
mod launcher;
mod programs;
mod rounds;
mod shuffle;
mod spawn;
mod summary;
mod table;
#[path = "../../tests/testenv/trace.rs"]
mod trace;

use std::env;

use launcher::Launcher;
use programs::Programs;
use shuffle::Shuffle;

fn main() {
    let programs = Programs::build();
    let (launchers, missing): (Vec<_>, Vec<_>) = launcher::all(&programs)
        .into_iter()
        .partition(Launcher::is_here);
    launcher::check(&launchers);

    // `cargo test --all-targets` runs this too, without the argument, only to check that
    // every launcher works.
    if !env::args().any(|arg| arg == "--bench") {
        return;
    }

    let rounds = number("OOMEXEC_BENCH_ROUNDS", 2000).max(1);
    let mut shuffle = Shuffle::new(number("OOMEXEC_BENCH_SEED", 1000));
    println!(
        "{}",
        added::table(&programs, &launchers, &missing, rounds, &mut shuffle)
    );
    println!("{}", growth::table(&programs, &mut shuffle));
    println!("{}", fast_path::table(&programs, &mut shuffle));
}

/// The number in the environment variable `name`, or the default.
fn number(name: &str, default: usize) -> usize {
    match env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}
