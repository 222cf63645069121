"""What the table of cases cannot say: types, errors, and real children."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oomexec import Prepared, prepare
from testenv import OOMEXEC, OWN, looping, make_file, need_root, score_of

SCORE = ["/proc/self/oom_score_adj"]


def output_of(prepared: Prepared, **options: Any) -> str:
    output: bytes = subprocess.check_output(
        prepared.argv, executable=prepared.command, env=prepared.env, **options
    )
    return output.decode()


def test_a_child_is_raised_and_the_gateway_is_not() -> None:
    for how in (OOMEXEC, False):
        assert output_of(prepare("cat", SCORE, oomexec=how)) == "1000\n"
    assert output_of(prepare("cat", SCORE, oomexec=OOMEXEC, score=999)) == "999\n"
    assert output_of(prepare("cat", SCORE, exempt=True)) == f"{OWN}\n"
    assert score_of("self") == OWN


def test_a_child_is_the_command_itself() -> None:
    prepared = prepare("cat", oomexec=OOMEXEC)
    with subprocess.Popen(
        prepared.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=prepared.env
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(b"ready\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"ready\n"
        assert Path(f"/proc/{child.pid}/cmdline").read_bytes() == b"cat\0"
        child.terminate()
    assert child.returncode == -15


@pytest.mark.parametrize("oomexec", [OOMEXEC, False], ids=["through oomexec", "directly"])
def test_argv0_reaches_the_child(oomexec: Any) -> None:
    prepared = prepare("cat", ["/proc/self/cmdline"], argv0="-cat", oomexec=oomexec)
    assert output_of(prepared) == "-cat\0/proc/self/cmdline\0"


def test_bytes_and_paths_are_handed_on() -> None:
    prepared = prepare(b"cat", [Path("/x"), b"/\xff"], oomexec=OOMEXEC)
    assert [os.fsencode(arg) for arg in prepared.args] == [b"--", b"cat", b"/x", b"/\xff"]


def test_a_mapping_that_is_no_dict_becomes_one() -> None:
    assert prepare("cat", env=os.environ).env == dict(os.environ)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"args": "-l"}, TypeError, "bad args '-l': it must be a list of arguments"),
        ({"args": [1]}, TypeError, "not int"),
        ({"command": None}, TypeError, "not NoneType"),
        ({"pin": "off"}, ValueError, "bad pin 'off': it must be True, \"write\" or False"),
        ({"score": 1001}, ValueError, "bad score 1001: it must be a whole number from -1000"),
        ({"score": -1001}, ValueError, "bad score -1001"),
        ({"score": 0.5}, ValueError, "bad score 0.5"),
        ({"score": True}, ValueError, "bad score True"),
    ],
)
def test_a_bad_argument_is_an_error(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        prepare(**{"command": "cat", **arguments})


@pytest.mark.parametrize(
    "arguments",
    [
        {"command": "c\0at"},
        {"args": ["\0"]},
        {"argv0": "\0"},
        {"cwd": "/\0"},
        {"user": "no-such-user"},
        {"group": "no-such-group"},
    ],
)
def test_what_popen_refuses_is_handed_on(arguments: dict[str, Any]) -> None:
    prepared = prepare(**{"command": "cat", "oomexec": OOMEXEC, **arguments})
    assert (prepared.via, prepared.why) == ("direct", "invalid")
    assert prepared.command == arguments.get("command", "cat")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("no-such-command", {}),
        ("{place}/script", {}),
        ("{place}/plain", {}),
        ("cat", {"cwd": "/no/such/directory"}),
    ],
)
def test_the_error_of_a_command_that_cannot_run_is_popens_own(
    command: str, options: dict[str, Any], place: Path
) -> None:
    make_file(place / "script", "no-interpreter")
    make_file(place / "plain", "plain")
    command = command.format(place=place)
    with pytest.raises(OSError) as native:
        subprocess.run([command], **options)
    prepared = prepare(command, oomexec=OOMEXEC, **options)
    with pytest.raises(OSError) as ours:
        prepared.start(lambda it: subprocess.run(it.argv, env=it.env, **options))
    assert (type(ours.value), str(ours.value)) == (type(native.value), str(native.value))


def score_by_popen(oomexec: str) -> str:
    prepared = prepare("cat", SCORE, oomexec=oomexec)
    with prepared.start(
        lambda it: subprocess.Popen(it.argv, env=it.env, stdout=subprocess.PIPE, text=True)
    ) as child:
        return child.communicate()[0]


async def score_by_asyncio(oomexec: str) -> str:
    prepared = prepare("cat", SCORE, oomexec=oomexec)
    child = await prepared.start_async(
        lambda it: asyncio.create_subprocess_exec(
            it.command, *it.args, env=it.env, stdout=subprocess.PIPE
        )
    )
    return (await child.communicate())[0].decode()


REPLACE = {
    "while oomexec is installed again": 'install -m 755 "$1" "$2"; sleep 0.01',
    "while oomexec is copied over in place": 'cp "$1" "$2"; sleep 0.01',
    "while oomexec is replaced in a tight loop": 'install -m 755 "$1" "$2"; cp "$1" "$2"',
}


@pytest.mark.parametrize("replace", REPLACE.values(), ids=REPLACE.keys())
def test_no_child_of_600_is_lost(replace: str, place: Path) -> None:
    oomexec = str(place / "oomexec")
    make_file(Path(oomexec), "oomexec")
    # cp cannot write a file that is being executed; that is no matter here.
    with looping(replace, place / "go", OOMEXEC, oomexec):
        scores = [score_by_popen(oomexec) for _ in range(300)]
        scores += [asyncio.run(score_by_asyncio(oomexec)) for _ in range(300)]
    assert set(scores) == {"1000\n"}


@pytest.mark.parametrize("exact_env", [False, True], ids=["by the shell", "directly"])
def test_a_child_is_started_without_oomexec_if_that_is_gone(exact_env: bool, place: Path) -> None:
    oomexec = place / "oomexec"
    make_file(oomexec, "oomexec")
    prepared = prepare("cat", SCORE, oomexec=oomexec, exact_env=exact_env)
    assert prepared.via == "oomexec"
    oomexec.unlink()
    used: list[Prepared] = []

    def spawn(it: Prepared) -> str:
        used.append(it)
        return output_of(it)

    assert prepared.start(spawn) == (f"{OWN}\n" if exact_env else "1000\n")
    assert [it.via for it in used] == ["oomexec", "direct" if exact_env else "sh"]


def test_an_error_that_is_not_oomexecs_is_raised_at_once(place: Path) -> None:
    directory = place / "work"
    directory.mkdir()
    prepared = prepare("cat", oomexec=OOMEXEC, cwd=directory)
    directory.rmdir()
    calls: list[Prepared] = []

    def spawn(it: Prepared) -> None:
        calls.append(it)
        subprocess.run(it.argv, cwd=directory)

    with pytest.raises(FileNotFoundError) as error:
        prepared.start(spawn)
    assert error.value.filename == directory
    assert len(calls) == 1


def test_a_child_that_becomes_another_user_is_not_lost(place: Path) -> None:
    need_root()
    # npm and pip install below /root, where nobody else may go.
    oomexec = place / "root/oomexec"
    make_file(oomexec, "oomexec")
    (place / "root").chmod(0o700)
    for user in ("nobody", 65534):
        prepared = prepare("cat", SCORE, oomexec=oomexec, user=user)
        assert prepared.command != str(oomexec)
        assert output_of(prepared, user=user) == "1000\n"


def test_the_module_needs_nothing_but_python() -> None:
    script = (
        "import sys; before = set(sys.modules); import oomexec; "
        "print({name.partition('.')[0] for name in set(sys.modules) - before}"
        " - sys.stdlib_module_names)"
    )
    modules = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert modules == "{'oomexec'}\n"
