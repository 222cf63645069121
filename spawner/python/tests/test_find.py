"""Which oomexec is used, and why another is not."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from oomexec import Found, Rejected, find_oomexec, prepare
from testenv import OOMEXEC, make_file, need_root

KINDS = {
    "plain": "not-executable",
    "directory": "not-executable",
    "other-machine": "other-machine",
    "other-class": "other-machine",
    "other-order": "other-machine",
    "script": "other-machine",
    "other-program": "wrong-answer",
    "hanging": "no-answer",
}


@pytest.mark.parametrize(("kind", "why"), KINDS.items())
def test_a_file_that_cannot_be_used_is_rejected_with_the_reason(
    kind: str, why: str, place: Path
) -> None:
    path = place / kind
    make_file(path, kind)
    assert find_oomexec(path).rejected[0] == Rejected(str(path), why)  # type: ignore[arg-type]


def test_a_path_that_cannot_be_used_is_rejected_with_the_reason(place: Path) -> None:
    assert find_oomexec("oomexec").rejected[0] == Rejected("oomexec", "not-absolute")
    gone = str(place / "gone")
    assert find_oomexec(gone).rejected[0] == Rejected(gone, "not-found")
    assert find_oomexec(False) == Found(None, ())
    assert find_oomexec(OOMEXEC) == Found(OOMEXEC, (), pins_write=True)


def test_a_file_that_hangs_leaves_no_process(place: Path) -> None:
    path = place / "oomexec"
    make_file(path, "hanging")
    assert find_oomexec(path).path != str(path)
    assert str(path) not in programs()
    # The next child does not wait for it again.
    assert find_oomexec(path).rejected[0].why == "no-answer"
    assert (place / "oomexec.starts").read_text() == "x"


def programs() -> set[str]:
    running = set()
    for process in Path("/proc").glob("[0-9]*/exe"):
        with suppress(OSError):
            running.add(os.readlink(process))
    return running


def test_a_gateway_notices_that_oomexec_is_replaced(place: Path) -> None:
    path, new = place / "oomexec", place / "new"

    def via() -> str:
        return prepare("sh", oomexec=path, shell_available=lambda: False).via

    make_file(path, "oomexec")
    assert (via(), via()) == ("oomexec", "oomexec")
    # By another file, then by other contents.
    make_file(new, "other-machine")
    new.rename(path)
    assert via() == "direct"
    shutil.copy(OOMEXEC, path)
    assert via() == "oomexec"


def test_one_on_path_that_belongs_to_somebody_else_is_not_used(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_root()
    path = place / "oomexec"
    make_file(path, "oomexec")
    monkeypatch.setenv("PATH", f"{place}:/bin")
    assert find_oomexec().path == str(path)
    os.chown(path, 65534, 65534)
    assert find_oomexec().rejected == (Rejected(str(path), "other-owner"),)
    # Who names it wants it.
    assert find_oomexec(path).path == str(path)


def test_one_that_the_childs_user_cannot_execute_is_not_used(place: Path) -> None:
    need_root()
    path, link = place / "private/oomexec", place / "link"
    make_file(path, "oomexec")
    link.symlink_to("private/../private/oomexec")
    for file in (path, link):
        assert find_oomexec(file, user="nobody").path == str(file)
    path.parent.chmod(0o700)
    for file in (path, link):
        assert find_oomexec(file, user="nobody").rejected[0].why == "not-for-user"
        assert find_oomexec(file, user=0).path == str(file)
        assert find_oomexec(file, user="nobody", group=0).rejected[0].why == "not-for-user"
    path.parent.chmod(0o710)
    assert find_oomexec(link, user="nobody", group=0).path == str(link)
    (place / "loop").symlink_to("loop")
    assert find_oomexec(place / "loop", user="nobody").rejected[0].why == "not-found"
