//! The first table: what each launcher adds to a launch.

use std::fs;
use std::thread;

use crate::environment;
use crate::launcher::Launcher;
use crate::programs::Programs;
use crate::rounds::{self, Measured};
use crate::shuffle::Shuffle;
use crate::spawn::Spawn;
use crate::table::{Table, grouped};

const COLUMNS: [&str; 5] = [
    "launcher",
    "launch, µs",
    "added, µs",
    "× assembly",
    "over the assembly, µs",
];

/// Measures the launchers, and lists those that are missing here.
pub fn table(
    programs: &Programs,
    launchers: &[Launcher],
    missing: &[Launcher],
    rounds: usize,
    shuffle: &mut Shuffle,
) -> Table {
    let spawns: Vec<_> = launchers
        .iter()
        .map(|launcher| {
            let words = launcher.launching(&[&programs.trivial]);
            Spawn::by_path(&words, &environment::small())
        })
        .collect();
    let measured = rounds::measure(&spawns, rounds, shuffle);

    let mut rows = rows(launchers, &measured);
    rows.extend(missing.iter().map(missing_row));
    Table {
        heading: "What each launcher adds",
        columns: COLUMNS.into(),
        text_columns: 1,
        rows,
        note: note(rounds, shuffle.seed),
    }
}

/// Returns a row for each launcher. The first two are the baselines, as in
/// [`crate::launcher::all`].
fn rows(launchers: &[Launcher], measured: &[Measured]) -> Vec<Vec<String>> {
    let (direct, floor) = (&measured[0].time, &measured[1].time);
    let row = |(launcher, Measured { time, .. }): (&Launcher, &Measured)| {
        let mut row = vec![launcher.label.clone(), format!("{:.1}", time.median())];
        if !launcher.is_direct() {
            let added = time.over(direct);
            row.push(added.to_string());
            row.push(added.times(&floor.over(direct)));
            row.push(time.over_in_round(floor).to_string());
        }
        filled(row)
    };
    launchers.iter().zip(measured).map(row).collect()
}

fn missing_row(launcher: &Launcher) -> Vec<String> {
    filled(vec![launcher.label.clone(), "missing here".into()])
}

/// Fills a row up with dashes.
fn filled(mut row: Vec<String>) -> Vec<String> {
    row.resize(COLUMNS.len(), "–".into());
    row
}

fn note(rounds: usize, seed: usize) -> String {
    let environment = environment::small();
    let names: Vec<_> = environment.iter().map(|(name, _)| name.as_str()).collect();
    format!(
        "A launch: a vfork-like spawn (`posix_spawn`) of a static program of 3 instructions, until \
         `waitpid` returns. Medians of {} rounds: in each, one process runs all launchers in random \
         order (seed {seed}). Added: the median minus that of the direct launch. Over the \
         assembly: the median of the differences within a round, which a machine of varying speed \
         blurs less. ±: the 95 % interval. All paths are absolute. The environment has {} \
         variables: {}. {}",
        grouped(rounds),
        names.len(),
        names.join(" "),
        machine(),
    )
}

/// Describes the machine.
fn machine() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    format!("Linux {}, {processors} processors.", release.trim_end())
}
