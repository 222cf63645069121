// Finds oomexec, and checks that the file is oomexec and runs here.

import { spawnSync } from "node:child_process";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { endianness } from "node:os";
import { look } from "./search.js";

// The gateway is blocked while it waits for the answer. A working oomexec takes a millisecond.
const ANSWER_WITHIN_MS = 1000;
// The machine may have been busy: a slow binary is checked again, but not for every child.
const ASK_AGAIN_MS = 60_000;
const ANSWER = /^oomexec \d+\.\d+\.\d+\S*\n$/;

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

/** Returns the oomexec to use, and those rejected before it. */
export function findOomexec(choice) {
  const rejected = [];
  if (choice === false) return { rejected };
  for (const { path, isNamed } of candidates(choice)) {
    const why = path.startsWith("/") ? probe(path) : "not-absolute";
    if (why === undefined) return { path, rejected };
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

const probed = new Map();

// Returns why the file cannot be used, or undefined. The result is cached until the file changes.
function probe(path) {
  let stat;
  try {
    stat = statSync(path, { bigint: true });
  } catch {
    return "not-found";
  }
  // ctime shows changes that mtime can hide: `cp -p` over the file, chmod.
  const file = [stat.dev, stat.ino, stat.mtimeNs, stat.ctimeNs, stat.size].join(" ");
  const last = probed.get(path);
  if (last?.file === file && performance.now() < last.until) return last.why;
  const { why, isSlow } = examine(path);
  // A failed start is not cached: it may be short of memory or still being written, and retrying is
  // fast.
  const holds = isSlow ? ASK_AGAIN_MS : why === "no-answer" ? 0 : Infinity;
  probed.set(path, { file, why, until: performance.now() + holds });
  return why;
}

function examine(path) {
  if (look(path) !== "executable") return { why: "not-executable" };
  if (!isForThisMachine(path)) return { why: "other-machine" };
  const { error, status, stdout } = spawnSync(path, ["--version"], {
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
  return { why: status === 0 && ANSWER.test(stdout) ? undefined : "wrong-answer" };
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
