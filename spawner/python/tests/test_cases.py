"""The table that all libraries are tested with: spawner/cases.json."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from oomexec import OomKills, explain_exit, prepare
from testenv import REPOSITORY, make_file

TABLE = json.loads((REPOSITORY / "spawner/cases.json").read_text())


def names(cases: list[dict[str, Any]]) -> list[str]:
    return [case["name"] for case in cases]


def fill(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$(DIR|OOMEXEC|SHIM)\b", lambda place: places[place[1]], value)
    if isinstance(value, list):
        return [fill(item, places) for item in value]
    if isinstance(value, dict):
        return {name: fill(item, places) for name, item in value.items()}
    return value


# What a case of the table may say. A new word must not be overlooked.
WORDS = re.compile(
    "name|command|args|env|gateway|cwd|argv0|pin|score|exactEnv|uid|gid|exempt|platform|oomexec"
    "|shell|files|modes|expect"
)


@pytest.mark.parametrize("case", TABLE["rule"], ids=names(TABLE["rule"]))
def test_prepare(case: dict[str, Any], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(WORDS.fullmatch(word) for word in case)
    oomexec = f"{place}/opt/oomexec"
    places = {"DIR": str(place), "OOMEXEC": oomexec, "SHIM": TABLE["shim"]}
    case = fill(case, places)
    make_file(place / "bin/tool", "executable")
    make_file(Path(oomexec), "oomexec")
    for path, kind in case.get("files", {}).items():
        make_file(place / path, kind)
    for path, mode in case.get("modes", {}).items():
        (place / path).chmod(int(mode, 8))
    monkeypatch.chdir(place)
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in case.get("gateway", {"PATH": f"{place}/bin"}).items():
        monkeypatch.setenv(name, value)

    env = case.get("env")
    if env is not None:
        env = {name: value for name, value in env.items() if value is not None}
    given = None if env is None else dict(env)
    args = case.get("args", [])
    got = prepare(
        case["command"],
        args,
        env=env,
        cwd=case.get("cwd"),
        argv0=case.get("argv0"),
        user=case.get("uid"),
        group=case.get("gid"),
        pin=case.get("pin", False),
        score=case.get("score", 1000),
        exact_env=case.get("exactEnv", False),
        exempt=case.get("exempt", False),
        oomexec=case.get("oomexec", oomexec),
        platform=case.get("platform", "linux"),
        shell_available=lambda: case.get("shell", True),
    )

    expect = case["expect"]
    is_ours = "command" in expect
    assert (got.via, got.why) == (expect["via"], expect["why"])
    assert got.command == expect.get("command", case["command"])
    assert got.args == (expect["args"] if is_ours else args)
    assert got.argv0 == (expect if is_ours else case).get("argv0")
    assert got.wrapped == (expect["via"] != "direct")
    if "removed" not in expect:
        assert got.env is env, "env is the caller's own object"
    else:
        kept = dict(os.environ if env is None else env)
        for variable in expect["removed"]:
            del kept[variable]
        assert got.env == kept
    assert env == given, "the caller's object is not changed"


@pytest.mark.parametrize("case", TABLE["exits"], ids=names(TABLE["exits"]))
def test_explain_exit(case: dict[str, Any]) -> None:
    signals = {"SIGKILL": -9, "SIGTERM": -15}

    def count(kills: int | None) -> OomKills | None:
        return None if kills is None else OomKills("memory.events", kills)

    got = explain_exit(
        signals[case["signal"]] if "signal" in case else case["code"],
        wrapped=case.get("wrapped", False),
        before=count(case.get("before")),
        after=count(case.get("after")),
    )
    assert (got.kind, got.text) == (case["kind"], case["text"])
