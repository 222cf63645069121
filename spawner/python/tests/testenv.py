"""The oomexec to test with, and real files and children."""

import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


def _oomexec() -> str:
    places = [REPOSITORY / f"target/{profile}/oomexec" for profile in ("debug", "release")]
    if named := os.environ.get("OOMEXEC_TEST_BINARY"):
        places = [Path(named)]
    for place in places:
        if place.exists():
            return str(place)
    sys.exit(f"no oomexec to test with (scripts/test-python builds one): not at {places}")


OOMEXEC = _oomexec()

# The environment of whoever runs the tests must not change the results.
for name in ("OPENCLAW_CHILD_OOM_SCORE_ADJ", "OOMEXEC_PATH"):
    os.environ.pop(name, None)


def score_of(pid: int | str) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


# The gateway's own score. These tests are the gateway.
OWN = score_of("self")
if OWN >= 1000:
    sys.exit("these tests need a score below 1000: a raised child must differ from the gateway")


def need_root() -> None:
    """For a test of other users: only root can become one, or give it a file."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")


def make_file(path: Path, kind: str) -> None:
    """Makes a file of a kind of cases.json."""
    path.parent.mkdir(parents=True, exist_ok=True)
    program = Path(OOMEXEC).read_bytes()
    little = program[5] == 1
    if kind == "directory":
        path.mkdir()
    elif kind == "plain":
        path.write_bytes(b"")
        path.chmod(0o644)
    elif kind == "other-program":
        path.symlink_to(os.path.realpath(sys.executable))
    elif kind == "oomexec":
        shutil.copy(OOMEXEC, path)
    elif kind in ("older-oomexec", "hanging"):
        shutil.copy(_compiled(kind), path)
    else:
        cpu = 183 if platform.machine() == "x86_64" else 62
        contents = {
            "executable": b"#!/bin/sh\n",
            "no-interpreter": b"#!/gone/interpreter\n",
            "script": b"#!/bin/sh\necho oomexec 0.1.0\n",
            "other-machine": _patched(program, 18, cpu.to_bytes(2, "little" if little else "big")),
            "other-class": _patched(program, 4, bytes([3 - program[4]])),
            "other-order": _patched(program, 5, bytes([3 - program[5]])),
        }
        path.write_bytes(contents[kind])
        path.chmod(0o755)


def _patched(program: bytes, offset: int, replacement: bytes) -> bytes:
    return program[:offset] + replacement + program[offset + len(replacement) :]


# Counts its starts in a file beside it.
HANGING = """
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
    char name[4096];
    snprintf(name, sizeof name, "%s.starts", argv[0]);
    FILE *starts = fopen(name, "a");
    fputc('x', starts);
    fclose(starts);
    for (;;) pause();
}
"""


@functools.cache
def _compiled(kind: str) -> str:
    directory = tempfile.TemporaryDirectory(prefix="oomexec-python-")
    _KEPT.append(directory)
    source, program = Path(directory.name, "source.c"), f"{directory.name}/program"
    if kind == "hanging":
        source.write_text(HANGING)
    else:
        shutil.copy(REPOSITORY / "spawner/older-oomexec.c", source)
    subprocess.run(["cc", "-O1", "-o", program, source], check=True)
    return program


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@contextmanager
def looping(script: str, go: Path, *arguments: str) -> Iterator[None]:
    """Runs a shell's commands again and again; after the block the last of them has ended."""
    go.touch()
    loop = f'while [ -e "$0" ] && kill -0 {os.getpid()}; do {script}; done'
    with subprocess.Popen(["sh", "-c", loop, go, *arguments], stderr=subprocess.DEVNULL):
        try:
            yield
        finally:
            go.unlink()
