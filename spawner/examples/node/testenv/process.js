// Reads the state of processes from /proc, and waits for it to change.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

// Long enough for a busy machine.
const DEADLINE_MS = 60_000;

/** Waits until the condition returns something truthy, and returns that. */
export async function until(what, condition) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) {
      throw new Error(`timed out waiting until ${typeof what === "function" ? what() : what}`);
    }
    await sleep(20);
  }
}

/**
 * Returns the fields of /proc/PID/stat that relate a process to others; undefined if it is gone.
 */
export function statOf(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The name is in parentheses and may contain any byte: count from the last `)`.
  const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
  const [state, ...numbers] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [parent, group, session, terminal, foreground] = numbers.map(Number);
  return { pid: Number(pid), name, state, parent, group, session, terminal, foreground };
}

// A zombie does not count: an init may take long to reap it.
const isRunning = (stat) => stat !== undefined && stat.state !== "Z" && stat.state !== "X";

export function runs(pid) {
  return isRunning(statOf(pid));
}

export function processes() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(statOf)
    .filter(isRunning);
}

/** Returns the executable of a process, not its name. */
export function programOf(pid) {
  return readlinkSync(`/proc/${pid}/exe`);
}
