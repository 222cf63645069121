//! Finds oomexec, and checks that the file is oomexec and runs here.

use std::env;
use std::fmt;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The oomexec to use, and those rejected before it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// The oomexec to use.
    pub path: Option<PathBuf>,
    /// The files before it that were named or exist, and cannot be used.
    pub rejected: Vec<Rejected>,
    pub(crate) knows: Knows,
}

/// An oomexec that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// The file's path.
    pub path: PathBuf,
    /// Why it is not used.
    pub why: Rejection,
}

/// Why an oomexec is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// Its path is relative.
    NotAbsolute,
    /// It does not exist.
    NotFound,
    /// It is not a file that may be executed.
    NotExecutable,
    /// It is on `PATH`, and belongs to neither root nor the gateway's user.
    OtherOwner,
    /// The user that the child becomes cannot execute it.
    NotForUser,
    /// It is not an ELF file for this machine.
    OtherMachine,
    /// It could not be started, or did not end in time. A slow one is checked again after a minute.
    NoAnswer,
    /// It does not answer `--version` as oomexec does.
    WrongAnswer,
}

impl Rejection {
    /// Returns a code for logs, the same as in the Node library.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAbsolute => "not-absolute",
            Self::NotFound => "not-found",
            Self::NotExecutable => "not-executable",
            Self::OtherOwner => "other-owner",
            Self::NotForUser => "not-for-user",
            Self::OtherMachine => "other-machine",
            Self::NoAnswer => "no-answer",
            Self::WrongAnswer => "wrong-answer",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// What not every oomexec can do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Knows {
    pub(crate) pin_write: bool,
}

/// Finds the oomexec that a [`Launch`] would use. For diagnostics: see [`Launch::find_oomexec`].
///
/// [`Launch`]: crate::Launch
/// [`Launch::find_oomexec`]: crate::Launch::find_oomexec
pub fn find_oomexec(first: Option<&Path>) -> Found {
    find(first, |_| true)
}

/// Finds the first oomexec that works and that `child_may_execute`.
pub(crate) fn find(first: Option<&Path>, child_may_execute: impl Fn(&Path) -> bool) -> Found {
    let mut found = Found::default();
    for (path, place) in candidates(first) {
        let why = match probe(&path, place) {
            Ok(knows) if child_may_execute(&path) => {
                found.knows = knows;
                found.path = Some(path);
                break;
            }
            Ok(_) => Rejection::NotForUser,
            // It need not be in each directory.
            Err(Rejection::NotFound) if place != Place::Named => continue,
            Err(why) => why,
        };
        found.rejected.push(Rejected { path, why });
    }
    found
}

/// How a file became a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Named,
    Beside,
    OnPath,
}

fn candidates(first: Option<&Path>) -> impl Iterator<Item = (PathBuf, Place)> {
    static BESIDE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| Some(env::current_exe().ok()?.with_file_name("oomexec")));

    let from_environment = || env::var_os("OOMEXEC_PATH").map(PathBuf::from);
    let named = iter::once(first.map(Path::to_owned)).chain(iter::once_with(from_environment));
    let named = named.flatten().filter(|path| !path.as_os_str().is_empty());
    let beside = iter::once_with(|| BESIDE.clone()).flatten();
    // With a relative element, the gateway's current directory would decide what it runs.
    let on_path = || -> Vec<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = env::split_paths(&path).filter(|directory| directory.is_absolute());
        directories.map(|one| one.join("oomexec")).collect()
    };
    let on_path = iter::once_with(on_path).flatten();
    let at = |place| move |path| (path, place);
    named
        .map(at(Place::Named))
        .chain(beside.map(at(Place::Beside)))
        .chain(on_path.map(at(Place::OnPath)))
}

#[cfg(not(unix))]
fn probe(_: &Path, _: Place) -> Result<Knows, Rejection> {
    Err(Rejection::OtherMachine)
}

#[cfg(unix)]
use unix::probe;

#[cfg(unix)]
mod unix {
    use std::collections::HashMap;
    use std::fs::{self, File, Metadata};
    use std::io::{self, Read};
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::sync::{LazyLock, Mutex, PoisonError};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Knows, Place, Rejection};
    use crate::search::{Seen, look};
    use crate::user::User;

    /// A working oomexec takes a millisecond.
    const ANSWER_WITHIN: Duration = Duration::from_secs(1);
    /// The machine may have been busy: a slow binary is checked again, but not for every child.
    const ASK_AGAIN: Duration = Duration::from_secs(60);
    const LONGEST_ANSWER: usize = 256;
    /// The status of oomexec for an option that it does not know.
    const BAD_USAGE: i32 = 125;

    /// Identifies an unchanged file. ctime shows changes that mtime can hide: `cp -p` over the file, chmod.
    #[derive(PartialEq, Eq)]
    struct Identity([i64; 5], u64, u64);

    impl Identity {
        fn of(file: &Metadata) -> Self {
            let times = [
                file.mtime(),
                file.mtime_nsec(),
                file.ctime(),
                file.ctime_nsec(),
                file.size() as i64,
            ];
            Self(times, file.dev(), file.ino())
        }
    }

    struct Probed {
        file: Identity,
        result: Result<Knows, Rejection>,
        ask_again: Option<Instant>,
    }

    static PROBED: LazyLock<Mutex<HashMap<PathBuf, Probed>>> = LazyLock::new(Mutex::default);

    /// Checks whether the file can be used. The result is cached until the file changes.
    pub(super) fn probe(path: &Path, place: Place) -> Result<Knows, Rejection> {
        if !path.is_absolute() {
            return Err(Rejection::NotAbsolute);
        }
        let metadata = fs::metadata(path).map_err(|_| Rejection::NotFound)?;
        // Whoever owns the file decides what the gateway runs.
        let owner = metadata.uid();
        let is_own = || User::own().is_some_and(|own| own.is(owner));
        if place == Place::OnPath && owner != 0 && !is_own() {
            return Err(Rejection::OtherOwner);
        }
        let file = Identity::of(&metadata);
        // The lock is held during the check, so that threads do not repeat it.
        let mut probed = PROBED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = probed.get(path) {
            let holds = last.ask_again.is_none_or(|then| Instant::now() < then);
            if last.file == file && holds {
                return last.result;
            }
        }
        let (result, ask_again) = match examine(path) {
            Ok(knows) => (Ok(knows), None),
            Err(Fault::Lasting(why)) => (Err(why), None),
            Err(Fault::Slow) => (Err(Rejection::NoAnswer), Some(Instant::now() + ASK_AGAIN)),
            Err(Fault::NotStarted) => (Err(Rejection::NoAnswer), Some(Instant::now())),
        };
        let answer = Probed {
            file,
            result,
            ask_again,
        };
        probed.insert(path.to_owned(), answer);
        result
    }

    enum Fault {
        /// Cached until the file changes.
        Lasting(Rejection),
        Slow,
        /// Not cached: it may be short of memory or still being written, and retrying is fast.
        NotStarted,
    }

    fn examine(path: &Path) -> Result<Knows, Fault> {
        if look(path) != Seen::Executable {
            return Err(Fault::Lasting(Rejection::NotExecutable));
        }
        if !is_for_this_machine(path).unwrap_or(false) {
            return Err(Fault::Lasting(Rejection::OtherMachine));
        }
        let deadline = Instant::now() + ANSWER_WITHIN;
        let ask = |options: &[&str]| {
            let (child, stdout) = start(path, options).map_err(|_| Fault::NotStarted)?;
            answer(child, stdout, deadline).map_err(|_| Fault::Slow)
        };
        let (mut status, mut answer) = ask(&["--pin=write", "--version"])?;
        let pin_write = status.success();
        if status.code() == Some(BAD_USAGE) {
            (status, answer) = ask(&["--version"])?;
        }
        if status.success() && is_version(&answer) {
            Ok(Knows { pin_write })
        } else {
            Err(Fault::Lasting(Rejection::WrongAnswer))
        }
    }

    // Checked before running it: a program for another machine fails with ENOEXEC, and some callers then run it in a
    // shell.
    fn is_for_this_machine(path: &Path) -> io::Result<bool> {
        let mut header = [0; 20];
        File::open(path)?.read_exact(&mut header)?;
        let (class, order) = (header[4], header[5]);
        let machine = u16::from_ne_bytes([header[18], header[19]]);
        Ok(header.starts_with(b"\x7fELF")
            && class
                == if cfg!(target_pointer_width = "64") {
                    2
                } else {
                    1
                }
            && order == if cfg!(target_endian = "big") { 2 } else { 1 }
            && Some(machine) == own_machine())
    }

    /// `e_machine` in the ELF header.
    fn own_machine() -> Option<u16> {
        Some(match std::env::consts::ARCH {
            "x86" => 3,
            "powerpc64" => 21,
            "s390x" => 22,
            "arm" => 40,
            "x86_64" => 62,
            "aarch64" => 183,
            "riscv64" => 243,
            "loongarch64" => 258,
            _ => return None,
        })
    }

    /// Returns whether the answer is `oomexec 1.2.3`; anything but white space may follow the 3.
    fn is_version(answer: &[u8]) -> bool {
        let Some(version) = std::str::from_utf8(answer)
            .ok()
            .and_then(|answer| answer.strip_prefix("oomexec "))
            .and_then(|version| version.strip_suffix('\n'))
        else {
            return false;
        };
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = version.splitn(3, '.').collect();
        match parts[..] {
            [major, minor, rest] => {
                is_number(major)
                    && is_number(minor)
                    && rest.starts_with(|first: char| first.is_ascii_digit())
                    && !rest.contains(char::is_whitespace)
            }
            _ => false,
        }
    }

    /// Starts it with these options. Its stdout is a socket, because reads from a socket can time out.
    fn start(path: &Path, options: &[&str]) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(path)
            .args(options)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::null())
            .spawn()?;
        Ok((child, ours))
    }

    fn answer(
        mut child: Child,
        stdout: UnixStream,
        deadline: Instant,
    ) -> io::Result<(ExitStatus, Vec<u8>)> {
        let answer = read_until(stdout, deadline);
        let status = wait_until(&mut child, deadline);
        if !matches!(status, Ok(Some(_))) {
            let _ = child.kill();
            // If the kernel cannot end it now, leave a zombie rather than wait.
            let _ = wait_until(&mut child, Instant::now() + ANSWER_WITHIN);
        }
        match status? {
            Some(status) => Ok((status, answer?)),
            None => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn read_until(mut from: UnixStream, deadline: Instant) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        let mut bytes = [0; LONGEST_ANSWER];
        while answer.len() < LONGEST_ANSWER {
            // A zero timeout, when no time is left, fails.
            from.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now())))?;
            match from.read(&mut bytes) {
                Ok(0) => break,
                Ok(length) => answer.extend_from_slice(&bytes[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(answer)
    }

    fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            let status = child.try_wait()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[cfg(test)]
    mod tests {
        use super::is_version;

        #[test]
        fn only_oomexec_with_a_version_is_accepted() {
            for right in [
                "oomexec 0.1.0\n",
                "oomexec 10.20.30\n",
                "oomexec 1.0.0-rc.1+x\n",
            ] {
                assert!(is_version(right.as_bytes()), "{right:?}");
            }
            for wrong in [
                "",
                "oomexec\n",
                "oomexec 1.0\n",
                "oomexec 1.0.x\n",
                "oomexec 1..0\n",
                "oomexec 1.0.0",
                "oomexec 1.0.0\n\n",
                "oomexec 1.0.0 x\n",
                "Oomexec 1.0.0\n",
                " oomexec 1.0.0\n",
            ] {
                assert!(!is_version(wrong.as_bytes()), "{wrong:?}");
            }
        }
    }
}
