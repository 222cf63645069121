// Finds oomexec, and checks that the file is oomexec and runs here.

import { spawnSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { endianness } from "node:os";
import { look, statOf, versionOf } from "./search.js";
import { mayExecute, otherUser } from "./user.js";

// The gateway is blocked while it waits for the answer. A working oomexec takes a millisecond.
const ANSWER_WITHIN_MS = 1000;
// The machine may have been busy: a slow binary is checked again, but not for every child.
const ASK_AGAIN_MS = 60_000;
const ANSWER = /^oomexec \d+\.\d+\.\d+\S*\n$/;
// Its exit status where it does not know an option.
const USAGE_ERROR = 125;

// e_machine in the ELF header, by process.arch.
const MACHINE = {
  ia32: 3,
  ppc64: 21,
  s390x: 22,
  arm: 40,
  x64: 62,
  arm64: 183,
  riscv64: 243,
  loong64: 258,
};
const NARROW = new Set(["ia32", "arm"]);

/**
 * Returns the oomexec to use for a child of this user, whether it knows --pin=write, and those
 * rejected before it.
 */
export function findOomexec(choice, { uid, gid } = {}) {
  const rejected = [];
  if (choice === false) return { rejected };
  const user = otherUser({ uid, gid });
  for (const { path, isNamed } of candidates(choice)) {
    const { why, pinsWrite } = examineFor(user, path, isNamed);
    if (why === undefined) return { path, pinsWrite, rejected };
    if (isNamed || why !== "not-found") rejected.push({ path, why });
  }
  return { rejected };
}

function* candidates(choice) {
  if (choice) yield { path: choice, isNamed: true };
  const { OOMEXEC_PATH, PATH } = process.env;
  if (OOMEXEC_PATH) yield { path: OOMEXEC_PATH, isNamed: true };
  const packaged = besidePackage();
  if (packaged !== undefined) yield { path: packaged, isNamed: true };
  for (const directory of (PATH ?? "").split(":")) {
    // With a relative element, the gateway's current directory would decide what it runs.
    if (directory.startsWith("/")) yield { path: `${directory}/oomexec`, isNamed: false };
  }
}

let packaged;
function besidePackage() {
  if (packaged === undefined) {
    try {
      packaged = createRequire(import.meta.url).resolve(
        `@oomexec/linux-${process.arch}/bin/oomexec`,
      );
    } catch {
      packaged = null;
    }
  }
  return packaged ?? undefined;
}

function examineFor(user, path, isNamed) {
  if (!path.startsWith("/")) return { why: "not-absolute" };
  const stat = statOf(path);
  if (stat === undefined) return { why: "not-found" };
  // What nobody named is run only if its owner could change the gateway itself.
  if (!isNamed && stat.uid !== 0n && Number(stat.uid) !== process.geteuid())
    return { why: "other-owner" };
  const found = examineOnce(path, stat);
  if (found.why === undefined && user !== undefined && !mayExecute(user, path))
    return { why: "not-for-user" };
  return found;
}

const examined = new Map();

// The result is cached until the file changes.
function examineOnce(path, stat) {
  const version = versionOf(stat);
  const last = examined.get(path);
  if (last?.version === version && performance.now() < last.until) return last.found;
  const { isSlow, ...found } = examine(path);
  // A failed start is not cached: it may be short of memory or still being written, and retrying is
  // fast.
  const holds = isSlow ? ASK_AGAIN_MS : found.why === "no-answer" ? 0 : Infinity;
  examined.set(path, { version, found, until: performance.now() + holds });
  return found;
}

// Returns why the file cannot be used, or what it can do.
function examine(path) {
  if (look(path) !== "executable") return { why: "not-executable" };
  if (!isForThisMachine(path)) return { why: "other-machine" };
  let answer = ask(path, ["--pin=write", "--version"]);
  const pinsWrite = answer.status !== USAGE_ERROR;
  if (!pinsWrite) answer = ask(path, ["--version"]);
  return { why: answer.why, isSlow: answer.isSlow, pinsWrite };
}

function ask(path, args) {
  const { error, status, stdout } = spawnSync(path, args, {
    cwd: "/",
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
    encoding: "latin1",
    maxBuffer: 256,
    timeout: ANSWER_WITHIN_MS,
    killSignal: "SIGKILL",
  });
  if (error !== undefined && error.code !== "ENOBUFS") {
    return { why: "no-answer", isSlow: error.code === "ETIMEDOUT" };
  }
  return { status, why: status === 0 && ANSWER.test(stdout) ? undefined : "wrong-answer" };
}

// Checked before running it: a program for another machine fails with ENOEXEC, and some callers
// then run it in a shell.
function isForThisMachine(path) {
  const header = Buffer.alloc(20);
  try {
    const fd = openSync(path, "r");
    try {
      if (readSync(fd, header) !== header.length) return false;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
  const isLittle = endianness() === "LE";
  return (
    header.toString("latin1", 0, 4) === "\x7fELF" &&
    header[4] === (NARROW.has(process.arch) ? 1 : 2) &&
    header[5] === (isLittle ? 1 : 2) &&
    (isLittle ? header.readUInt16LE(18) : header.readUInt16BE(18)) === MACHINE[process.arch]
  );
}
