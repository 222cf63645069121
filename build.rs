//! How the program is linked: as a freestanding static executable of one segment.
//! And its messages, packed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/words.rs"]
#[allow(dead_code)] // of which the texts alone are needed here
mod words;

fn main() {
    link();
    pack();
}

fn link() {
    let dir = env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let script = Path::new(&dir).join("src/link.ld");
    println!("cargo::rerun-if-changed={}", script.display());

    // Each is spelled so that cc, clang and a linker called directly take it
    // alike.
    let flags = [
        // No libc and no start files: `_start` is in src/arch.
        "-nostdlib",
        // No dynamic loader, and fixed addresses: nothing to relocate when the
        // program starts, so nothing that has to be writable.
        "-static",
        "-no-pie",
    ];
    for flag in flags {
        println!("cargo::rustc-link-arg-bins={flag}");
    }
    println!("cargo::rustc-link-arg-bins=-T{}", script.display());
}

/// Writes what src/packed.rs includes: the messages of src/words.rs by byte-pair
/// encoding, each with a NUL behind it. Again and again the pair of bytes that is
/// there most often gets a byte of its own.
fn pack() {
    println!("cargo::rerun-if-changed=src/words.rs");
    println!("cargo::rerun-if-changed=build.rs");

    let mut text: Vec<u8> = Vec::new();
    for message in words::MESSAGES {
        assert!(message.is_ascii() && !message.contains('\0'));
        let mark = |text: String, (mark, byte): (&str, u8)| {
            text.replace(mark, &char::from(byte).to_string())
        };
        text.extend(
            words::MARKS
                .into_iter()
                .fold(message.to_string(), mark)
                .bytes(),
        );
        text.push(0);
    }

    let mut pairs: Vec<[u8; 2]> = Vec::new();
    for byte in words::PAIR..=u8::MAX {
        let mut counts: BTreeMap<[u8; 2], u32> = BTreeMap::new();
        for pair in text.windows(2).filter(|pair| !pair.contains(&0)) {
            *counts.entry([pair[0], pair[1]]).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|(_, count)| **count);
        let (pair, _) = most.expect("there are messages");
        text = replace(&text, *pair, byte);
        pairs.push(*pair);
    }

    let code = format!(
        "/// The messages in their order, each with a NUL behind it.\n\
         pub static MESSAGES: [u8; {}] = {text:?};\n\n\
         /// What each byte from [`crate::words::PAIR`] on stands for.\n\
         pub static PAIRS: [[u8; 2]; {}] = {pairs:?};\n",
        text.len(),
        pairs.len(),
    );
    let out = PathBuf::from(env::var("OUT_DIR").expect("Cargo sets it"));
    fs::write(out.join("packed.rs"), code).expect("OUT_DIR is there");
}

fn replace(text: &[u8], pair: [u8; 2], byte: u8) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        if rest.starts_with(&pair) {
            replaced.push(byte);
            rest = &rest[2..];
        } else {
            replaced.push(*first);
            rest = behind;
        }
    }
    replaced
}
