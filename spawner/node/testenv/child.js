// Starts real children and reads their scores.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

export function scoreOf(pid) {
  return Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
}

export function start({ command, args, env, argv0 }, options) {
  return spawn(command, args, { ...options, env, argv0 });
}

/** Runs a child until it exits. */
export async function run(prepared, options) {
  const child = start(prepared, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { stdout, stderr, code, signal };
}

/** Reads a line from a child that writes one and waits. */
export async function line(child) {
  let seen = "";
  while (!seen.includes("\n")) {
    const [chunk] = await once(child.stdout, "data");
    seen += chunk;
  }
  return seen.trimEnd();
}

export async function end(child) {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }
}
