"""Explains why a child ended, from the kernel's counters."""

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class OomKills:
    """The kernel's count of OOM kills in a cgroup, and its file."""

    file: str
    kills: int


def read_oom_kills(of: Literal["self"] | int | OomKills | None = "self") -> OomKills | None:
    """Reads the OOM kill count of a process's memory cgroup; None if there is none.

    `of` is "self", a pid, or an earlier reading: its file is read again, since the pid of a child
    that has ended says nothing.
    """
    if of is None:
        return None
    if isinstance(of, OomKills):
        return _read_counter(of.file)
    lines, mounts = _lines(f"/proc/{of}/cgroup"), _lines("/proc/self/mountinfo")
    for path, kind, file in _memberships(lines):
        for mount in mounts:
            for directory in _upwards(_directory_in(mount, kind, path)):
                counter = _read_counter(f"{directory}/{file}")
                if counter is not None:
                    return counter
    return None


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as opened:
            return opened.read().split("\n")
    except OSError:
        return []


def _memberships(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Parses /proc/PID/cgroup, with lines like 4:memory:/path (v1) or 0::/path (v2).

    If both exist, memory is on v1.
    """
    parts = [line.split(":", 2) for line in lines]
    memberships = [(part[1].split(","), part[2]) for part in parts if len(part) == 3]
    for controllers, path in memberships:
        if "memory" in controllers:
            yield path, "cgroup", "memory.oom_control"
    for controllers, path in memberships:
        if controllers == [""]:
            yield path, "cgroup2", "memory.events"


def _directory_in(mount: str, kind: str, path: str) -> tuple[str, str] | None:
    """Returns the mount point, and the cgroup's path below it, for a line of mountinfo.

    That is: id parent major:minor ROOT POINT options... - TYPE source SUPER
    """
    left, _, right = mount.partition(" - ")
    mount_kind, _, options = (*right.split(" "), "", "")[:3]
    if mount_kind != kind or (kind == "cgroup" and "memory" not in options.split(",")):
        return None
    root, point = (_decode(field) for field in left.split(" ")[3:5])
    root = root.rstrip("/")
    if path != root and not path.startswith(f"{root}/"):
        return None
    return point, path[len(root) :].rstrip("/")


def _decode(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


def _upwards(directory: tuple[str, str] | None) -> Iterator[str]:
    """Lists a cgroup and those above it, up to the mount point.

    A cgroup without its own memory counter is counted in the nearest one above that has one. In a
    container the mount point may be the process's own cgroup, while /proc names it by the host's
    path.
    """
    if directory is None:
        return
    point, below = directory
    while below:
        yield point + below
        below = os.path.dirname(below).rstrip("/")
    yield point


def _read_counter(file: str) -> OomKills | None:
    count = re.search(r"^oom_kill ([0-9]+)$", "\n".join(_lines(file)), re.MULTILINE)
    return None if count is None else OomKills(file, int(count[1]))


# The same on every machine; not every system has the name.
_SIGKILL = 9

ExitKind = Literal[
    # By SIGKILL, and the OOM killer killed a process in the cgroup.
    "oom-killed",
    # By SIGKILL, and the OOM killer killed nothing in the cgroup.
    "killed",
    # By SIGKILL, and there are no counts to compare.
    "killed-unknown",
    # By another signal.
    "signal",
    # With 127, from a wrapped command.
    "not-found",
    # With 126, from a wrapped command.
    "cannot-run",
    # With any other exit status.
    "exit",
]
"""How a child ended."""


@dataclass(frozen=True)
class Explanation:
    """Why a child ended."""

    kind: ExitKind
    text: str
    """One line for people."""


def explain_exit(
    returncode: int,
    *,
    wrapped: bool = False,
    before: OomKills | None = None,
    after: OomKills | None = None,
) -> Explanation:
    """Explains why a child ended.

    `returncode` is Popen's: -9 is SIGKILL. `wrapped` is that of prepare(). `before` and `after` are
    read_oom_kills() from before the child's start, and read_oom_kills(before) from after its exit.
    The kernel counts a kill before it sends the signal, so the second never comes too early.
    """
    if returncode == -_SIGKILL:
        return _explain_kill("ended by SIGKILL", before, after)
    if returncode < 0:
        return Explanation("signal", f"ended by {_name_of(-returncode)}")
    # A shell or an init exits with 137 when SIGKILL ended its own child.
    if returncode == 128 + _SIGKILL:
        how = "exit status 137: a process below it was ended by SIGKILL"
        return _explain_kill(how, before, after)
    if wrapped and returncode == 127:
        text = "exit status 127: the command, or one that it runs, was not found"
        return Explanation("not-found", text)
    if wrapped and returncode == 126:
        text = "exit status 126: the command, or one that it runs, was found but cannot be run"
        return Explanation("cannot-run", text)
    return Explanation("exit", f"exit status {returncode}")


def _explain_kill(how: str, before: OomKills | None, after: OomKills | None) -> Explanation:
    if before is None or after is None or before.file != after.file or after.kills < before.kills:
        text = f"{how}; whether memory ran out is not known: no counter to compare"
        return Explanation("killed-unknown", text)
    kills = after.kills - before.kills
    if kills == 0:
        text = f"{how}, not by the kernel's OOM killer: it killed nothing in the cgroup meanwhile"
        return Explanation("killed", text)
    what = "1 process" if kills == 1 else f"{kills} processes"
    text = f"{how}: memory ran out, the kernel's OOM killer killed {what} in the cgroup meanwhile"
    return Explanation("oom-killed", text)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
