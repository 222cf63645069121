//! Starts a gateway's children so that the kernel kills them before the gateway when memory runs out: through `oomexec`
//! if it is available, else through `/bin/sh`, else directly. A gateway is a long-lived server that starts programs.
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
//! [`Launch`] decides what to spawn and prepares a [`std::process::Command`]; with tokio, use
//! `tokio::process::Command::from(prepared.command)`. [`OomKills`] and [`explain_exit`] show whether the kernel killed
//! a child. [`hold()`] is for browsers on kernels without Landlock.
//!
//! The npm package `oomexec` does the same for Node; both are tested with the same cases.

#![forbid(unsafe_code)]

mod exit;
mod hold;
mod launch;
mod oomexec;
#[allow(dead_code, reason = "the program and the measurements use the rest")]
mod script;
mod search;

pub use exit::{ExitKind, Explanation, OomKills, explain_exit};
pub use hold::{Hold, hold};
pub use launch::{Launch, Prepared, Via, Why};
pub use oomexec::{Found, Rejected, Rejection, find_oomexec};
