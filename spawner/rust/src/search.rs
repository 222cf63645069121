//! Where a command is looked up: on the child's PATH and from its directory, as execvp will in the child.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// What oomexec searches where there is no PATH.
const DEFAULT_PATH: &str = "/usr/local/bin:/bin:/usr/bin";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Executable,
    /// The system would say EACCES.
    NotExecutable,
    /// ENOENT.
    Nothing,
}

pub(crate) fn search(command: &OsStr, path: Option<&OsStr>, directory: Option<&Path>) -> Seen {
    let in_directory = |file: PathBuf| match directory {
        Some(directory) => directory.join(file),
        None => file,
    };
    if command.as_encoded_bytes().contains(&b'/') {
        return look(&in_directory(command.into()));
    }
    let mut result = Seen::Nothing;
    for element in env::split_paths(path.unwrap_or(OsStr::new(DEFAULT_PATH))) {
        // An empty element is the current directory: joining to it leaves the command alone.
        match look(&in_directory(element.join(command))) {
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

// access(2) is not in std. The mode says the same but for access control lists and `noexec` mounts, where the wrapper
// gives the error, with 126, in the runtime's place.
#[cfg(unix)]
fn may_execute(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    let mode = metadata.mode() & 0o111;
    if mode == 0 || mode == 0o111 {
        return mode != 0;
    }
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return true;
    };
    let ids = |name: &str| -> Vec<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or("")
            .split_ascii_whitespace()
            .filter_map(|id| id.parse().ok())
            .collect()
    };
    // The last of the four is the one that files are checked with.
    let user = ids("Uid:").last().copied();
    if user == Some(0) {
        true
    } else if user == Some(metadata.uid()) {
        mode & 0o100 != 0
    } else if ids("Gid:").last() == Some(&metadata.gid())
        || ids("Groups:").contains(&metadata.gid())
    {
        mode & 0o010 != 0
    } else {
        mode & 0o001 != 0
    }
}

#[cfg(not(unix))]
fn may_execute(_: &Metadata) -> bool {
    true
}
