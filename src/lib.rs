//! The rooms of the program oomexec. **This is no public API**: it changes with any
//! release. The program is `src/main.rs`; its manual is the man page.
//!
//! It is a library so that its rooms can be tested and fuzzed on the host: a program
//! without a libc cannot hold their tests.

#![no_std]

#[doc(hidden)]
pub mod check;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod exec;
#[doc(hidden)]
pub mod link;
#[doc(hidden)]
pub mod opt_out;
#[doc(hidden)]
pub mod output;
#[doc(hidden)]
pub mod pin;
#[doc(hidden)]
pub mod score;
#[doc(hidden)]
pub mod script;
#[doc(hidden)]
pub mod shim;
#[doc(hidden)]
pub mod sys;
