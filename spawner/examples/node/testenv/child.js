// Starts the children of a test, and ends them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Starts a prepared child in its own process group, and ends the group after the test. */
export function start(t, { command, args, env, argv0 }, options) {
  const child = spawn(command, args, { ...options, env, argv0, detached: true });
  // Until the child is reaped, no other process can have its pid.
  t.after(() => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      kill(child, "SIGKILL");
  });
  return child;
}

/** Sends a signal to the child's process group. */
export function kill(child, signal) {
  process.kill(-child.pid, signal);
}

/** Waits for the child's exit and returns its code, or else its signal. */
export async function end(child) {
  const [code, signal] = await once(child, "exit");
  return code ?? signal;
}

/** Returns a function that reads the next line of a stream; undefined at its end. */
export function lines(stream) {
  const iterator = createInterface(stream)[Symbol.asyncIterator]();
  return async () => (await iterator.next()).value;
}

/** Makes a directory that is removed after the test. */
export function newDirectory(t) {
  const directory = makeDirectory();
  t.after(() => removeDirectory(directory));
  return directory;
}

export function makeDirectory() {
  return mkdtempSync(join(realpathSync(tmpdir()), "oomexec-examples-"));
}

export function removeDirectory(directory) {
  rmSync(directory, { recursive: true });
}
