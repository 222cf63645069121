//! The files that the benchmark makes for itself: two programs in assembly, a
//! shell under another name and directories to search.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Where they are. All paths are absolute: no search along PATH is measured
/// unless that is what is measured.
pub struct Programs {
    /// What is launched: `trivial.S`.
    pub trivial: String,
    /// The assembly to compare with: `floor.S`.
    pub floor: String,
    /// bash under the name `sh`, which makes it behave as a POSIX shell. The link
    /// dangles where there is no bash.
    pub bash_as_sh: String,
    /// For a PATH: `EMPTY_DIRECTORIES` directories without a file.
    pub empty: Vec<String>,
    /// For the end of a PATH: the directory that [`Programs::trivial`] is in.
    pub bin: String,
}

/// Enough for the longest PATH that is measured.
const EMPTY_DIRECTORIES: usize = 399;

impl Programs {
    /// Makes them anew, in a directory that Cargo keeps for benchmarks.
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

/// The path of a program that the distribution may have installed.
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
        // Nothing in the file that does not run.
        .args(["-s", "-Wl,--build-id=none"])
        .args(["-o", &program, &source])
        .status()
        .expect("the benchmark needs a C compiler: cc");
    assert!(status.success(), "cc cannot make {source}: {status}");
    program
}
