// What the kernel says of processes, and how to wait for it.
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

// A machine that is busy may take long; what never comes is a failure all the same.
const DEADLINE_MS = 60_000;

/** Waits until the condition gives something, and gives that. */
export async function until(what, condition) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) {
      throw new Error(`it did not come to this: ${typeof what === "function" ? what() : what}`);
    }
    await sleep(20);
  }
}

/** The fields of /proc/PID/stat that tell how a process is related to others; undefined if it is gone. */
export function statOf(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The name is in parentheses and may hold any byte: count from the last one.
  const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
  const [state, ...numbers] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [parent, group, session, terminal, foreground] = numbers.map(Number);
  return { pid: Number(pid), name, state, parent, group, session, terminal, foreground };
}

// One that has ended may wait long for an init to reap it.
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

/** The program that a process runs: not what it is called. */
export function programOf(pid) {
  return readlinkSync(`/proc/${pid}/exe`);
}
