"""Workers that are forked execute nothing, so no wrapper can raise them: they do it themselves."""

import multiprocessing
import os
from pathlib import Path


def raise_score() -> None:
    Path("/proc/self/oom_score_adj").write_text("1000")


def score(who: str) -> str:
    return f"{who} {os.getpid()}: {Path('/proc/self/oom_score_adj').read_text().strip()}"


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1, initializer=raise_score) as pool:
        print(score("gateway"))
        print(f"{pool.apply(score, ['child'])}, by itself")
