// The scripts by which /bin/sh raises its own score and becomes the command.

/** The shim of openclaw (src/process/linux-oom-score.ts): the raise, and the exec. */
export const SHIM = 'echo 1000 > /proc/self/oom_score_adj 2>/dev/null; exec "$0" "$@"';

/**
 * Returns the script of this package. stderr is redirected first, so that a refused write is
 * silent. `>>` does not truncate: a sandbox may refuse that and still allow the write. dash has no
 * `exec --`.
 */
export function spawnerScript(score) {
  return `echo ${score} 2>/dev/null >>/proc/self/oom_score_adj; exec "$0" "$@"`;
}

// The shims in today's gateways begin and end alike.
const [SHIM_BEGIN, SHIM_END] = SHIM.split(/ (?=exec)/);

/** Returns whether a script is one of these, or a longer one of openclaw. */
export function isShim(script) {
  if (typeof script !== "string") return false;
  if (script.startsWith(SHIM_BEGIN) && script.endsWith(SHIM_END)) return true;
  const [, score] = /^echo (-?\d{1,4}) /.exec(script) ?? [];
  return script === spawnerScript(score);
}
