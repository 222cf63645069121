// The gateway's own body: processes that are part of it, and keep its score.

import { realpathSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Returns whether a child is part of the gateway: one with an IPC channel (fork, a worker of
 * cluster, a process that starts children for it), or the gateway once more.
 */
export function isBody(start) {
  return start.stdio?.some((stream) => stream.ipc) || isGatewayAgain(start);
}

function isGatewayAgain(start) {
  const { file, args, cwd } = start;
  if (file.includes("/") && isScript(file, cwd)) return true;
  if (!isThisNode(start)) return false;
  // The script is the first operand, but an option without `=` may take one for its value.
  let mayBeValue = false;
  for (const arg of args.slice(1)) {
    if (arg.startsWith("-")) {
      mayBeValue = !arg.includes("=");
      continue;
    }
    if (isScript(arg, cwd)) return true;
    if (!mayBeValue) return false;
    mayBeValue = false;
  }
  return false;
}

/**
 * Returns the arguments with which a part of the gateway registers too: fork() passes on the
 * options of this Node, who starts process.execPath with an IPC channel does not.
 */
export function withRegistration(start, url) {
  const { args, env } = start;
  if (!isThisNode(start) || mayNotRead(start)) return args;
  const path = fileURLToPath(url);
  const isThere = (text) =>
    text.includes(path) || text.includes(url) || /oomexec\/register\b/.test(text);
  if ([env?.NODE_OPTIONS ?? "", ...args].some(isThere)) return args;
  // A Node that can require this file starts the script as without it; with --import another
  // loader does.
  const option = process.features.require_module ? `--require=${path}` : `--import=${url}`;
  return [args[0], option, ...args.slice(1)];
}

// Another user, or a Node with the permission model, may not read this package: it would not start.
function mayNotRead({ args, env, uid, gid }) {
  const isLimited = (text) => /--(?:experimental-)?permission\b/.test(text);
  return uid != null || gid != null || [env?.NODE_OPTIONS ?? "", ...args].some(isLimited);
}

function isThisNode({ file, cwd, env }) {
  if (file === process.execPath) return true;
  if (basename(file) !== basename(process.execPath)) return false;
  if (file.includes("/")) return realpath(resolve(cwd ?? "", file)) === process.execPath;
  const { PATH = "" } = env ?? process.env;
  const found = PATH.split(":").map((directory) => realpath(resolve(cwd ?? "", directory, file)));
  return found.find((path) => path !== undefined) === process.execPath;
}

// The gateway's script may be a link: npm links programs into a bin directory.
const script = process.argv[1];
const realScript = script && realpath(script);
const scriptNames = [script, realScript].map((path) => path && basename(path));

function isScript(file, cwd) {
  // By its name first: the system is not asked about every child.
  if (!scriptNames.includes(basename(file))) return false;
  const path = resolve(cwd ?? "", file);
  return path === script || (realScript !== undefined && realpath(path) === realScript);
}

function realpath(path) {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
