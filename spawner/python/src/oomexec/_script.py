"""The scripts by which /bin/sh raises its own score and becomes the command."""

import re

# The shims in today's gateways (openclaw's src/process/linux-oom-score.ts) begin and end alike.
_SHIM_BEGIN = "echo 1000 > /proc/self/oom_score_adj 2>/dev/null;"
_SHIM_END = 'exec "$0" "$@"'


def spawner_script(score: int) -> str:
    """Returns the script of this package.

    stderr is redirected first, so that a refused write is silent. `>>` does not truncate: a sandbox
    may refuse that and still allow the write. dash has no `exec --`.
    """
    return f'echo {score} 2>/dev/null >>/proc/self/oom_score_adj; exec "$0" "$@"'


def is_shim(script: str) -> bool:
    """Returns whether a script is one of these, or a longer one of openclaw."""
    if script.startswith(_SHIM_BEGIN) and script.endswith(_SHIM_END):
        return True
    score = re.match(r"echo (-?[0-9]{1,4}) ", script)
    return score is not None and script == spawner_script(int(score[1]))
