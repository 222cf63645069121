//! Looks up a command on the child's PATH and from its directory, as execvp does in the child.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// The PATH that oomexec assumes if there is none.
const DEFAULT_PATH: &str = "/usr/local/bin:/bin:/usr/bin";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Executable,
    /// exec fails with EACCES.
    NotExecutable,
    /// exec fails with ENOENT.
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
        // An empty element is the current directory: joining it leaves the command unchanged.
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

// std has no access(2). The mode gives the same answer except with access control lists and `noexec` mounts; there the
// wrapper fails with 126 instead of the runtime.
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
    // The last of the four ids is the one used for file access.
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
