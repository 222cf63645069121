"""Starts a tool of an agent with asyncio, and ends it when it takes too long."""

import asyncio
import os
import subprocess
from pathlib import Path

from oomexec import prepare


def score_of(pid: int) -> str:
    return Path(f"/proc/{pid}/oom_score_adj").read_text().strip()


async def main() -> None:
    prepared = prepare("sh", ["-c", "echo ready; exec sleep 1000"])
    child = await prepared.start_async(
        lambda it: asyncio.create_subprocess_exec(
            it.command, *it.args, env=it.env, stdout=subprocess.PIPE
        )
    )
    assert child.stdout is not None
    await child.stdout.readline()
    print(f"gateway {os.getpid()}: {score_of(os.getpid())}")
    print(f"child {child.pid}: {score_of(child.pid)}, by {prepared.via}")
    try:
        await asyncio.wait_for(child.wait(), timeout=0.1)
    except asyncio.TimeoutError:
        child.terminate()
    print(f"ended: {await child.wait()}")


asyncio.run(main())
