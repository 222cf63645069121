//! How the program is linked: as a freestanding static executable of one segment.

use std::env;
use std::path::Path;

fn main() {
    // Each is spelled so that cc, clang and a linker called directly take it alike.
    let flags = [
        // No libc and no start files: `_start` is in src/rt.
        "-nostdlib",
        // No dynamic loader, and fixed addresses: nothing to relocate when the
        // program starts, so nothing that has to be writable.
        "-static",
        "-no-pie",
    ];
    for flag in flags {
        println!("cargo::rustc-link-arg-bins={flag}");
    }

    let dir = env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let script = Path::new(&dir).join("src/rt/link.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    if links_with_mold() {
        // mold takes no linker script. The program works without: it has three segments
        // then, and costs a launch two page faults more.
        println!("cargo::warning=linked with mold, oomexec launches slower");
    } else {
        println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    }
}

/// Whether the flags, the linker or `mold -run` say that mold links.
fn links_with_mold() -> bool {
    const SAY: [&str; 3] = ["CARGO_ENCODED_RUSTFLAGS", "RUSTC_LINKER", "MOLD_PATH"];
    SAY.iter().any(|name| {
        println!("cargo::rerun-if-env-changed={name}");
        let value = env::var(name).unwrap_or_default();
        value
            .split(['=', '/', ' ', '\x1f', ','])
            .any(|word| word == "mold")
    })
}
