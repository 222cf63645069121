// Children that a test starts, and ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Starts what was prepared, in a group of its own, which ends with the test. */
export function start(t, { command, args, env, argv0 }, options) {
  const child = spawn(command, args, { ...options, env, argv0, detached: true });
  // As long as the child was not reaped, nobody else can have its pid.
  t.after(() => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) kill(child, "SIGKILL");
  });
  return child;
}

/** Signals the child's whole group. */
export function kill(child, signal) {
  process.kill(-child.pid, signal);
}

/** How a child ends: its code, or else its signal. */
export async function end(child) {
  const [code, signal] = await once(child, "exit");
  return code ?? signal;
}

/** Gives the lines of a stream one by one, and undefined when all that could write to it are gone. */
export function lines(stream) {
  const iterator = createInterface(stream)[Symbol.asyncIterator]();
  return async () => (await iterator.next()).value;
}

/** A directory that is removed after the test. */
export function newDirectory(t) {
  const directory = makeDirectory();
  t.after(() => removeDirectory(directory));
  return directory;
}

export function makeDirectory() {
  return mkdtempSync(join(realpathSync(tmpdir()), "oomexec-surfaces-"));
}

export function removeDirectory(directory) {
  rmSync(directory, { recursive: true });
}
