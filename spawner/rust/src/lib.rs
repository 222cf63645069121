//! Starts a gateway's children so that the kernel kills them before the gateway when memory runs out: through `oomexec`
//! if it is available, else through `/bin/sh`, else directly. A gateway is a long-lived server that starts programs.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! let mut child = oomexec_spawner::Launch::new("true").prepare().spawn()?;
//! let status = child.wait()?;
//! # assert!(status.success());
//! # Ok(())
//! # }
//! ```
//!
//! [`Launch`] decides what to start, and [`Prepared`] starts it: with [`std::process`], with tokio or in any other way.
//! [`OomKills`] and [`explain_exit`] show whether the kernel killed a child. [`hold()`] is for browsers on kernels
//! without Landlock.
//!
//! The npm package `oomexec` does the same for Node; both are tested with the same cases.

#![forbid(unsafe_code)]

mod exit;
mod hold;
mod launch;
mod oomexec;
mod prepared;
#[allow(dead_code, reason = "the program and the measurements use the rest")]
mod script;
mod search;
#[cfg(unix)]
mod user;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use exit::{ExitKind, Explanation, OomKills, explain_exit};
pub use hold::{Hold, hold};
pub use launch::{BadScore, Launch, Pin, Via, Why};
pub use oomexec::{Found, Rejected, Rejection, find_oomexec};
pub use prepared::Prepared;
