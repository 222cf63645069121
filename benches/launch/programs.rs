//! The files that the benchmark makes: two programs in assembly, a link to a shell, and
//! directories to search.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Their paths. All are absolute: nothing searches PATH unless the search is measured.
pub struct Programs {
    /// The launched program: `trivial.S`.
    pub trivial: String,
    /// The assembly to compare with: `floor.S`.
    pub floor: String,
    /// bash under the name `sh`, which makes it behave as a POSIX shell. The link
    /// dangles where there is no bash.
    pub bash_as_sh: String,
    /// `EMPTY_DIRECTORIES` directories without a file, for PATH.
    pub empty: Vec<String>,
    /// The directory of [`Programs::trivial`], for the end of PATH.
    pub bin: String,
}

/// Enough for the longest PATH that is measured.
const EMPTY_DIRECTORIES: usize = 399;

impl Programs {
    /// Makes them anew, in Cargo's directory for benchmarks.
    pub fn build() -> Self {
        let root = concat!(env!("CARGO_TARGET_TMPDIR"), "/launch");
        if Path::new(root).exists() {
            fs::remove_dir_all(root).expect("what an earlier run has left can be removed");
        }
        let bin = format!("{root}/bin");
        fs::create_dir_all(&bin).expect("the target directory is writable");

        let bash_as_sh = format!("{root}/sh");
        symlink(installed("bash"), &bash_as_sh).expect("the directory is new");

        let empty: Vec<_> = (1..=EMPTY_DIRECTORIES)
            .map(|index| format!("{root}/empty/{index:03}"))
            .collect();
        for directory in &empty {
            fs::create_dir_all(directory).expect("the target directory is writable");
        }

        Self {
            trivial: assemble("trivial", &bin),
            floor: assemble("floor", root),
            bash_as_sh,
            empty,
            bin,
        }
    }
}

/// Returns the path of a program of the distribution, which may not be installed.
pub fn installed(name: &str) -> String {
    let path = format!("/bin/{name}");
    if Path::new(&path).exists() {
        path
    } else {
        format!("/usr/bin/{name}")
    }
}

/// Makes the program `name` in `directory` from its source next to this file.
fn assemble(name: &str, directory: &str) -> String {
    let source = format!("{}/benches/launch/{name}.S", env!("CARGO_MANIFEST_DIR"));
    let program = format!("{directory}/{name}");
    let status = Command::new("cc")
        // No libc, no dynamic loader, fixed addresses: as oomexec is linked.
        .args(["-nostdlib", "-static", "-no-pie"])
        // One segment, readable and executable, with the headers in it.
        .arg("-Wl,-z,noseparate-code")
        // No symbols and no build id.
        .args(["-s", "-Wl,--build-id=none"])
        .args(["-o", &program, &source])
        .status()
        .expect("the benchmark needs a C compiler: cc");
    assert!(status.success(), "cc cannot make {source}: {status}");
    program
}
