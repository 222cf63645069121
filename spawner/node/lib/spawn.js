import { spawn as spawnChild } from "node:child_process";
import { prepare } from "./prepare.js";

/** Prepares and spawns a child. Takes the options of child_process.spawn too, `shell` included. */
export function spawn(command, args, options) {
  if (!Array.isArray(args)) [args, options] = [[], args ?? options];
  const { shell, platform = process.platform } = options ?? {};
  if (platform !== "linux") return spawnChild(command, args, options);
  if (shell) {
    // Builds the shell's command line as spawn() does, so that the shell is the command looked up
    // and raised.
    args = ["-c", [command, ...args].join(" ")];
    command = shell === true ? "/bin/sh" : shell;
  }
  const child = prepare(command, args, options);
  return spawnChild(child.command, child.args, {
    ...options,
    shell: false,
    env: child.env,
    argv0: child.argv0,
  });
}
