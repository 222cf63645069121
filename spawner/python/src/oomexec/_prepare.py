"""Decides whether a child is started through oomexec, through /bin/sh or directly.

The table of cases in ../../../cases.json is shared with the libraries for Node and Rust.
"""

import dataclasses
import errno
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from oomexec._find import find_oomexec
from oomexec._script import is_shim, spawner_script
from oomexec._search import directory_of, search
from oomexec._user import other_user

Via = Literal["oomexec", "sh", "direct"]
"""How a child is started."""

Why = Literal[
    # oomexec is available.
    "oomexec",
    # There is no usable oomexec, but /bin/sh.
    "no-oomexec",
    # The command is already oomexec or a shim.
    "already-wrapped",
    "not-linux",
    # There is no command.
    "empty",
    # Popen refuses it: a NUL byte, or a user that does not exist.
    "invalid",
    # The caller set `exempt`.
    "exempt",
    # OPENCLAW_CHILD_OOM_SCORE_ADJ is 0, false, no or off.
    "opted-out",
    # The child's directory does not exist or cannot be entered.
    "no-directory",
    "not-found",
    "not-executable",
    # There is neither oomexec nor /bin/sh.
    "no-wrapper",
    # There is only /bin/sh, and it cannot run a command that begins with `-`.
    "dash-command",
    # There is only /bin/sh, and it cannot set argv[0].
    "argv0",
    # There is only /bin/sh, and the caller set `exact_env`.
    "exact-env",
]
"""Why it is started that way."""

Text = str | bytes | os.PathLike[str] | os.PathLike[bytes]
T = TypeVar("T")

_OPT_OUT = "OPENCLAW_CHILD_OOM_SCORE_ADJ"
# Trims the same white space as oomexec itself.
_OPT_OUT_WORD = re.compile(
    r"[ \t\n\v\f\r]*(?:0|false|no|off)[ \t\n\v\f\r]*", re.IGNORECASE | re.ASCII
)

# What oomexec writes where no score is given.
_DEFAULT_SCORE = 1000

_SHELL = "/bin/sh"
# These variables make a shell run code or change its behaviour before it reaches the script.
_SHELL_STARTUP = frozenset(["BASH_ENV", "ENV", "CDPATH", "PS4", "SHELLOPTS", "BASHOPTS"])
_SHELL_FUNCTION = "BASH_FUNC_"

# How the exec of oomexec itself fails while it is replaced, or after it was removed.
_LOST = frozenset([errno.ENOENT, errno.EACCES, errno.ETXTBSY, errno.ENOEXEC])


@dataclass(frozen=True)
class Prepared:
    """What to start. Use `command`, `args`, `env` and `argv0` in place of your own."""

    command: str
    args: list[str]
    env: dict[str, str] | None
    """As given; with `via` "sh", a copy without the variables that a shell acts on.

    If none was given, that copy is of the gateway's whole environment.
    """
    argv0: str | None
    via: Via
    why: Why
    _without_oomexec: "Callable[[], Prepared] | None" = dataclasses.field(
        default=None, repr=False, compare=False
    )

    @property
    def wrapped(self) -> bool:
        """Whether the child raises its score."""
        return self.via != "direct"

    @property
    def argv(self) -> list[str]:
        """The whole argument list of Popen, whose `executable` is `command`."""
        return [self.command if self.argv0 is None else self.argv0, *self.args]

    def start(self, spawn: "Callable[[Prepared], T]") -> T:
        """Starts the child by `spawn`; where oomexec itself cannot be executed, once more without.

        A gateway lives for long, and meanwhile oomexec may be replaced or removed. `spawn` gets what
        to start, raises OSError as Popen does, and may be called twice.
        """
        try:
            return spawn(self)
        except OSError as error:
            again = self._after(error)
        return spawn(again)

    async def start_async(self, spawn: "Callable[[Prepared], Awaitable[T]]") -> T:
        """Does the same for asyncio."""
        try:
            return await spawn(self)
        except OSError as error:
            again = self._after(error)
        return await spawn(again)

    def _after(self, error: OSError) -> "Prepared":
        """Returns what to start after an error of oomexec; raises the error if it is another's."""
        is_lost = error.errno in _LOST and error.filename == self.command
        if not is_lost or self._without_oomexec is None:
            raise error
        return self._without_oomexec()


@dataclass(frozen=True)
class _Launch:
    """The options of prepare(), in its order."""

    command: str
    args: list[str]
    env: dict[str, str] | None
    cwd: str | None
    argv0: str | None
    user: int | str | None
    group: int | str | None
    pin: bool | Literal["write"]
    score: int
    exact_env: bool
    exempt: bool
    oomexec: str | Literal[False] | None
    platform: str
    shell_available: Callable[[], bool]


def prepare(
    command: Text,
    args: Sequence[Text] = (),
    *,
    env: Mapping[str, str] | None = None,
    cwd: Text | None = None,
    argv0: Text | None = None,
    user: int | str | None = None,
    group: int | str | None = None,
    pin: bool | Literal["write"] = False,
    score: int = _DEFAULT_SCORE,
    exact_env: bool = False,
    exempt: bool = False,
    oomexec: Text | Literal[False] | None = None,
    platform: str = sys.platform,
    shell_available: Callable[[], bool] = lambda: os.path.isfile(_SHELL),
) -> Prepared:
    """Decides what to start so that the kernel kills the child before the gateway.

    Raises TypeError or ValueError for an argument of the wrong type or value. What Popen refuses for
    another reason is handed on, so that the error is Popen's own.

    env, cwd, user, group: the child's, as for Popen; default: the gateway's.
    argv0: the child's argv[0].
    score: the child's oom_score_adj, -1000 to 1000.
    pin: hold that score, as `oomexec --pin` does: True in Chromium and shells, "write" in every
        program, which then writes nothing below /proc. Only oomexec can.
    exact_env: start through oomexec or directly, never through /bin/sh, which drops some variables
        and adds others.
    exempt: always start directly. For a transport (docker, podman, ssh): to kill it would cut off
        the work at its other end.
    oomexec: the absolute path of the oomexec to try first; False: use none.
    platform, shell_available: decide for another platform or shell.
    """
    if isinstance(args, str | bytes):
        raise TypeError(f"bad args {args!r}: it must be a list of arguments")
    if not (isinstance(pin, bool) or pin == "write"):
        raise ValueError(f'bad pin {pin!r}: it must be True, "write" or False')
    if not isinstance(score, int) or isinstance(score, bool) or not -1000 <= score <= 1000:
        raise ValueError(f"bad score {score!r}: it must be a whole number from -1000 to 1000")
    launch = _Launch(
        os.fsdecode(command),
        [os.fsdecode(arg) for arg in args],
        env if env is None or isinstance(env, dict) else dict(env),
        None if cwd is None else os.fsdecode(cwd),
        None if argv0 is None else os.fsdecode(argv0),
        user,
        group,
        pin,
        score,
        exact_env,
        exempt,
        oomexec if oomexec is None or oomexec is False else os.fsdecode(oomexec),
        platform,
        shell_available,
    )
    return _decide(launch)


def _decide(launch: _Launch) -> Prepared:
    command, args = launch.command, launch.args
    env = os.environ if launch.env is None else launch.env

    def direct(why: Why) -> Prepared:
        return _as_given(launch, "direct", why)

    if launch.platform != "linux":
        return direct("not-linux")
    if not command:
        return direct("empty")
    if any("\0" in text for text in (command, launch.argv0 or "", launch.cwd or "", *args)):
        return direct("invalid")
    if launch.exempt:
        return direct("exempt")
    if _is_opted_out(env):
        return direct("opted-out")

    # A command that cannot run is started directly: Popen's error says more than the exit status of
    # a wrapper.
    directory = directory_of(launch.cwd)
    if directory is None:
        return direct("no-directory")
    try:
        found = search(command, env.get("PATH"), directory, other_user(launch.user, launch.group))
    except KeyError:
        return direct("invalid")
    if found != "executable":
        return direct(found)

    if os.path.basename(command) == "oomexec":
        return _as_given(launch, "oomexec", "already-wrapped")
    if command == _SHELL and args[:1] == ["-c"] and len(args) > 1 and is_shim(args[1]):
        return _as_given(launch, "sh", "already-wrapped")

    oomexec = find_oomexec(launch.oomexec, user=launch.user, group=launch.group)
    if oomexec.path is not None:
        if command == oomexec.path:
            return _as_given(launch, "oomexec", "already-wrapped")
        return _through_oomexec(launch, oomexec.path, oomexec.pins_write)

    if not launch.shell_available():
        return direct("no-wrapper")
    # A shell drops some variables, and adds others.
    if launch.exact_env:
        return direct("exact-env")
    if command.startswith("-"):
        return direct("dash-command")
    if launch.argv0 not in (None, command):
        return direct("argv0")
    return _through_shell(launch)


def _through_oomexec(launch: _Launch, path: str, pins_write: bool) -> Prepared:
    options: list[str] = []
    if launch.score != _DEFAULT_SCORE:
        options += ["-n", str(launch.score)]
    if launch.argv0 is not None:
        options += ["-a", launch.argv0]
    if launch.pin:
        options.append("--pin=write" if launch.pin == "write" and pins_write else "--pin")
    return Prepared(
        path,
        [*options, "--", launch.command, *launch.args],
        launch.env,
        None,
        "oomexec",
        "oomexec",
        lambda: _decide(dataclasses.replace(launch, oomexec=False)),
    )


def _through_shell(launch: _Launch) -> Prepared:
    args = ["-c", spawner_script(launch.score), launch.command, *launch.args]
    return Prepared(_SHELL, args, _without_shell_startup(launch.env), None, "sh", "no-oomexec")


def _as_given(launch: _Launch, via: Via, why: Why) -> Prepared:
    is_of_shell = via == "sh" and not launch.exact_env
    env = _without_shell_startup(launch.env) if is_of_shell else launch.env
    return Prepared(launch.command, launch.args, env, launch.argv0, via, why)


def _is_opted_out(env: Mapping[str, str]) -> bool:
    # The child's environment decides if it has the variable, else the gateway's: a reduced
    # environment for the child must not undo the gateway's opt-out.
    word = env.get(_OPT_OUT, os.environ.get(_OPT_OUT, ""))
    return _OPT_OUT_WORD.fullmatch(word) is not None


def _without_shell_startup(env: Mapping[str, str] | None) -> dict[str, str]:
    return {
        name: value
        for name, value in (os.environ if env is None else env).items()
        if name not in _SHELL_STARTUP and not name.startswith(_SHELL_FUNCTION)
    }
