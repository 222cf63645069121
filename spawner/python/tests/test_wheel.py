"""The wheels of a release: made here of the oomexec to test, and installed by pip."""

import os
import subprocess
import sys
import zipfile
from email import message_from_bytes, message_from_string
from importlib import metadata
from pathlib import Path

import pytest

from testenv import OOMEXEC, REPOSITORY, need_root

MACHINE = os.uname().machine
ASK = "import oomexec; print(oomexec.find_oomexec().path)"


def build(directory: Path, *program: str) -> Path:
    """Makes a wheel, with a program in it if there is one."""
    directory.mkdir()
    script = REPOSITORY / "scripts/lib/build-release/wheel.py"
    licences = directory.with_name("LICENSE-THIRD-PARTY")
    licences.write_text("the licences\n")
    more = [*program, str(licences)] if program else []
    environment = {"SOURCE_DATE_EPOCH": "1700000001"}
    subprocess.run([sys.executable, script, directory, *more], env=environment, check=True)
    (wheel,) = directory.iterdir()
    return wheel


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *arguments], check=True)


def new_environment(directory: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    return f"{directory}/bin/python"


def ask(python: str, **environment: str) -> str:
    return subprocess.check_output(
        [python, "-c", ASK], env={"PATH": "/nowhere", **environment}, text=True
    ).strip()


def test_the_same_files_give_the_same_bytes(place: Path) -> None:
    one, two = build(place / "one", MACHINE, OOMEXEC), build(place / "two", MACHINE, OOMEXEC)
    assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())


NAMES = {
    "x86_64": "manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64",
    "riscv64": "manylinux_2_31_riscv64.musllinux_1_2_riscv64",
}


@pytest.mark.parametrize(("machine", "platforms"), NAMES.items())
def test_one_wheel_is_for_glibc_and_musl(machine: str, platforms: str, place: Path) -> None:
    wheel = build(place / "dist", machine, OOMEXEC)
    assert wheel.name == f"oomexec-{metadata.version('oomexec')}-py3-none-{platforms}.whl"
    for platform in platforms.split("."):
        choose = ["--no-index", "--only-binary=:all:", "--platform", platform]
        pip(
            "download", *choose, "--dest", place / platform, "--find-links", wheel.parent, "oomexec"
        )
        assert (place / platform / wheel.name).exists()


def test_pip_installs_the_program_where_the_module_finds_it(place: Path) -> None:
    wheel = build(place / "dist", MACHINE, OOMEXEC)
    python = new_environment(place / "venv")
    pip("--python", python, "install", "--no-index", wheel)
    program = place / "venv/bin/oomexec"
    assert ask(python) == str(program)
    assert program.read_bytes() == Path(OOMEXEC).read_bytes()
    assert program.stat().st_mode & 0o777 == 0o755
    assert subprocess.check_output([program, "-p", "self"]) == subprocess.check_output(
        [OOMEXEC, "-p", "self"]
    )
    # A gateway that names another wants that.
    assert ask(python, OOMEXEC_PATH=OOMEXEC) == OOMEXEC

    target = place / "target"
    pip("install", "--no-index", "--target", target, wheel)
    assert ask(sys.executable, PYTHONPATH=str(target)) == f"{target}/bin/oomexec"


def test_a_program_in_the_modules_place_that_somebody_else_owns_is_not_used(place: Path) -> None:
    need_root()
    python = new_environment(place / "venv")
    pip("--python", python, "install", "--no-index", build(place / "dist", MACHINE, OOMEXEC))
    os.chown(place / "venv/bin/oomexec", 65534, 65534)
    assert ask(python) == "None"


def test_without_a_program_the_module_works_everywhere(place: Path) -> None:
    wheel = build(place / "dist")
    assert wheel.name.endswith("-py3-none-any.whl")
    python = new_environment(place / "venv")
    pip("--python", python, "install", "--no-index", wheel)
    assert ask(python) == "None"


def test_the_metadata_is_that_of_the_package_from_source(place: Path) -> None:
    wheel = build(place / "dist")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        ours = message_from_bytes(archive.read(name))
    file = metadata.distribution("oomexec").read_text("METADATA")
    assert file is not None
    source = message_from_string(file)
    for field in {*ours.keys(), *source.keys()}:
        assert ours.get_all(field) == source.get_all(field), field
    assert str(ours.get_payload()).strip() == str(source.get_payload()).strip()
