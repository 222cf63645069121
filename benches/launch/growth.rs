//! The second table: how the added time grows with the environment, the arguments and
//! PATH.

use std::env;

use crate::environment::{self, Environment};
use crate::launcher::Launcher;
use crate::programs::Programs;
use crate::rounds;
use crate::shuffle::Shuffle;
use crate::spawn::Spawn;
use crate::summary::Summary;
use crate::table::{Table, grouped};

/// Fewer than in the first table: these launches take milliseconds.
const ROUNDS: usize = 300;

/// More: searches are fast, and some add almost nothing.
const SEARCH_ROUNDS: usize = 1000;

/// 1.5 MB in variables of 100 bytes. Linux accepts 2 MiB of strings and pointers
/// together under the usual stack limit of 8 MiB, and 128 KiB in one string.
const VARIABLES: usize = 15_000;
const VARIABLE_SIZE: usize = 100;

/// 1 MB with their pointers.
const ARGUMENTS: usize = 100_000;

/// How many directories PATH has; the program is in the last.
const PATHS: [usize; 3] = [1, 10, 400];

/// Measures large environments, many arguments and long searches.
pub fn table(programs: &Programs, shuffle: &mut Shuffle) -> Table {
    let program = [programs.trivial.as_str()];
    let large = environment::large(VARIABLES, VARIABLE_SIZE);
    let mut rows = passed_on("1.5 MB of environment", programs, &program, &large, shuffle);

    let mut many = vec!["x"; 1 + ARGUMENTS];
    many[0] = &programs.trivial;
    let small = environment::small();
    let condition = format!("{} arguments", grouped(ARGUMENTS));
    rows.extend(passed_on(&condition, programs, &many, &small, shuffle));

    for elements in PATHS {
        rows.extend(searched(elements, programs, shuffle));
    }
    Table {
        heading: "Growth",
        columns: vec!["condition", "what", "launch, µs", "added, µs", "ratio"],
        text_columns: 2,
        rows,
        note: format!(
            "Medians of {} rounds, of {} for the searches; otherwise as above. The environment has \
             {} variables of {VARIABLE_SIZE} bytes; the ratio is to the assembly under the same \
             condition. A search: what a launch by name adds to the same launch by absolute path; the \
             program is in the last directory of PATH, and the others are empty. Its ratio is to \
             libc's `posix_spawnp`, which also searches in the spawned child, so that neither pays \
             for a process or for the start of a libc. –: no more than the noise.",
            grouped(ROUNDS),
            grouped(SEARCH_ROUNDS),
            grouped(VARIABLES),
        ),
    }
}

/// Measures the assembly and oomexec with a large `program` or `environment`.
fn passed_on(
    condition: &str,
    programs: &Programs,
    program: &[&str],
    environment: &Environment,
    shuffle: &mut Shuffle,
) -> Vec<Vec<String>> {
    let launchers = [
        Launcher::direct(),
        Launcher::floor(programs),
        Launcher::oomexec(),
    ];
    let spawns = launchers
        .each_ref()
        .map(|launcher| Spawn::by_path(&launcher.launching(program), environment));
    let measured = rounds::measure(&spawns, ROUNDS, shuffle);

    let [direct, floor, oomexec] = [0, 1, 2].map(|index| &measured[index].time);
    let least = floor.over(direct);
    let more = oomexec.over(direct);
    let [direct_label, floor_label, oomexec_label] = launchers.map(|launcher| launcher.label);
    vec![
        row(condition, &direct_label, direct, "–".into(), "–".into()),
        row(
            condition,
            &floor_label,
            floor,
            least.to_string(),
            least.times(&least),
        ),
        row(
            condition,
            &oomexec_label,
            oomexec,
            more.to_string(),
            more.times(&least),
        ),
    ]
}

/// Measures the searches of libc and of oomexec in a PATH of so many elements.
fn searched(elements: usize, programs: &Programs, shuffle: &mut Shuffle) -> Vec<Vec<String>> {
    let mut path = programs.empty[..elements - 1].to_vec();
    path.push(programs.bin.clone());
    let path = path.join(":");
    // SAFETY: this process has one thread.
    unsafe { env::set_var("PATH", &path) };

    let environment = environment::with_path(&path);
    let (direct, oomexec) = (Launcher::direct(), Launcher::oomexec());
    let file = [programs.trivial.as_str()];
    let name = ["trivial"];
    let spawns = [
        Spawn::by_path(&direct.launching(&file), &environment),
        Spawn::by_name(&direct.launching(&name), &environment),
        Spawn::by_path(&oomexec.launching(&file), &environment),
        Spawn::by_path(&oomexec.launching(&name), &environment),
    ];
    let measured = rounds::measure(&spawns, SEARCH_ROUNDS, shuffle);

    let [path_of_libc, name_of_libc, path_of_own, name_of_own] =
        [0, 1, 2, 3].map(|index| &measured[index].time);
    let libc = name_of_libc.over(path_of_libc);
    let own = name_of_own.over(path_of_own);
    let condition = format!("PATH of {elements}");
    vec![
        row(
            &condition,
            "search by `posix_spawnp`",
            name_of_libc,
            libc.to_string(),
            libc.times(&libc),
        ),
        row(
            &condition,
            "search by oomexec",
            name_of_own,
            own.to_string(),
            own.times(&libc),
        ),
    ]
}

fn row(condition: &str, what: &str, launch: &Summary, added: String, ratio: String) -> Vec<String> {
    let launch = format!("{:.1}", launch.median());
    vec![condition.into(), what.into(), launch, added, ratio]
}
