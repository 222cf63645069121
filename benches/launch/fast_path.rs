//! The third table: the system calls, instructions and page faults of a launch. Unlike
//! times, these are the same on every run.

use std::fs;
use std::slice;

use crate::environment::{self, Environment};
use crate::launcher::{Launcher, command};
use crate::programs::Programs;
use crate::rounds;
use crate::shuffle::Shuffle;
use crate::spawn::Spawn;
use crate::table::{Table, grouped};
use crate::trace;

/// Page faults sometimes vary by one.
const ROUNDS: usize = 300;

/// Counts for the assembly and for oomexec.
pub fn table(programs: &Programs, shuffle: &mut Shuffle) -> Table {
    let launchers: Vec<_> = [Launcher::floor(programs), Launcher::oomexec()]
        .into_iter()
        .chain(Launcher::other())
        .collect();
    let faults = faults(&launchers, programs, shuffle);
    let rows = launchers
        .iter()
        .zip(faults)
        .map(|(launcher, faults)| row(launcher, programs, faults))
        .collect();
    // The length of its path may matter, but not where Cargo has built it.
    let path = launchers[1].file().unwrap_or_default();
    Table {
        heading: "What the fast path costs",
        columns: vec![
            "launcher",
            "system calls",
            "instructions, no environment",
            "instructions, 10 variables",
            "page faults",
            "file, bytes",
        ],
        text_columns: 1,
        rows,
        note: format!(
            "From the launcher's exec to that of the program. Both paths are absolute: argv[0] of \
             oomexec has {} bytes. ptrace counts system calls and user-space instructions exactly; \
             page faults are the median of {ROUNDS} launches minus that of the direct launch, with \
             address space randomization off.",
            path.len(),
        ),
    }
}

fn row(launcher: &Launcher, programs: &Programs, faults: f64) -> Vec<String> {
    let words = launcher.launching(&[&programs.trivial]);
    let size = launcher.file().and_then(|file| fs::metadata(file).ok());
    vec![
        launcher.label.clone(),
        trace::system_calls(command(&words, &environment::small())).to_string(),
        instructions(&words, &Environment::new(), programs),
        instructions(&words, &environment::small(), programs),
        faults.to_string(),
        grouped(size.map_or(0, |size| size.len() as usize)),
    ]
}

/// Counts the instructions of the launcher twice; checks the counter on a program whose
/// number is known.
fn instructions(words: &[String], environment: &Environment, programs: &Programs) -> String {
    let count = |words| trace::instructions(command(words, environment));
    let known = count(slice::from_ref(&programs.trivial));
    assert_eq!(known, 3, "the count of `trivial.S` is wrong");
    let (count, again) = (count(words), count(words));
    assert_eq!(count, again, "{words:?} varies");
    count.to_string()
}

/// Returns the page faults that each launcher adds to those of the program.
fn faults(launchers: &[Launcher], programs: &Programs, shuffle: &mut Shuffle) -> Vec<f64> {
    let spawns: Vec<_> = [&Launcher::direct()]
        .into_iter()
        .chain(launchers)
        .map(|launcher| {
            let words = launcher.launching(&[&programs.trivial]);
            Spawn::by_path(&words, &environment::small())
        })
        .collect();
    // One more or less depends on where the kernel puts the stack.
    // SAFETY: the call takes a number, for this thread and its children.
    unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) };
    let measured = rounds::measure(&spawns, ROUNDS, shuffle);
    // SAFETY: as above.
    unsafe { libc::personality(0) };
    let (direct, others) = measured.split_first().expect("the direct launch is one");
    let over = |faults: f64| faults - direct.faults.median();
    others
        .iter()
        .map(|other| over(other.faults.median()))
        .collect()
}
