//! The child to start, as data; and its start.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Child, Command};

use crate::launch::{Launch, Via, Why};

// The same on every architecture.
const ENOENT: i32 = 2;
const ENOEXEC: i32 = 8;
const EACCES: i32 = 13;
const ETXTBSY: i32 = 26;

/// What to start instead of the command, and the decision behind it.
///
/// [`spawn`](Prepared::spawn) starts it. [`command`](Prepared::command) returns a [`Command`], and
/// `tokio::process::Command::from(prepared.command())` is tokio's. For another way to start a process, the other
/// methods tell its parts.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) launch: Launch,
    /// The words before the command; none if it is started as it is.
    pub(crate) wrapper: Vec<OsString>,
    /// How the child is started.
    pub via: Via,
    /// Why it is started that way.
    pub why: Why,
}

impl Prepared {
    /// Returns whether the child raises its score.
    pub fn wrapped(&self) -> bool {
        self.via != Via::Direct
    }

    /// Returns the program to execute.
    pub fn program(&self) -> &OsStr {
        self.wrapper.first().unwrap_or(&self.launch.program)
    }

    /// Returns the arguments, without `argv[0]`.
    pub fn args(&self) -> impl Iterator<Item = &OsStr> {
        let own = [&self.launch.program].into_iter().chain(&self.launch.args);
        self.wrapper.iter().chain(own).skip(1).map(OsString::as_ref)
    }

    /// Returns `argv[0]`, if it is to differ from the program.
    pub fn argv0(&self) -> Option<&OsStr> {
        let name = self.launch.argv0.as_deref();
        name.filter(|_| self.wrapper.is_empty())
    }

    /// Returns the child's directory, if it is not the gateway's.
    pub fn current_dir(&self) -> Option<&Path> {
        self.launch.current_dir.as_deref()
    }

    /// Returns the child's whole environment, with what it inherits from the gateway's as that is now.
    pub fn env(&self) -> BTreeMap<OsString, OsString> {
        let inherited = std::env::vars_os().filter(|_| !self.launch.env_clear);
        let mut environment: BTreeMap<_, _> = inherited.collect();
        for (name, value) in &self.launch.env {
            match value {
                Some(value) => environment.insert(name.clone(), value.clone()),
                None => environment.remove(name),
            };
        }
        environment
    }

    /// Returns a [`Command`] that is ready to spawn: only its stdio is still to be set.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.program());
        command.args(self.args());
        if self.launch.env_clear {
            command.env_clear();
        }
        for (name, value) in &self.launch.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = self.current_dir() {
            command.current_dir(directory);
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;

            if let Some(name) = self.argv0() {
                command.arg0(name);
            }
            if let Some(id) = self.launch.gid {
                command.gid(id);
            }
            if let Some(id) = self.launch.uid {
                command.uid(id);
            }
        }
        command
    }

    /// Starts the child, which inherits the gateway's stdio.
    ///
    /// # Errors
    ///
    /// Those of [`Command::spawn`] for the command itself: see [`spawn_with`](Prepared::spawn_with).
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.spawn_with(|prepared| prepared.command().spawn())
    }

    /// Starts the child by `spawn`; where oomexec itself cannot be executed, once more without it.
    ///
    /// A gateway lives for long, and meanwhile oomexec may be replaced or removed, also between
    /// [`prepare`](Launch::prepare) and this call. `spawn` gets what to start, and may run twice. `via` and `why` then
    /// tell how the child was started.
    ///
    /// ```
    /// use oomexec_spawner::Launch;
    /// use std::process::Stdio;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut prepared = Launch::new("true").prepare();
    /// let child = prepared.spawn_with(|it| it.command().stdout(Stdio::piped()).spawn())?;
    /// let output = child.wait_with_output()?;
    /// # assert!(output.status.success());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of `spawn`, of its second run if there was one: an error of the command, never of oomexec.
    pub fn spawn_with<T>(
        &mut self,
        mut spawn: impl FnMut(&Self) -> io::Result<T>,
    ) -> io::Result<T> {
        let error = match spawn(self) {
            Err(error) => error,
            started => return started,
        };
        // What oomexec's path can answer; that the child's directory is gone is answered alike.
        let code = error.raw_os_error();
        if !matches!(code, Some(ENOENT | ENOEXEC | EACCES | ETXTBSY)) {
            return Err(error);
        }
        match self.without_oomexec() {
            Some(again) => {
                *self = again;
                spawn(self)
            }
            None => Err(error),
        }
    }

    /// Returns what to start where oomexec itself cannot be executed; `None` if this does not start it.
    ///
    /// [`spawn_with`](Prepared::spawn_with) does this by itself. It is for a way to start a process that has errors of
    /// its own.
    pub fn without_oomexec(&self) -> Option<Self> {
        (self.why == Why::Oomexec).then(|| self.launch.clone().without_oomexec().prepare())
    }
}

/// [`Prepared::command`].
impl From<Prepared> for Command {
    fn from(prepared: Prepared) -> Self {
        prepared.command()
    }
}
