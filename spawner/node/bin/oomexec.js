#!/usr/bin/env node
// Becomes the program for this machine, as `npx oomexec` and `npm install -g oomexec` run it. It
// takes as long to start as Node does: a gateway starts the program itself.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { findOomexec } from "../lib/oomexec.js";

// That of oomexec for its own failures.
const OWN_FAILURE = 125;

const ignore = () => {};

/** Runs the program in place of this process, as far as Node can without `process.execve`. */
function run(path, args) {
  const child = spawn(path, args, { stdio: "inherit" });
  // A terminal gives these to the program as well.
  for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, ignore);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    // What a shell makes of a signal; Node ignores some.
    process.exitCode = code ?? 128 + constants.signals[signal];
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

const { path } = findOomexec();
const args = process.argv.slice(2);
if (path === undefined) {
  const why =
    process.platform === "linux"
      ? `the package @oomexec/linux-${process.arch} is not installed: install it, or oomexec again without --omit=optional`
      : "it is for Linux";
  console.error(`oomexec: there is no program for ${process.platform}-${process.arch}: ${why}`);
  process.exitCode = OWN_FAILURE;
} else if (process.execve) {
  // Node ignores these, and the program would too: to take a handler away restores the default.
  for (const signal of ["SIGPIPE", "SIGXFSZ"]) process.on(signal, ignore).off(signal, ignore);
  process.execve(path, ["oomexec", ...args], process.env);
} else {
  run(path, args);
}
