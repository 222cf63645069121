//! The oomexec that the tests of this crate and of ../../../../examples/rust test with.

use std::env;
use std::path::{Path, PathBuf};

/// Returns the path in OOMEXEC_TEST_BINARY, or that of a build in the repository.
pub fn oomexec() -> PathBuf {
    let places = match env::var_os("OOMEXEC_TEST_BINARY") {
        Some(place) => vec![PathBuf::from(place)],
        None => {
            let mut directories = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
            let root = directories.find(|directory| directory.join("spawner").is_dir());
            let target = root.expect("the repository").join("target");
            vec![target.join("debug/oomexec"), target.join("release/oomexec")]
        }
    };
    let found = places.iter().find(|place| place.exists());
    found.cloned().unwrap_or_else(|| {
        panic!(
            "no oomexec to test with (cargo build, or set OOMEXEC_TEST_BINARY): not at {places:?}"
        )
    })
}
