//! Looks up a command on the child's PATH and from its directory, as execvp does in the child.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf, absolute};

#[cfg(unix)]
use crate::user::may_execute;

/// The PATH that oomexec assumes if there is none.
const DEFAULT_PATH: &str = "/usr/local/bin:/bin:/usr/bin";
/// The kernel looks no further for a `#!` line (BINPRM_BUF_SIZE).
const HEAD: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Executable,
    /// exec fails with EACCES.
    NotExecutable,
    /// exec fails with ENOENT.
    Nothing,
}

/// Looks up a command, for a child of which `child_may_execute` says what it can execute, by absolute path.
pub(crate) fn search(
    command: &OsStr,
    path: Option<&OsStr>,
    directory: Option<&Path>,
    child_may_execute: impl Fn(&Path) -> bool,
) -> Seen {
    let in_directory = |file: PathBuf| match directory {
        Some(directory) => directory.join(file),
        None => file,
    };
    let look = |file: PathBuf| {
        let file = in_directory(file);
        match look(&file) {
            Seen::Executable if lacks_interpreter(&file, in_directory) => Seen::Nothing,
            Seen::Executable if !absolute(&file).is_ok_and(|file| child_may_execute(&file)) => {
                Seen::NotExecutable
            }
            seen => seen,
        }
    };
    if command.as_encoded_bytes().contains(&b'/') {
        return look(command.into());
    }
    let mut result = Seen::Nothing;
    for element in env::split_paths(path.unwrap_or(OsStr::new(DEFAULT_PATH))) {
        // An empty element is the current directory: joining it leaves the command unchanged.
        match look(element.join(command)) {
            Seen::Executable => return Seen::Executable,
            Seen::NotExecutable => result = Seen::NotExecutable,
            Seen::Nothing => {}
        }
    }
    result
}

pub(crate) fn look(file: &Path) -> Seen {
    match fs::metadata(file) {
        Err(_) => Seen::Nothing,
        Ok(metadata) if metadata.is_file() && may_execute(&metadata) => Seen::Executable,
        Ok(_) => Seen::NotExecutable,
    }
}

pub(crate) fn can_enter(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir() && may_execute(&metadata))
}

/// Whether the file is a script whose interpreter does not exist. Unreadable, it is taken for none.
fn lacks_interpreter(file: &Path, in_directory: impl Fn(PathBuf) -> PathBuf) -> bool {
    let mut head = [0; HEAD];
    let Ok(length) = File::open(file).and_then(|mut file| file.read(&mut head)) else {
        return false;
    };
    let Some(interpreter) = interpreter(&head[..length]) else {
        return false;
    };
    let seen = fs::metadata(in_directory(interpreter));
    seen.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Returns the interpreter that a `#!` line names, as the kernel reads it.
fn interpreter(head: &[u8]) -> Option<PathBuf> {
    let line = head.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n' || *byte == 0).next()?;
    let mut words = line.split(|byte| *byte == b' ' || *byte == b'\t');
    let word = words.find(|word| !word.is_empty())?;
    // The kernel takes no word that its buffer may have cut off.
    let is_whole = head.len() < HEAD || words.next().is_some() || line.len() + 2 < head.len();
    is_whole.then(|| std::str::from_utf8(word).map(PathBuf::from).ok())?
}

#[cfg(not(unix))]
fn may_execute(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::{HEAD, interpreter};

    #[test]
    fn the_interpreter_is_the_first_word_of_a_script() {
        let long = "x".repeat(HEAD);
        for (script, expected) in [
            ("#!/bin/sh\n", Some("/bin/sh")),
            ("#!/bin/sh", Some("/bin/sh")),
            ("#! \t/bin/sh -e\necho\n", Some("/bin/sh")),
            ("#!sh\0 x", Some("sh")),
            (&format!("#!/bin/sh {long}"), Some("/bin/sh")),
            (&format!("#!/bin/{long}"), None),
            ("#!\n/bin/sh", None),
            ("#! ", None),
            (" #!/bin/sh", None),
            ("\x7fELF", None),
            ("", None),
        ] {
            let head = &script.as_bytes()[..script.len().min(HEAD)];
            let got = interpreter(head);
            assert_eq!(got.as_deref(), expected.map(AsRef::as_ref), "{script}");
        }
    }
}
