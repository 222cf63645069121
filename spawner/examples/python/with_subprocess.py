"""Starts a supervisor's command in a process group of its own, so that one signal ends all of it."""

import os
import signal
import subprocess
from pathlib import Path

from oomexec import explain_exit, prepare, read_oom_kills


def score_of(pid: int) -> str:
    return Path(f"/proc/{pid}/oom_score_adj").read_text().strip()


before = read_oom_kills()
# cat stands for the work: it runs until its input ends.
prepared = prepare("sh", ["-c", "cat & echo ready; cat"])
# If the command does not exist, this raises FileNotFoundError, as without oomexec.
child = prepared.start(
    lambda it: subprocess.Popen(
        it.argv,
        env=it.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
)
assert child.stdout is not None
child.stdout.readline()
print(f"gateway {os.getpid()}: {score_of(os.getpid())}")
print(f"child {child.pid}: {score_of(child.pid)}, by {prepared.via}")

os.killpg(child.pid, signal.SIGKILL)
# Ends when no descendant holds the pipe.
child.communicate()
after = read_oom_kills(before)
why = explain_exit(child.returncode, wrapped=prepared.wrapped, before=before, after=after)
print(f"ended: {why.text}")
