// The scripts by which /bin/sh raises its own score and becomes the command.

/** The shim of openclaw (src/process/linux-oom-score.ts): the raise, and the exec. */
export const SHIM = 'echo 1000 > /proc/self/oom_score_adj 2>/dev/null; exec "$0" "$@"';

/**
 * The script of this package. stderr is redirected first, so that a refused write is silent. `>>`
 * does not truncate: a sandbox may refuse that and still allow the write. dash has no `exec --`.
 */
export const SPAWNER = 'echo 1000 2>/dev/null >>/proc/self/oom_score_adj; exec "$0" "$@"';
