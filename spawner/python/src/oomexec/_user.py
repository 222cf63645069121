"""Tells whether another user may execute a file: the one that the child becomes."""

import os
import stat
from typing import NamedTuple

# As many as the kernel follows (path_resolution(7)).
_MOST_LINKS = 40


class User(NamedTuple):
    uid: int
    gid: int


def other_user(user: int | str | None, group: int | str | None) -> User | None:
    """Returns the user that a child with these options of Popen becomes.

    None where the gateway may do no more than it: the user is the gateway's own, or root. Raises
    KeyError if there is no such name, as Popen does.
    """
    if user is None and group is None:
        return None
    own = User(os.geteuid(), os.getegid())
    child = User(own.uid if user is None else _uid(user), own.gid if group is None else _gid(group))
    return None if child.uid == 0 or child == own else child


def _uid(user: int | str) -> int:
    import pwd

    return user if isinstance(user, int) else pwd.getpwnam(user).pw_uid


def _gid(group: int | str) -> int:
    import grp

    return group if isinstance(group, int) else grp.getgrnam(group).gr_gid


def may_execute(user: User, path: str) -> bool:
    """Tells by the mode bits whether a user may execute a file, and get to it.

    The path is absolute. Other groups than the user's own do not count: Popen may drop them.
    """
    try:
        file = _follow(user, path)
        return file is not None and _may_x(user, file)
    except OSError:
        return False


def _follow(user: User, path: str) -> str | None:
    """Follows a path and its symbolic links, as the kernel does for the user."""
    at = "/"
    rest = _parts(path)
    links = 0
    while rest:
        if links > _MOST_LINKS or not _may_x(user, at):
            return None
        # `..` is textual here: no link is left in `at`.
        following = os.path.normpath(os.path.join(at, rest.pop()))
        if stat.S_ISLNK(os.lstat(following).st_mode):
            links += 1
            target = os.readlink(following)
            rest += _parts(target)
            if target.startswith("/"):
                at = "/"
        else:
            at = following
    return at


def _parts(path: str) -> list[str]:
    """Returns the names in a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part]


def _may_x(user: User, path: str) -> bool:
    seen = os.lstat(path)
    shift = 6 if seen.st_uid == user.uid else 3 if seen.st_gid == user.gid else 0
    return seen.st_mode >> shift & 1 == 1
