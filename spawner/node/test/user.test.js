// Children that become another user.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, symlinkSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { findOomexec, spawn } from "../index.js";
import { mayExecute, otherUser } from "../lib/user.js";
import { makeFile, newDirectory } from "../testenv/files.js";
import { notTestedHere } from "../testenv/skip.js";

const STRANGER = { uid: 54321, gid: 54321 };
const isRoot = process.geteuid() === 0;
const NEEDS_ROOT = "only root can start a child of another user";

test("a child of another user is not lost where that cannot reach oomexec", async (t) => {
  if (!isRoot) return notTestedHere(t, NEEDS_ROOT);
  // As npm installs below /root.
  const home = newDirectory(t);
  const oomexec = `${home}/node_modules/oomexec`;
  makeFile(oomexec, "oomexec");
  for (const [mode, via] of [
    [0o700, "/bin/sh"],
    [0o755, oomexec],
  ]) {
    chmodSync(home, mode);
    const child = spawn("sh", ["-c", "id -u; cat /proc/self/oom_score_adj"], {
      oomexec,
      ...STRANGER,
    });
    assert.equal(child.spawnfile, via);
    assert.equal(await text(child.stdout), "54321\n1000\n");
  }
});

test("findOomexec says that a user cannot execute it, and finds the next", (t) => {
  const home = newDirectory(t);
  const path = `${home}/oomexec`;
  makeFile(path, "oomexec");
  chmodSync(home, 0o700);
  assert.deepEqual(findOomexec(path, STRANGER).rejected[0], { path, why: "not-for-user" });
  assert.equal(findOomexec(path).path, path);
});

test("only a user who is neither root nor the gateway's own is another", () => {
  const [uid, gid] = [process.geteuid(), process.getegid()];
  for (const own of [{}, { uid }, { gid }, { uid, gid }, { uid: 0, gid: 0 }, { uid: null }])
    assert.equal(otherUser(own), undefined);
  assert.deepEqual(otherUser({ uid: 12345 }), { uid: 12345, gid });
  if (uid !== 0) assert.deepEqual(otherUser({ gid: 12345 }), { uid, gid: 12345 });
});

test("the mode bits tell what the kernel does", (t) => {
  if (!isRoot) return notTestedHere(t, NEEDS_ROOT);
  const top = newDirectory(t);
  chmodSync(top, 0o755);
  const file = `${top}/a/b/oomexec`;
  makeFile(file, "oomexec");
  makeFile(`${top}/c`, "directory");
  symlinkSync("../a/b/oomexec", `${top}/c/relative`);
  symlinkSync(`${top}/c`, `${top}/absolute`);
  symlinkSync("loop", `${top}/loop`);
  const paths = [
    file,
    `${top}/c/relative`,
    `${top}/absolute/relative`,
    `${top}//a/./b/../../c/relative`,
    `${top}/absolute/../a/b/oomexec`,
    `${top}/loop`,
    `${top}/gone/oomexec`,
    `${file}/x`,
  ];
  let executed = 0;
  for (const [changed, ids, mode] of [
    [file, [0, 0], 0o755],
    [file, [0, 0], 0o754],
    [file, [0, 54321], 0o750],
    [file, [0, 54321], 0o705],
    [file, [54321, 0], 0o500],
    [file, [54321, 0], 0o077],
    [`${top}/a`, [0, 0], 0o750],
    [`${top}/a`, [0, 54321], 0o710],
    [`${top}/a/b`, [54321, 0], 0o100],
    [`${top}/a/b`, [0, 0], 0o766],
    [`${top}/c`, [0, 0], 0o700],
    [top, [0, 0], 0o711],
    [top, [0, 0], 0o700],
  ]) {
    chownSync(changed, ...ids);
    chmodSync(changed, mode);
    for (const path of paths) {
      const { status } = spawnSync(path, ["--version"], { ...STRANGER, cwd: "/" });
      const what = `${path} with ${changed} of ${ids}, 0${mode.toString(8)}`;
      assert.equal(mayExecute(STRANGER, path), status === 0, what);
      if (status === 0) executed++;
    }
    chownSync(changed, 0, 0);
    chmodSync(changed, 0o755);
  }
  assert.ok(executed > 20, "most of them can be executed");
});
