"""Makes a wheel of spawner/python, with the program for a machine in it or without one.

    python3 wheel.py DIST [MACHINE PROGRAM LICENCES]

MACHINE is Python's name for it (os.uname().machine), and LICENCES the file with those of what is in
PROGRAM. The time of all files is SOURCE_DATE_EPOCH. Nothing is compressed: not every zlib gives the
same bytes.
"""

import base64
import hashlib
import os
import sys
import time
import tomllib
import zipfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]
SOURCE = REPOSITORY / "spawner/python"
LICENCES = [REPOSITORY / "LICENSE-APACHE", REPOSITORY / "LICENSE-MIT"]


def platforms(machine: str) -> list[str]:
    """Returns the platform tags of a program that needs no libc.

    They are the oldest that installers know: of glibc 2.17 and musl 1.1, and of 2.31 and 1.2 where
    that is what there is for the machine.
    """
    if machine == "riscv64":
        return [f"manylinux_2_31_{machine}", f"musllinux_1_2_{machine}"]
    # manylinux2014 is an older name of manylinux_2_17.
    return [f"{tag}_{machine}" for tag in ("manylinux2014", "manylinux_2_17", "musllinux_1_1")]


def metadata(project: dict[str, Any], licences: list[Path]) -> str:
    """Returns the core metadata, version 2.4, of the `project` table of pyproject.toml."""
    known = {
        "name", "version", "description", "readme", "license", "license-files", "authors",
        "requires-python", "keywords", "classifiers",
    }  # fmt: skip
    if unknown := project.keys() - known:
        sys.exit(f"{__file__}: does not know {unknown} of {SOURCE}/pyproject.toml")
    fields = [
        ("Metadata-Version", "2.4"),
        ("Name", project["name"]),
        ("Version", project["version"]),
        ("Summary", project["description"]),
        ("Author", ", ".join(author["name"] for author in project["authors"])),
        ("License-Expression", project["license"]),
        *[("License-File", file.name) for file in licences],
        ("Keywords", ",".join(project["keywords"])),
        *[("Classifier", classifier) for classifier in project["classifiers"]],
        ("Requires-Python", project["requires-python"]),
        ("Description-Content-Type", "text/markdown"),
    ]
    header = "".join(f"{name}: {value}\n" for name, value in fields)
    return f"{header}\n{(SOURCE / project['readme']).read_text()}"


def digest(contents: bytes) -> str:
    code = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode().rstrip("=")
    return f"sha256={code},{len(contents)}"


def main(dist: str, machine: str = "", program: str = "", third_party: str = "") -> None:
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    release = f"{project['name']}-{project['version']}"
    info = f"{release}.dist-info"
    tags = [f"py3-none-{platform}" for platform in platforms(machine)] if machine else []
    tags = tags or ["py3-none-any"]
    licences = LICENCES + ([Path(third_party)] if machine else [])

    module = SOURCE / "src/oomexec"
    sources = [*module.glob("*.py"), module / "py.typed"]
    files = {f"oomexec/{file.name}": file.read_bytes() for file in sources}
    if machine:
        files[f"{release}.data/scripts/oomexec"] = Path(program).read_bytes()
    wheel = [
        "Wheel-Version: 1.0",
        "Generator: oomexec scripts/build-release",
        f"Root-Is-Purelib: {'false' if machine else 'true'}",
        *[f"Tag: {tag}" for tag in tags],
    ]
    files[f"{info}/WHEEL"] = "".join(f"{line}\n" for line in wheel).encode()
    files[f"{info}/METADATA"] = metadata(project, licences).encode()
    for file in licences:
        files[f"{info}/licenses/{file.name}"] = file.read_bytes()
    record = [f"{name},{digest(contents)}\n" for name, contents in sorted(files.items())]
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()

    date = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
    platform = ".".join(tag.removeprefix("py3-none-") for tag in tags)
    with zipfile.ZipFile(Path(dist, f"{release}-py3-none-{platform}.whl"), "w") as archive:
        # RECORD last, as the format recommends.
        for name in sorted(files, key=lambda name: (name == f"{info}/RECORD", name)):
            entry = zipfile.ZipInfo(name, date)
            entry.create_system = 3  # Unix, whose modes follow
            mode = 0o100755 if "/scripts/" in name else 0o100644
            entry.external_attr = mode << 16
            archive.writestr(entry, files[name])


main(*sys.argv[1:])
