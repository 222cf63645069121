//! Decides whether a child is started through oomexec, through /bin/sh or directly.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::oomexec::find_oomexec;
use crate::script::{EXEC, RAISE, SPAWNER};
use crate::search::{Seen, can_enter, search};

const OPT_OUT: &str = "OPENCLAW_CHILD_OOM_SCORE_ADJ";
const OPT_OUT_WORDS: [&str; 4] = ["0", "false", "no", "off"];

const SHELL: &str = "/bin/sh";
// These variables make a shell run code or change its behaviour before it reaches the script.
const SHELL_STARTUP: [&str; 6] = ["BASH_ENV", "ENV", "CDPATH", "PS4", "SHELLOPTS", "BASHOPTS"];
const SHELL_FUNCTION: &[u8] = b"BASH_FUNC_";

/// How a child is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// Through `oomexec`, which raises its score and becomes the command.
    Oomexec,
    /// Through `/bin/sh`, with a script that does the same.
    Sh,
    /// Directly, with the score that it inherits.
    Direct,
}

impl Via {
    /// Returns `oomexec`, `sh` or `direct`, for logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Oomexec => "oomexec",
            Self::Sh => "sh",
            Self::Direct => "direct",
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// Why a child is started that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// oomexec is available.
    Oomexec,
    /// There is no usable oomexec, but `/bin/sh`.
    NoOomexec,
    /// The command is already oomexec or a shim.
    AlreadyWrapped,
    /// This is not Linux.
    NotLinux,
    /// There is no command.
    Empty,
    /// The caller set [`Launch::exempt`].
    Exempt,
    /// `OPENCLAW_CHILD_OOM_SCORE_ADJ` is `0`, `false`, `no` or `off`.
    OptedOut,
    /// The child's directory does not exist or cannot be entered.
    NoDirectory,
    /// The command is not on the child's `PATH`, or its path does not exist.
    NotFound,
    /// The command exists but is not a file that may be executed.
    NotExecutable,
    /// There is neither oomexec nor `/bin/sh`.
    NoWrapper,
    /// There is only `/bin/sh`, and it cannot run a command that begins with `-`.
    DashCommand,
    /// There is only `/bin/sh`, and it cannot set `argv[0]`.
    Argv0,
}

impl Why {
    /// Returns a code for logs, the same as in the Node library.
    pub fn code(self) -> &'static str {
        match self {
            Self::Oomexec => "oomexec",
            Self::NoOomexec => "no-oomexec",
            Self::AlreadyWrapped => "already-wrapped",
            Self::NotLinux => "not-linux",
            Self::Empty => "empty",
            Self::Exempt => "exempt",
            Self::OptedOut => "opted-out",
            Self::NoDirectory => "no-directory",
            Self::NotFound => "not-found",
            Self::NotExecutable => "not-executable",
            Self::NoWrapper => "no-wrapper",
            Self::DashCommand => "dash-command",
            Self::Argv0 => "argv0",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The command to spawn, and the decision behind it.
#[derive(Debug)]
pub struct Prepared {
    /// The command, ready to spawn. Only its stdio is still to be set.
    pub command: Command,
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
}

/// A child to start. Build it like a [`Command`]; [`prepare`](Launch::prepare) turns it into one.
///
/// ```
/// use oomexec_spawner::{Launch, Via};
///
/// let prepared = Launch::new("ls").arg("-l").current_dir("/").prepare();
/// println!("{} {} {:?}", prepared.via, prepared.why, prepared.command);
///
/// let transport = Launch::new("ssh").arg("host").exempt(true).prepare();
/// assert_eq!(transport.via, Via::Direct);
/// ```
#[derive(Clone, Debug)]
pub struct Launch {
    program: OsString,
    args: Vec<OsString>,
    env_clear: bool,
    env: BTreeMap<OsString, Option<OsString>>,
    current_dir: Option<PathBuf>,
    argv0: Option<OsString>,
    pin: bool,
    exempt: bool,
    oomexec: Option<PathBuf>,
    use_oomexec: bool,
    use_shell: bool,
    platform: String,
}

impl Launch {
    /// Creates a launch of `program`.
    ///
    /// Looks it up as [`Command`] does: on the child's `PATH`, from its directory.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env_clear: false,
            env: BTreeMap::new(),
            current_dir: None,
            argv0: None,
            pin: false,
            exempt: false,
            oomexec: None,
            use_oomexec: true,
            use_shell: true,
            platform: std::env::consts::OS.to_owned(),
        }
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        let value = Some(value.as_ref().to_owned());
        self.env.insert(name.as_ref().to_owned(), value);
        self
    }

    /// Sets variables of the child's environment.
    pub fn envs(
        &mut self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> &mut Self {
        for (name, value) in variables {
            self.env(name, value);
        }
        self
    }

    /// Removes a variable from the child's environment.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.env.insert(name.as_ref().to_owned(), None);
        self
    }

    /// Clears the child's environment: nothing is inherited, and variables set so far are dropped.
    pub fn env_clear(&mut self) -> &mut Self {
        self.env_clear = true;
        self.env.clear();
        self
    }

    /// Sets the child's directory.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Self {
        self.current_dir = Some(directory.as_ref().to_owned());
        self
    }

    /// Sets the child's `argv[0]`: a login shell needs `-bash`.
    pub fn argv0(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.argv0 = Some(name.as_ref().to_owned());
        self
    }

    /// Holds the score of a program that sets its own (a browser). Only oomexec can.
    pub fn pin(&mut self, pin: bool) -> &mut Self {
        self.pin = pin;
        self
    }

    /// Always starts the child directly.
    ///
    /// For a transport (docker, podman, ssh): killing it would cut off the work at its other end.
    pub fn exempt(&mut self, exempt: bool) -> &mut Self {
        self.exempt = exempt;
        self
    }

    /// Sets the absolute path of the oomexec to try first.
    pub fn oomexec(&mut self, path: impl AsRef<Path>) -> &mut Self {
        self.oomexec = Some(path.as_ref().to_owned());
        self.use_oomexec = true;
        self
    }

    /// Uses no oomexec.
    pub fn without_oomexec(&mut self) -> &mut Self {
        self.use_oomexec = false;
        self
    }

    /// Uses no `/bin/sh`.
    pub fn without_shell(&mut self) -> &mut Self {
        self.use_shell = false;
        self
    }

    /// Decides for another platform, named as in [`std::env::consts::OS`]. For tests of a gateway.
    pub fn platform(&mut self, name: &str) -> &mut Self {
        name.clone_into(&mut self.platform);
        self
    }

    /// Decides what to spawn so that the kernel kills the child before the gateway.
    ///
    /// The first call for an oomexec runs it to check that it works here, and waits at most a second.
    pub fn prepare(&self) -> Prepared {
        if self.platform != "linux" {
            return self.direct(Why::NotLinux);
        }
        if self.program.is_empty() {
            return self.direct(Why::Empty);
        }
        if self.exempt {
            return self.direct(Why::Exempt);
        }
        if self.is_opted_out() {
            return self.direct(Why::OptedOut);
        }

        // A command that cannot run is spawned directly: the runtime's error says more than a wrapper's exit status.
        let directory = self.current_dir.as_deref();
        if directory.is_some_and(|directory| !can_enter(directory)) {
            return self.direct(Why::NoDirectory);
        }
        let path = self.variable("PATH");
        match search(&self.program, path.as_deref(), directory) {
            Seen::Executable => {}
            Seen::NotExecutable => return self.direct(Why::NotExecutable),
            Seen::Nothing => return self.direct(Why::NotFound),
        }

        if Path::new(&self.program).file_name() == Some(OsStr::new("oomexec")) {
            return self.as_given(Via::Oomexec, Why::AlreadyWrapped);
        }
        if self.program == SHELL
            && matches!(&self.args[..], [c, script, ..] if c == "-c" && is_shim(script))
        {
            return self.as_given(Via::Sh, Why::AlreadyWrapped);
        }

        let found = if self.use_oomexec {
            find_oomexec(self.oomexec.as_deref()).path
        } else {
            None
        };
        if let Some(oomexec) = found {
            if oomexec.as_os_str() == self.program {
                return self.as_given(Via::Oomexec, Why::AlreadyWrapped);
            }
            return self.through_oomexec(&oomexec);
        }

        if !self.use_shell || !fs::metadata(SHELL).is_ok_and(|shell| shell.is_file()) {
            return self.direct(Why::NoWrapper);
        }
        if self.program.as_encoded_bytes().starts_with(b"-") {
            return self.direct(Why::DashCommand);
        }
        if self
            .argv0
            .as_ref()
            .is_some_and(|name| *name != self.program)
        {
            return self.direct(Why::Argv0);
        }
        self.through_shell()
    }

    fn through_oomexec(&self, oomexec: &Path) -> Prepared {
        let mut command = self.command(oomexec.as_os_str());
        if let Some(name) = &self.argv0 {
            command.arg("-a").arg(name);
        }
        if self.pin {
            command.arg("--pin");
        }
        command.arg("--").arg(&self.program).args(&self.args);
        Prepared {
            command,
            via: Via::Oomexec,
            why: Why::Oomexec,
        }
    }

    fn through_shell(&self) -> Prepared {
        let mut command = self.command(OsStr::new(SHELL));
        command.args(["-c", SPAWNER]);
        command.arg(&self.program).args(&self.args);
        self.remove_shell_startup(&mut command);
        Prepared {
            command,
            via: Via::Sh,
            why: Why::NoOomexec,
        }
    }

    fn direct(&self, why: Why) -> Prepared {
        self.as_given(Via::Direct, why)
    }

    fn as_given(&self, via: Via, why: Why) -> Prepared {
        let mut command = self.command(&self.program);
        command.args(&self.args);
        #[cfg(unix)]
        if let Some(name) = &self.argv0 {
            std::os::unix::process::CommandExt::arg0(&mut command, name);
        }
        if via == Via::Sh {
            self.remove_shell_startup(&mut command);
        }
        Prepared { command, via, why }
    }

    /// Returns a command for `program` in the child's environment and directory.
    fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        if self.env_clear {
            command.env_clear();
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = &self.current_dir {
            command.current_dir(directory);
        }
        command
    }

    fn remove_shell_startup(&self, command: &mut Command) {
        let inherited = std::env::vars_os().filter(|_| !self.env_clear);
        for name in inherited
            .map(|(name, _)| name)
            .chain(self.env.keys().cloned())
        {
            if is_shell_startup(&name) {
                command.env_remove(name);
            }
        }
    }

    /// Returns a variable of the child's environment.
    fn variable(&self, name: &str) -> Option<OsString> {
        match self.env.get(OsStr::new(name)) {
            Some(value) => value.clone(),
            None if self.env_clear => None,
            None => std::env::var_os(name),
        }
    }

    // The child's environment decides if it has the variable, else the gateway's: a reduced environment for the child
    // must not undo the gateway's opt-out.
    fn is_opted_out(&self) -> bool {
        let word = self.variable(OPT_OUT).or_else(|| std::env::var_os(OPT_OUT));
        word.as_deref()
            .and_then(OsStr::to_str)
            .is_some_and(is_opt_out)
    }
}

// Trims the same white space as oomexec itself.
fn is_opt_out(word: &str) -> bool {
    let word = word.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    OPT_OUT_WORDS
        .iter()
        .any(|opt_out| word.eq_ignore_ascii_case(opt_out))
}

fn is_shim(script: &OsStr) -> bool {
    let script = script.as_encoded_bytes();
    script == SPAWNER.as_bytes()
        || (script.starts_with(RAISE.as_bytes()) && script.ends_with(EXEC.as_bytes()))
}

fn is_shell_startup(name: &OsStr) -> bool {
    SHELL_STARTUP.iter().any(|startup| name == *startup)
        || name.as_encoded_bytes().starts_with(SHELL_FUNCTION)
}
