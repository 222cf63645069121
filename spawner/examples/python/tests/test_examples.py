"""Each example starts the real thing, and the child's score is the kernel's own word."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1]
OOMEXEC = os.environ["OOMEXEC_TEST_BINARY"]
OWN = int(Path("/proc/self/oom_score_adj").read_text())

PATH = os.environ["PATH"]
WITHOUT_OOMEXEC = [d for d in PATH.split(":") if not Path(d, "oomexec").exists()]
# An example decides like a gateway: by its environment and what is installed.
WAYS = {
    "oomexec": ({"PATH": PATH, "OOMEXEC_PATH": OOMEXEC}, 1000),
    "sh": ({"PATH": ":".join(WITHOUT_OOMEXEC)}, 1000),
    "direct": ({"PATH": PATH, "OPENCLAW_CHILD_OOM_SCORE_ADJ": "0"}, OWN),
}


def run(example: str, environment: dict[str, str], home: Path) -> tuple[str, int, int, str]:
    """Returns what it prints: all, the scores of the gateway and the child, and the way."""
    shown = subprocess.run(
        [sys.executable, EXAMPLES / f"with_{example}.py"],
        # A browser must not read the files of whoever runs the tests.
        env={**environment, "HOME": str(home), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    gateway = re.search(r"^gateway \d+: (-?\d+)$", shown.stdout, re.MULTILINE)
    child = re.search(r"^child \d+: (-?\d+), by (\w+)$", shown.stdout, re.MULTILINE)
    assert gateway and child, shown.stdout
    return shown.stdout, int(gateway[1]), int(child[1]), child[2]


@pytest.mark.parametrize("via", WAYS)
@pytest.mark.parametrize(
    ("example", "says"),
    [
        ("subprocess", "ended: ended by SIGKILL, not by the kernel's OOM killer"),
        ("asyncio", "ended: -15"),
        ("mcp", ""),
    ],
)
def test_an_example_shows_the_scores_of_the_gateway_and_the_child(
    example: str, says: str, via: str, tmp_path: Path
) -> None:
    environment, score = WAYS[via]
    output, *seen = run(example, environment, tmp_path)
    assert seen == [OWN, score, via]
    assert says in output


def test_a_jupyter_kernel_is_raised(tmp_path: Path) -> None:
    _, *seen = run("jupyter", WAYS["oomexec"][0], tmp_path)
    assert seen == [OWN, 1000, "oomexec"]


def test_playwrights_browser_is_held(tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    lower = "(echo 0 >/proc/self/oom_score_adj) 2>/dev/null; cat /proc/self/oom_score_adj"
    if subprocess.check_output([OOMEXEC, "--pin", "--", "sh", "-c", lower]) != b"1000\n":
        pytest.skip("this kernel has no Landlock that refuses")
    sandbox = ["unshare", "--user", "--pid", "--net", "--fork", "true"]
    if os.getuid() != 0 and subprocess.run(sandbox).returncode != 0:
        pytest.skip("this kernel gives the user no namespaces for a sandbox")
    output, *seen = run("playwright", WAYS["oomexec"][0], tmp_path)
    assert seen == [OWN, 1000, "oomexec"]
    assert "the page's title: hello" in output


def test_a_forked_worker_raises_itself(tmp_path: Path) -> None:
    _, *seen = run("multiprocessing", {"PATH": PATH}, tmp_path)
    assert seen == [OWN, 1000, "itself"]
