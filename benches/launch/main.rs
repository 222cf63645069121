//! What a launch through oomexec costs, next to the other ways of raising the
//! own score and to the least that any program could add: `cargo bench`.
//!
//! Three tables in GitHub Markdown on stdout, for the README; progress on
//! stderr. Nothing is asserted of a time. `OOMEXEC_BENCH_ROUNDS` sets the rounds
//! of the first table, `OOMEXEC_BENCH_SEED` the order within them,
//! `OOMEXEC_BENCH_OTHER` another build to take part.
//!
//! Where to go on reading: [`added`], [`growth`] and [`fast_path`] are the
//! tables, [`launcher`] is who takes part, [`rounds`] and [`spawn`] how times are
//! taken, [`trace`] how instructions are counted.

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

    // `cargo test --all-targets` runs this too, without the argument: then it is
    // enough that every launcher works.
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
