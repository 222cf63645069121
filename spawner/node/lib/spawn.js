import { spawn as spawnChild } from "node:child_process";
import { prepare } from "./prepare.js";

/** child_process.spawn, with the rule applied. Its `shell` option works as there. */
export function spawn(command, args, options) {
  if (!Array.isArray(args)) [args, options] = [[], args ?? options];
  const { shell, platform = process.platform } = options ?? {};
  if (platform !== "linux") return spawnChild(command, args, options);
  if (shell) {
    // Done here, as spawn() would do it: the shell is the command that is looked up and raised.
    args = ["-c", [command, ...args].join(" ")];
    command = shell === true ? "/bin/sh" : shell;
  }
  const child = prepare(command, args, options);
  return spawnChild(child.command, child.args, { ...options, shell: false, env: child.env, argv0: child.argv0 });
}
