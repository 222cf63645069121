"""Prints the licences of what is in the program, from the packages that Cargo builds it from.

    python3 licences.py VERSION

VERSION is that of the Rust whose `core` is in the program.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]

TITLE = """\
The program oomexec has code of these projects in it. Each may be used under the
MIT licence, which is what is done here.
"""


def packages() -> list[dict[str, Any]]:
    """Returns those that any machine's program is built from, without the program itself."""
    found: dict[str, dict[str, Any]] = {}
    lines = (REPOSITORY / "scripts/lib/targets").read_text().splitlines()
    for target in (line.split()[0] for line in lines if not line.startswith("#")):
        command = ["cargo", "metadata", "--locked", "--format-version=1", "--filter-platform"]
        answer = json.loads(subprocess.check_output([*command, target], cwd=REPOSITORY))
        nodes = {node["id"]: node["deps"] for node in answer["resolve"]["nodes"]}
        (program,) = (p["id"] for p in answer["packages"] if p["name"] == "oomexec")
        reached: set[str] = set()
        left = [program]
        while left:
            package = left.pop()
            if package not in reached:
                reached.add(package)
                left += [
                    dependency["pkg"]
                    for dependency in nodes[package]
                    if any(kind["kind"] is None for kind in dependency["dep_kinds"])
                ]
        found |= {p["id"]: p for p in answer["packages"] if p["id"] in reached - {program}}
    return sorted(found.values(), key=lambda package: package["name"])


def main(rust: str) -> None:
    print(TITLE)
    for package in packages():
        name = f"{package['name']} {package['version']}"
        licence = Path(package["manifest_path"]).parent / "LICENSE-MIT"
        if "MIT" not in package["license"].split(" OR ") or not licence.exists():
            sys.exit(f"{__file__}: {name} is not under the MIT licence, or has no LICENSE-MIT")
        print(f"== {name} ==\n\n{licence.read_text().strip()}\n")
    # Rust's own file has the texts of its compiler as well.
    own = (REPOSITORY / "LICENSE-MIT").read_text()
    terms = own[own.index("Permission is hereby granted") :].strip()
    print(f"== core and compiler_builtins, of Rust {rust} ==\n")
    print(f"Copyright (c) The Rust Project Contributors\n\n{terms}")


main(*sys.argv[1:])
