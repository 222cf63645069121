//! A long-lived server starts children so that the kernel kills them before the server when memory runs out: through
//! `oomexec` where it is available, else through `/bin/sh`, else directly.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! let mut child = oomexec_spawner::Launch::new("true").prepare();
//! let status = child.command.status()?;
//! # assert!(status.success());
//! # Ok(())
//! # }
//! ```
//!
//! [`Launch`] says what to spawn and why so, and yields a [`std::process::Command`]; with tokio,
//! `tokio::process::Command::from(prepared.command)`. [`OomKills`] and [`explain_exit`] tell afterwards whether the
//! kernel ended a child. [`hold()`] is for browsers on kernels without Landlock.
//!
//! The npm package `oomexec` does the same for Node: one table of cases tests both.

#![forbid(unsafe_code)]

mod exit;
mod hold;
mod launch;
mod oomexec;
mod search;

pub use exit::{ExitKind, Explanation, OomKills, explain_exit};
pub use hold::{Hold, hold};
pub use launch::{Launch, Prepared, Via, Why};
pub use oomexec::{Found, Rejected, Rejection, find_oomexec};
