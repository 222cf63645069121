"""Why a child ended, from real kills and real counters."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oomexec import OomKills, explain_exit, prepare, read_oom_kills
from testenv import OOMEXEC, make_file

LIMIT = 256 * 1024 * 1024

# Moves into a memory cgroup, starts a child that grows until the kernel kills it and one that it
# kills itself, and prints the two explanations.
GATEWAY = """
import json, os, subprocess, sys
from pathlib import Path
from oomexec import explain_exit, prepare, read_oom_kills

cgroup, oomexec = sys.argv[1:]
Path(cgroup, "cgroup.procs").write_text(str(os.getpid()))

def explain(script, kill):
    before = read_oom_kills()
    prepared = prepare("sh", ["-c", script], oomexec=oomexec)
    with subprocess.Popen(prepared.argv, env=prepared.env) as child:
        if kill:
            child.kill()
    after = read_oom_kills(before)
    got = explain_exit(child.returncode, wrapped=prepared.wrapped, before=before, after=after)
    return got.kind, got.text

grown = explain("x=x; while :; do x=$x$x; done", False)
killed = explain("while :; do sleep 1; done", True)
print(json.dumps({"grown": grown, "killed": killed, "file": read_oom_kills().file}))
"""


@contextmanager
def cgroup(limit: int) -> Iterator[Path | None]:
    """Makes a memory cgroup below our own, or below the nearest one above that allows it.

    On v2 a cgroup that contains processes gives its children no memory controller.
    """
    own = read_oom_kills()
    parent = Path("/sys/fs/cgroup") if own is None else Path(own.file).parent
    while (parent / "cgroup.procs").exists():
        made = parent / f"oomexec-python-{os.getpid()}"
        parent = parent.parent
        try:
            made.mkdir()
        except OSError:
            continue
        try:
            if set_limit(made, limit):
                yield made
                return
        finally:
            remove(made)
    yield None


def set_limit(made: Path, limit: int) -> bool:
    for memory, swap, swap_limit in [
        ("memory.max", "memory.swap.max", 0),
        ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", limit),
    ]:
        if (made / memory).exists():
            try:
                (made / memory).write_text(str(limit))
            except OSError:
                return False
            # Not every kernel accounts swap.
            if (made / swap).exists():
                (made / swap).write_text(str(swap_limit))
            return True
    return False


def remove(made: Path) -> None:
    # The kernel takes a moment to release the last process.
    for _ in range(100):
        try:
            return made.rmdir()
        except OSError:
            time.sleep(0.05)
    return made.rmdir()


def test_a_real_oom_kill_is_told_apart_from_a_kill_by_the_gateway() -> None:
    with cgroup(LIMIT) as made:
        if made is None:
            pytest.skip("no memory cgroup can be made here")
        command = [sys.executable, "-c", GATEWAY, str(made), OOMEXEC]
        seen = json.loads(subprocess.check_output(command))
    assert Path(seen["file"]).parent == made
    assert seen["grown"][0] == "oom-killed"
    assert "killed 1 process in" in seen["grown"][1]
    assert seen["killed"][0] == "killed"


def test_the_count_of_another_process_is_read() -> None:
    own = read_oom_kills(os.getpid())
    assert own is not None and own.file == getattr(read_oom_kills(), "file", None)


@pytest.mark.parametrize("of", [0, -1, 2**31, None, OomKills("/no/such/file", 0)])
def test_there_is_no_count_of_no_process(of: int | OomKills | None) -> None:
    assert read_oom_kills(of) is None


def test_the_counts_of_two_cgroups_are_not_compared() -> None:
    before, after = OomKills("a/memory.events", 0), OomKills("b/memory.events", 1)
    assert explain_exit(-9, before=before, after=after).kind == "killed-unknown"


def test_a_signal_without_a_name_is_its_number() -> None:
    assert explain_exit(-15).text == "ended by SIGTERM"
    assert explain_exit(-40).text == "ended by signal 40"


@pytest.mark.parametrize(
    ("contents", "kind"),
    [(b"\x7fELF", "cannot-run"), (b"#!/no/such/interpreter\n", "not-found"), (None, "not-found")],
)
def test_126_and_127_of_a_wrapped_command_are_explained(
    contents: bytes | None, kind: str, place: Path
) -> None:
    file = place / "file"
    make_file(file, "executable")
    prepared = prepare(file, oomexec=OOMEXEC)
    assert prepared.via == "oomexec"
    if contents is None:
        file.unlink()
    else:
        file.write_bytes(contents)
    returncode = subprocess.run(prepared.argv, stderr=subprocess.DEVNULL).returncode
    assert explain_exit(returncode, wrapped=prepared.wrapped).kind == kind
