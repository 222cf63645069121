// Raises a browser's main process again after it resets its score, which it does once, soon after
// its start. For kernels without Landlock, where `oomexec --pin` cannot refuse the write.

import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";

const SCORE = 1000;
// Chromium writes 0.4 s after its start, later on a busy machine.
const FIRST_MS = [100, 400, 500, 1000, 2000, 4000, 8000];
const LATER_MS = 30_000;

/**
 * Keeps a running child's score at 1000 until it ends or stop() is called.
 * Call it right after spawn(), before the child can be reaped: until then the pid is the child's.
 * Never throws, and never keeps the gateway alive.
 */
export function hold(pid) {
  // The gateway itself is never raised.
  const score = pid === process.pid ? undefined : openScore(pid);
  let timer;
  const stop = () => {
    clearTimeout(timer);
    score?.close();
  };
  const look = (round) => {
    if (raise(score) === "ended") return stop();
    timer = setTimeout(look, FIRST_MS[round] ?? LATER_MS, round + 1);
    timer.unref();
  };
  if (score !== undefined) look(0);
  return { stop };
}

/**
 * Opens the score of the process that has this pid now.
 * The open file stays bound to that process: once it has ended, reads and writes fail with ESRCH,
 * even if another process has its pid. A start time alone cannot tell apart two processes that
 * began in the same clock tick.
 */
export function openScore(pid) {
  const start = startOf(pid);
  if (start === undefined) return undefined;
  let fd;
  try {
    fd = openSync(`/proc/${pid}/oom_score_adj`, "r+");
  } catch {
    return undefined;
  }
  const close = () => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  return { pid, start, close, fd: () => fd };
}

/**
 * Raises the score to 1000. Returns "raised", "kept" (already there, or the kernel refuses) or
 * "ended".
 */
export function raise({ pid, start, fd }) {
  // A zombie still has its files in /proc, and another process with the pid has a later start time.
  if (fd() === undefined || startOf(pid) !== start) return "ended";
  try {
    const score = Buffer.alloc(16);
    const length = readSync(fd(), score, 0, score.length, 0);
    if (Number(score.toString("latin1", 0, length)) >= SCORE) return "kept";
    writeSync(fd(), String(SCORE), 0);
    return "raised";
  } catch (error) {
    return error.code === "ESRCH" ? "ended" : "kept";
  }
}

/**
 * Returns a process's start time in clock ticks since boot; undefined if it has ended, reaped or
 * not.
 */
export function startOf(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Field 2 is the name in parentheses and may contain any byte: count from the last `)`.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    return state === "Z" || state === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
