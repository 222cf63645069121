#!/bin/sh
# Builds a crate with a build script, and a dependency from the registry.
set -eu

step new cargo new --quiet --vcs none project
cd project
cat >>Cargo.toml <<'END'
itoa = "=1.0.11"
END
cat >build.rs <<'END'
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/made.rs"), "pub const MADE: u32 = 7;").unwrap();
}
END
cat >src/main.rs <<'END'
include!(concat!(env!("OUT_DIR"), "/made.rs"));
fn main() {
    println!("{}", itoa::Buffer::new().format(MADE));
}
#[test]
fn it_is_made() {
    assert_eq!(MADE, 7);
}
END
step fetch cargo fetch --quiet
step build cargo build --quiet
step 'build, release' cargo build --quiet --release
step run cargo run --quiet
step test sh -c "cargo test --quiet | sed 's/finished in .*//'"
step doc cargo doc --quiet --no-deps
step 'what is built again' sh -c "touch src/main.rs && cargo build --message-format short 2>&1 |
    sed 's/ in [0-9.]*s//'"
step package cargo package --quiet --allow-dirty
step clean cargo clean --quiet
step 'lock file' cat Cargo.lock
