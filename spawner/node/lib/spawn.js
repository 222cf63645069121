// child_process.spawn, with the decision of prepare() applied.

import { spawn as spawnChild } from "node:child_process";
import { prepare } from "./prepare.js";

/** Prepares and spawns a child. Takes the options of child_process.spawn too, `shell` included. */
export function spawn(command, args, options) {
  const given = [command, args, options];
  if (!Array.isArray(args)) [args, options] = [[], args ?? options];
  const { shell, platform = process.platform } = Object(options);
  const isRefused =
    typeof command !== "string" ||
    command === "" ||
    typeof (options ?? {}) !== "object" ||
    options === null ||
    !["undefined", "boolean", "string"].includes(typeof (shell ?? undefined));
  // What spawn() refuses is handed on, so that the error is its own.
  if (isRefused) return spawnChild(...given);
  if (platform !== "linux") {
    // For its errors alone: elsewhere spawn() builds another command line for a shell.
    prepare(command, args, options);
    return spawnChild(...given);
  }
  if (shell) {
    // Builds the shell's command line as spawn() does, so that the shell is the command looked up
    // and raised.
    args = ["-c", [command, ...args].join(" ")];
    command = shell === true ? "/bin/sh" : shell;
  }
  const start = ({ command, args, env, argv0 }) =>
    spawnChild(command, args, { ...options, shell: false, env, argv0 });
  const prepared = prepare(command, args, options);
  if (prepared.why !== "oomexec") return start(prepared);
  const child = startUnlessLost(() => start(prepared));
  return child ?? start(prepare(command, args, { ...options, oomexec: false }));
}

// How the exec of oomexec itself fails, while it is replaced or after it was removed.
const LOST = new Set(["ENOENT", "EACCES", "ETXTBSY", "ENOEXEC"]);

// Returns the child; undefined if oomexec itself could not be executed.
function startUnlessLost(start) {
  let child;
  try {
    child = start();
  } catch (error) {
    // So spawn() reports ETXTBSY and ENOEXEC.
    if (LOST.has(error.code)) return undefined;
    throw error;
  }
  if (child.pid !== undefined) return child;
  // So it reports ENOENT and EACCES, and more in the next tick, whose error is not known yet: it
  // fails again without oomexec.
  child.on("error", () => {});
  // For spawn()'s own listeners: they end its timeout and leave its AbortSignal.
  child.emit("exit", null, null);
  return undefined;
}
