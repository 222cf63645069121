//! Decides whether a child is started through oomexec, through /bin/sh or directly.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::oomexec::{Found, Knows, find};
use crate::prepared::Prepared;
use crate::script::{EXEC, RAISE, SPAWNER};
use crate::search::{Seen, can_enter, search};
#[cfg(unix)]
use crate::user::User;

const SCORE: i32 = 1000;
const LOWEST_SCORE: i32 = -1000;

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
    /// The command is not on the child's `PATH`, or its path or its `#!` interpreter does not exist.
    NotFound,
    /// The command exists but is not a file that may be executed.
    NotExecutable,
    /// There is neither oomexec nor `/bin/sh`.
    NoWrapper,
    /// There is only `/bin/sh`, and the caller set [`Launch::exact_env`].
    ExactEnv,
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
            Self::ExactEnv => "exact-env",
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

/// How the score of a program that sets its own (a browser) is held. Only oomexec can, where the kernel lets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pin {
    /// It is not held.
    #[default]
    Off,
    /// Nothing below `/proc` can be truncated (`--pin`): for Chromium, whose sandbox stays whole, and shells.
    Truncate,
    /// Nothing below `/proc` can be written (`--pin=write`): for what makes no user namespaces. An oomexec from before
    /// that option gets `--pin`.
    Write,
}

/// `true` is [`Pin::Truncate`], `false` is [`Pin::Off`].
impl From<bool> for Pin {
    fn from(pin: bool) -> Self {
        if pin { Self::Truncate } else { Self::Off }
    }
}

/// The error of [`Launch::score`]: this is not -1000 to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadScore(i32);

impl fmt::Display for BadScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad score {} ({LOWEST_SCORE} to {SCORE})", self.0)
    }
}

impl Error for BadScore {}

/// A child to start. Build it like a [`Command`](std::process::Command); [`prepare`](Launch::prepare) decides how to
/// start it.
///
/// ```
/// use oomexec_spawner::{Launch, Via};
///
/// let prepared = Launch::new("ls").arg("-l").current_dir("/").prepare();
/// println!("{} {} {:?}", prepared.via, prepared.why, prepared.command());
///
/// let transport = Launch::new("ssh").arg("host").exempt(true).prepare();
/// assert_eq!(transport.via, Via::Direct);
/// ```
#[derive(Clone, Debug)]
pub struct Launch {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env_clear: bool,
    pub(crate) env: BTreeMap<OsString, Option<OsString>>,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) argv0: Option<OsString>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pin: Pin,
    score: i32,
    exact_env: bool,
    exempt: bool,
    oomexec: Option<PathBuf>,
    use_oomexec: bool,
    use_shell: bool,
    platform: String,
}

impl Launch {
    /// Creates a launch of `program`.
    ///
    /// Looks it up as [`Command`](std::process::Command) does: on the child's `PATH`, from its directory.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env_clear: false,
            env: BTreeMap::new(),
            current_dir: None,
            argv0: None,
            uid: None,
            gid: None,
            pin: Pin::Off,
            score: SCORE,
            exact_env: false,
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

    /// Sets the user that the child becomes. The child then does not get an oomexec that this user cannot execute.
    ///
    /// Set it here and not on the [`Command`](std::process::Command): this is the only place that the choice of the
    /// oomexec can know it from. It works as [`CommandExt::uid`](std::os::unix::process::CommandExt::uid) does.
    #[cfg(unix)]
    pub fn uid(&mut self, id: u32) -> &mut Self {
        self.uid = Some(id);
        self
    }

    /// Sets the group that the child becomes. See [`uid`](Launch::uid).
    #[cfg(unix)]
    pub fn gid(&mut self, id: u32) -> &mut Self {
        self.gid = Some(id);
        self
    }

    /// Holds the score of a program that sets its own (a browser): `true`, or a [`Pin`].
    ///
    /// ```
    /// use oomexec_spawner::{Launch, Pin};
    ///
    /// Launch::new("chromium").pin(true);
    /// Launch::new("postgres").pin(Pin::Write);
    /// ```
    pub fn pin(&mut self, pin: impl Into<Pin>) -> &mut Self {
        self.pin = pin.into();
        self
    }

    /// Sets the child's `oom_score_adj`, -1000 to 1000. It is 1000 if this is not called.
    ///
    /// A score below the child's floor, that which it cannot go below, silently has no effect.
    ///
    /// # Errors
    ///
    /// [`BadScore`], if it is out of this range; nothing is changed then.
    pub fn score(&mut self, score: i32) -> Result<&mut Self, BadScore> {
        if !is_score(score) {
            return Err(BadScore(score));
        }
        self.score = score;
        Ok(self)
    }

    /// Gives the child exactly this environment: through oomexec or directly, never through `/bin/sh`, which drops
    /// variables and adds others.
    pub fn exact_env(&mut self, exact: bool) -> &mut Self {
        self.exact_env = exact;
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

    /// Finds the oomexec that [`prepare`](Launch::prepare) would use. For diagnostics.
    ///
    /// Tries the one that [`oomexec`](Launch::oomexec) sets, then `OOMEXEC_PATH`, then the directory of the gateway's
    /// own program, then the gateway's `PATH`.
    pub fn find_oomexec(&self) -> Found {
        if !self.use_oomexec {
            return Found::default();
        }
        find(self.oomexec.as_deref(), self.child_may_execute())
    }

    /// Returns whether the user that the child becomes, if another one, can execute the file at an absolute path.
    #[cfg(unix)]
    fn child_may_execute(&self) -> impl Fn(&Path) -> bool {
        let own = self.uid.or(self.gid).and_then(|_| User::own());
        let child = own.map(|own| own.of_child(self.uid, self.gid));
        move |path| child.as_ref().is_none_or(|child| child.can_execute(path))
    }

    #[cfg(not(unix))]
    fn child_may_execute(&self) -> impl Fn(&Path) -> bool {
        |_| true
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
        match search(
            &self.program,
            path.as_deref(),
            directory,
            self.child_may_execute(),
        ) {
            Seen::Executable => {}
            Seen::NotExecutable => return self.direct(Why::NotExecutable),
            Seen::Nothing => return self.direct(Why::NotFound),
        }

        if Path::new(&self.program).file_name() == Some(OsStr::new("oomexec")) {
            return self.as_is(Via::Oomexec, Why::AlreadyWrapped);
        }
        if self.program == SHELL
            && matches!(&self.args[..], [c, script, ..] if c == "-c" && is_shim(script))
        {
            return self.as_is(Via::Sh, Why::AlreadyWrapped);
        }

        let found = self.find_oomexec();
        if let Some(oomexec) = found.path {
            if oomexec.as_os_str() == self.program {
                return self.as_is(Via::Oomexec, Why::AlreadyWrapped);
            }
            let wrapper = self.call_of(oomexec, found.knows);
            return self.through(wrapper, Via::Oomexec, Why::Oomexec);
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
        if self.exact_env {
            return self.direct(Why::ExactEnv);
        }
        let script = script_of(self.score);
        let shell = [SHELL, "-c", &script].map(OsString::from);
        self.through(shell.to_vec(), Via::Sh, Why::NoOomexec)
    }

    fn direct(&self, why: Why) -> Prepared {
        self.as_is(Via::Direct, why)
    }

    fn as_is(&self, via: Via, why: Why) -> Prepared {
        self.through(Vec::new(), via, why)
    }

    /// Returns the child to start with `wrapper`, the words before its own.
    fn through(&self, wrapper: Vec<OsString>, via: Via, why: Why) -> Prepared {
        let mut launch = self.clone();
        if via == Via::Sh && !self.exact_env {
            launch.remove_shell_startup();
        }
        Prepared {
            launch,
            wrapper,
            via,
            why,
        }
    }

    /// Returns oomexec and its options for this child.
    fn call_of(&self, oomexec: PathBuf, knows: Knows) -> Vec<OsString> {
        let mut words = vec![oomexec.into()];
        if self.score != SCORE {
            words.extend(["-n".into(), self.score.to_string().into()]);
        }
        if let Some(name) = &self.argv0 {
            words.extend(["-a".into(), name.clone()]);
        }
        match self.pin {
            Pin::Off => {}
            Pin::Write if knows.pin_write => words.push("--pin=write".into()),
            // The weaker one rather than an error instead of the command.
            Pin::Truncate | Pin::Write => words.push("--pin".into()),
        }
        words.push("--".into());
        words
    }

    fn remove_shell_startup(&mut self) {
        let inherited = std::env::vars_os().filter(|_| !self.env_clear);
        let names = inherited
            .map(|(name, _)| name)
            .chain(self.env.keys().cloned());
        let startup: Vec<_> = names.filter(|name| is_shell_startup(name)).collect();
        for name in startup {
            self.env_remove(name);
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

fn is_score(score: i32) -> bool {
    (LOWEST_SCORE..=SCORE).contains(&score)
}

/// Returns the script that writes this score.
fn script_of(score: i32) -> String {
    SPAWNER.join(&score.to_string())
}

fn is_shim(script: &OsStr) -> bool {
    script.to_str().is_some_and(|script| {
        let [before, after] = SPAWNER;
        let score = script.strip_prefix(before);
        let score = score.and_then(|score| score.strip_suffix(after)?.parse().ok());
        score.is_some_and(is_score) || (script.starts_with(RAISE) && script.ends_with(EXEC))
    })
}

fn is_shell_startup(name: &OsStr) -> bool {
    SHELL_STARTUP.iter().any(|startup| name == *startup)
        || name.as_encoded_bytes().starts_with(SHELL_FUNCTION)
}
