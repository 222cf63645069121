"""Finds oomexec, and checks that the file is oomexec and runs here."""

import functools
import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from oomexec._search import look
from oomexec._user import User, may_execute, other_user

# The gateway is blocked while it waits for the answer. A working oomexec takes a millisecond.
_ANSWER_WITHIN = 1.0
# The machine may have been busy: a slow program is checked again, but not for every child.
_ASK_AGAIN = 60.0
_LONGEST_ANSWER = 256
_ANSWER = re.compile(rb"oomexec [0-9]+\.[0-9]+\.[0-9]+\S*\n")
# The exit status of oomexec where it does not know an option.
_USAGE_ERROR = 125

Rejection = Literal[
    "not-absolute",
    "not-found",
    # It is not a file that may be executed.
    "not-executable",
    # It is on PATH, and belongs to neither root nor the gateway's user.
    "other-owner",
    # The user that the child becomes cannot execute it.
    "not-for-user",
    # It is no ELF file for this machine.
    "other-machine",
    # It could not be started, or did not end in time. A slow one is asked again after a minute.
    "no-answer",
    # It does not answer --version as oomexec does.
    "wrong-answer",
]
"""Why an oomexec is not used."""


@dataclass(frozen=True)
class Rejected:
    """An oomexec that is not used."""

    path: str
    why: Rejection


@dataclass(frozen=True)
class Found:
    """The oomexec to use, and those before it that were named or exist and cannot be used."""

    path: str | None
    rejected: tuple[Rejected, ...]
    pins_write: bool = False
    """Whether it knows --pin=write."""


def find_oomexec(
    choice: "str | os.PathLike[str] | Literal[False] | None" = None,
    *,
    user: int | str | None = None,
    group: int | str | None = None,
) -> Found:
    """Returns the oomexec that prepare() would use for a child of this user. For diagnostics.

    `choice` is the absolute path of the one to try first; False: none. Then come $OOMEXEC_PATH, the
    one that this package's wheel brought, and the gateway's PATH.
    """
    rejected: list[Rejected] = []
    if choice is False:
        return Found(None, ())
    child = other_user(user, group)
    for path, is_named in _candidates(None if choice is None else os.fsdecode(choice)):
        answer = _examine_for(child, path, is_named)
        if isinstance(answer, _Works):
            return Found(path, tuple(rejected), answer.pins_write)
        if is_named or answer != "not-found":
            rejected.append(Rejected(path, answer))
    return Found(None, tuple(rejected))


def _candidates(choice: str | None) -> Iterator[tuple[str, bool]]:
    if choice:
        yield choice, True
    if named := os.environ.get("OOMEXEC_PATH"):
        yield named, True
    if packaged := _of_wheel():
        yield packaged, True
    for directory in os.environ.get("PATH", "").split(":"):
        # With a relative element, the gateway's current directory would decide what it runs.
        if directory.startswith("/"):
            yield f"{directory}/oomexec", False


@functools.cache
def _of_wheel() -> str | None:
    """Returns the program that was installed with this module; None if none was."""
    site = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    owner = os.stat(__file__).st_uid
    listed = [
        # As text: pip made it so.
        os.path.normpath(os.path.join(site, file))
        for distribution in metadata.distributions(name="oomexec", path=[site])
        for file in distribution.files or ()
        if file.name == "oomexec"
    ]
    # `pip install --target` moves it, and its list of files then names another place.
    for path in [*listed, f"{site}/bin/oomexec"]:
        # Whose module it is could change this process anyway.
        if os.path.exists(path) and os.stat(path).st_uid == owner:
            return path
    return None


@dataclass(frozen=True)
class _Works:
    pins_write: bool


def _examine_for(child: User | None, path: str, is_named: bool) -> _Works | Rejection:
    if not path.startswith("/"):
        return "not-absolute"
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return "not-found"
    # What nobody named is run only if its owner could change this process anyway.
    if not is_named and stat.st_uid not in (0, os.geteuid()):
        return "other-owner"
    answer = _examine_once(path, stat)
    if isinstance(answer, _Works) and child is not None and not may_execute(child, path):
        return "not-for-user"
    return answer


_examined: dict[str, tuple[tuple[int, ...], _Works | Rejection, float]] = {}


def _examine_once(path: str, stat: os.stat_result) -> _Works | Rejection:
    """Examines the file; the result is kept until the file changes."""
    # ctime shows changes that mtime can hide: `cp -p` over the file, chmod.
    file = (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
    last = _examined.get(path)
    if last is not None and last[0] == file and time.monotonic() < last[2]:
        return last[1]
    until = float("inf")
    answer: _Works | Rejection
    try:
        answer = _examine(path)
    except TimeoutError:
        answer, until = "no-answer", time.monotonic() + _ASK_AGAIN
    except OSError:
        # Not kept: it may be short of memory or still being written, and retrying is fast.
        answer, until = "no-answer", 0.0
    _examined[path] = file, answer, until
    return answer


def _examine(path: str) -> _Works | Rejection:
    if look(path) != "executable":
        return "not-executable"
    # Before it is run: some callers would run a program for another machine in a shell.
    if _machine_of(path) != _machine_of("/proc/self/exe"):
        return "other-machine"
    status, answer = _ask(path, "--pin=write", "--version")
    pins_write = status != _USAGE_ERROR
    if not pins_write:
        status, answer = _ask(path, "--version")
    if status != 0 or _ANSWER.fullmatch(answer) is None:
        return "wrong-answer"
    return _Works(pins_write)


def _machine_of(path: str) -> bytes | None:
    """Returns the magic number, word size, byte order and CPU (e_machine) of an ELF file."""
    try:
        with open(path, "rb", buffering=0) as file:
            header = file.read(20)
    except OSError:
        return None
    return header[:6] + header[18:]


def _ask(path: str, *options: str) -> tuple[int, bytes]:
    """Returns the exit status and the answer. Raises TimeoutError if there is none in time."""
    deadline = time.monotonic() + _ANSWER_WITHIN
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(
        [path, *options], cwd="/", env={}, stdin=null, stdout=pipe, stderr=null
    ) as child:
        try:
            assert child.stdout is not None
            answer = _read(child.stdout.fileno(), deadline)
            return child.wait(max(0.0, deadline - time.monotonic())), answer
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            child.kill()


def _read(fd: int, deadline: float) -> bytes:
    # Not select(), which knows no descriptor beyond 1023.
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    answer = b""
    while len(answer) < _LONGEST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError
        chunk = os.read(fd, _LONGEST_ANSWER)
        if not chunk:
            break
        answer += chunk
    return answer
