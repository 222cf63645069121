// The places where Node, and node-pty, hand a start to the system. All of child_process ends in
// the first two, behind everything that a caller can see: only file, args and environment change.

import { ChildProcess } from "node:child_process";
import { basename } from "node:path";

/** Patches the start of a child that Node does not wait for: spawn, exec, execFile, fork. */
export function patchAsync(decide) {
  const prototype = bindingOf("process_wrap")?.Process?.prototype ?? prototypeOfHandle();
  const original = prototype?.spawn;
  if (typeof original !== "function") return;
  prototype.spawn = function spawn(...given) {
    const start = readStart(given);
    const { isWrapped, report, ...change } = decide(start);
    const error = original.apply(this, writeStart(given, change));
    if (error === 0 || !isWrapped) {
      report(this.pid);
      return error;
    }
    const handle = renew(this, start.stdio);
    const last = handle === undefined ? error : original.apply(handle, given);
    report(handle?.pid, true);
    return last;
  };
}

// Leaves a handle behind, which process.getActiveResourcesInfo() shows.
function prototypeOfHandle() {
  const { _handle: handle } = new ChildProcess();
  return handle && Object.getPrototypeOf(handle);
}

// Up to Node 22 there is one object, later its parts in this order.
const PARTS = ["file", "args", "cwd", "envPairs", "stdio", "flags", "uid", "gid"];

function readStart(given) {
  if (typeof given[0] === "object") return given[0];
  return Object.fromEntries(PARTS.map((part, index) => [part, given[index]]));
}

function writeStart(given, change) {
  if (typeof given[0] === "object") return [{ ...given[0], ...change }, ...given.slice(1)];
  return given.map((value, index) => (PARTS[index] in change ? change[PARTS[index]] : value));
}

// PipeConstants.SOCKET: a pipe that is no IPC channel.
const SOCKET = 0;

// A start that failed has used up the handle and the pipes. libuv takes neither twice.
function renew(handle, stdio) {
  const child = Reflect.ownKeys(handle)
    .map((key) => handle[key])
    .find((value) => value instanceof ChildProcess);
  if (child === undefined) return undefined;
  const fresh = new handle.constructor();
  for (const key of Reflect.ownKeys(handle)) fresh[key] = handle[key];
  handle.close();
  child._handle = fresh;
  for (const stream of stdio) {
    if (stream.type !== "pipe" && stream.type !== "overlapped") continue;
    stream.handle.close();
    stream.handle = new stream.handle.constructor(SOCKET);
  }
  return fresh;
}

/** Patches the start of a child that Node waits for: spawnSync, execSync, execFileSync. */
export function patchSync(decide) {
  const binding = bindingOf("spawn_sync");
  const original = binding?.spawn;
  if (typeof original !== "function") return;
  binding.spawn = function spawn(options) {
    const { isWrapped, report, ...change } = decide(options);
    let result = original.call(this, { ...options, ...change });
    const isRetried = isWrapped && result.error && !result.pid;
    if (isRetried) result = original.call(this, options);
    report(result.pid, isRetried);
    return result;
  };
}

// Not there with the permission model. It is deprecated by its documentation (DEP0111), with a
// warning under --pending-deprecation alone; the public functions cannot be replaced exactly.
function bindingOf(name) {
  const { noDeprecation } = process;
  // It is read-only with --no-deprecation.
  if (!noDeprecation) process.noDeprecation = true;
  try {
    return process.binding(name);
  } catch {
    return undefined;
  } finally {
    if (!noDeprecation) process.noDeprecation = noDeprecation;
  }
}

/** Patches the start of a program on a terminal: node-pty forks by itself, in a native module. */
export function patchPty(decide) {
  const original = process.dlopen;
  process.dlopen = function dlopen(module, filename, ...rest) {
    const result = original.call(this, module, filename, ...rest);
    if (basename(filename) === "pty.node" && typeof module.exports?.fork === "function") {
      patchFork(module.exports, decide);
    }
    return result;
  };
}

function patchFork(exports, decide) {
  const original = exports.fork;
  exports.fork = function fork(file, operands, envPairs, cwd, columns, rows, uid, gid, ...rest) {
    const changed = decide({ file, args: [file, ...operands], envPairs, cwd, uid, gid });
    const command = [changed.file, changed.args.slice(1), changed.envPairs];
    const result = original.call(this, ...command, cwd, columns, rows, uid, gid, ...rest);
    changed.report(result.pid);
    return result;
  };
}
