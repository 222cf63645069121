// Starts a Node that has register.js, or another module in its place.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { OOMEXEC } from "../oomexec.js";

const url = (name) => new URL(name, import.meta.url).href;
export const REGISTER = url("../../register.js");
export const NOTHING = url("nothing.js");
export const RUN = fileURLToPath(url("run.js"));

/** Copies oomexec to where each user may execute it, and where the gateway's PATH finds it. */
export function withOomexec(directory) {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  const oomexec = `${directory}/oomexec`;
  copyFileSync(OOMEXEC, oomexec);
  return { oomexec, env: { ...process.env, PATH: `${directory}:${process.env.PATH}` } };
}

/** Runs Node with these arguments until it exits. */
export async function node(args, options) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { stdout, stderr, code, signal };
}
