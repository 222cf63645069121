//! The parts of oomexec that know no system call: what the command line means
//! ([`cli`]), when the raise is opted out of ([`opt_out`]), where a command is
//! looked for ([`path`]), what a file is that cannot be run ([`binfmt`]), why
//! that is ([`reason`]), and how it is said ([`message`], [`errno`], [`status`]).
//!
//! The program that makes the calls is `src/main.rs`; it is not part of this
//! library.

#![no_std]

pub mod binfmt;
pub mod buffer;
pub mod c_text;
pub mod cgroup;
pub mod cli;
pub mod dirent;
pub mod errno;
pub mod finding;
pub mod lines;
pub mod message;
pub mod number;
pub mod opt_out;
pub mod packed;
pub mod path;
pub mod reason;
pub mod shim;
pub mod status;
pub mod words;
