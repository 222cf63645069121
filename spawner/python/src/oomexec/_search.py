"""Looks up a command on the child's PATH and from its directory, as execvp does in the child."""

import os
import re
import stat
from typing import Literal

from oomexec._user import User, may_execute

Seen = Literal["executable", "not-executable", "not-found"]

# The PATH that oomexec assumes if there is none.
_DEFAULT_PATH = "/usr/local/bin:/bin:/usr/bin"

# BINPRM_BUF_SIZE: as much of a script as the kernel reads (fs/binfmt_script.c).
_HEAD = 256
_SHEBANG = re.compile(rb"#![ \t]*([^ \t\n\0]+)(.?)", re.DOTALL)


def search(command: str, path: str | None, directory: str, user: User | None = None) -> Seen:
    """Returns what an exec of the command finds: "not-executable" is EACCES, "not-found" ENOENT.

    `directory` is that of directory_of(), `user` that of other_user().
    """
    if "/" in command:
        return _look_at_command(command, directory, user)
    result: Seen = "not-found"
    for element in (_DEFAULT_PATH if path is None else path).split(":"):
        # An empty element is the current directory.
        seen = _look_at_command(f"{element}/{command}" if element else command, directory, user)
        if seen == "executable":
            return seen
        if seen == "not-executable":
            result = seen
    return result


def _look_at_command(command: str, directory: str, user: User | None) -> Seen:
    def in_directory(file: str) -> str:
        return file if file.startswith("/") else directory + file

    file = in_directory(command)
    seen = look(file)
    # Joined as text, as below.
    if (
        user is not None
        and seen == "executable"
        and not may_execute(user, os.path.join(os.getcwd(), file))
    ):
        return "not-executable"
    interpreter = _interpreter_of(file) if seen == "executable" else None
    # The exec of a script fails as that of its interpreter does.
    return seen if interpreter is None else look(in_directory(interpreter))


def look(file: str) -> Seen:
    """Says the same as search() of a file, whatever is in it."""
    try:
        mode = os.stat(file).st_mode
    except OSError:
        return "not-found"
    return "executable" if stat.S_ISREG(mode) and os.access(file, os.X_OK) else "not-executable"


def _interpreter_of(file: str) -> str | None:
    """Returns what the `#!` line names; None if there is none, or it may not be read."""
    try:
        with open(file, "rb", buffering=0) as opened:
            head = opened.read(_HEAD)
    except OSError:
        return None
    line = _SHEBANG.match(head)
    # The kernel does not run a name that it cannot read to its end.
    if line is None or (not line[2] and len(head) == _HEAD):
        return None
    return os.fsdecode(line[1])


def directory_of(cwd: str | None) -> str | None:
    """Returns the prefix of what is relative to the child's directory; None if it has none to enter.

    Paths are joined as text: to resolve `..` here would be wrong behind a symbolic link.
    """
    if cwd is None:
        return ""
    try:
        is_directory = stat.S_ISDIR(os.stat(cwd).st_mode)
    except OSError:
        return None
    return f"{cwd}/" if is_directory and os.access(cwd, os.X_OK) else None
