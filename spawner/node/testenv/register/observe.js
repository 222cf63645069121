// What a caller can see of a child, as JSON that does not differ from run to run.
import { once } from "node:events";

/** A script for sh that prints the score of the shell that runs it, as `score=N`. */
export const SCORE = 'read score </proc/self/oom_score_adj; echo "score=$score"';

/** Returns a value as JSON can hold it: errors with all their properties, buffers as text. */
export function plain(value) {
  if (Buffer.isBuffer(value)) return `buffer: ${value.toString("latin1")}`;
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") {
    return String(value);
  }
  if (value === undefined) return "undefined";
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const entries = Object.entries(value).map(([name, one]) => [
    name,
    // execFileSync's errors refer to themselves.
    name === "pid" ? `${typeof one} ${one > 0}` : one === value ? "itself" : plain(one),
  ]);
  if (!(value instanceof Error)) return Object.fromEntries(entries);
  const { name, message, code, cause } = value;
  const className = value.constructor.name;
  return {
    ...Object.fromEntries(entries),
    error: [className, name, message, plain(code), plain(cause)],
  };
}

/** Returns all that a ChildProcess shows of itself. */
export function fields(child) {
  const { spawnfile, spawnargs, exitCode, signalCode, killed, connected } = child;
  const streams = [child.stdin, child.stdout, child.stderr, ...(child.stdio ?? [])];
  return {
    spawnfile,
    spawnargs,
    exitCode,
    signalCode,
    killed,
    connected,
    hasPid: child.pid > 0,
    keys: Object.keys(child).sort(),
    streams: streams.map((stream) => stream?.constructor.name),
  };
}

/**
 * Waits until a child has closed. Returns its events in order, those of its channel by themselves
 * (they come before the exit or after it), what it wrote, and its fields.
 */
export async function watch(child) {
  const events = [];
  const messages = [];
  const said = { stdout: "", stderr: "" };
  const atStart = fields(child);
  for (const name of ["spawn", "error", "exit", "close"]) {
    child.on(name, (...values) => events.push([name, ...values.map(plain)]));
  }
  for (const name of ["message", "disconnect"]) {
    child.on(name, (...values) => messages.push([name, ...values.map(plain)]));
  }
  for (const name of ["stdout", "stderr"]) {
    child[name]?.setEncoding("utf8").on("data", (text) => (said[name] += text));
  }
  await once(child, "close").catch(() => once(child, "close"));
  return { events, messages, ...said, atStart, atEnd: fields(child) };
}

/** Returns what a function returns, or throws, now or later. */
export async function outcome(run) {
  try {
    return { returned: plain(await run()) };
  } catch (error) {
    return { threw: plain(error) };
  }
}
