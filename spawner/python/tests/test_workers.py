"""What no wrapper can raise: workers that are forked. The README has their one line."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from testenv import OWN, score_of

README = Path(__file__).parents[1] / "README.md"
LINE = "def raise_score():\n" + '    Path("/proc/self/oom_score_adj").write_text("1000")\n'


def test_the_readme_has_the_line() -> None:
    assert LINE in README.read_text()


names: dict[str, Any] = {"Path": Path}
exec(LINE, names)  # noqa: S102


def raise_score() -> None:
    names["raise_score"]()


def own_score(_: int) -> int:
    return score_of("self")


def test_a_forked_worker_inherits_the_score_of_its_parent() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map(own_score, [1]) == [OWN]


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_the_line_raises_each_worker_and_not_its_parent(method: str) -> None:
    context = multiprocessing.get_context(method)
    with context.Pool(2, raise_score) as pool:
        assert set(pool.map(own_score, range(8))) == {1000}
    with ProcessPoolExecutor(2, mp_context=context, initializer=raise_score) as executor:
        assert set(executor.map(own_score, range(8))) == {1000}
    assert score_of("self") == OWN
