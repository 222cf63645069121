import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hold } from "../index.js";
import { openScore, raise, startOf } from "../lib/hold.js";
import { end, line, run, scoreOf, start } from "../testenv/child.js";
import { newDirectory } from "../testenv/files.js";
import { OOMEXEC } from "../testenv/oomexec.js";
import { notTestedHere } from "../testenv/skip.js";

// Resets its score to the gateway's, which needs no privilege, at the start and at each line of
// input.
const RESETS = `while :; do echo ${scoreOf("self")} >/proc/$$/oom_score_adj; echo reset; read next; done`;

function startResetting() {
  return start({ command: OOMEXEC, args: ["--", "sh", "-c", RESETS] });
}

test("a process that resets its score is raised again each time", { timeout: 60_000 }, async () => {
  const child = startResetting();
  const held = hold(child.pid);
  try {
    for (let times = 0; times < 2; times++) {
      assert.equal(await line(child), "reset");
      while (scoreOf(child.pid) !== 1000) await sleep(20);
      child.stdin.write("\n");
    }
  } finally {
    held.stop();
    await end(child);
  }
});

test("the gateway itself is not raised", async () => {
  const own = scoreOf("self");
  hold(process.pid).stop();
  assert.equal(scoreOf("self"), own);
});

test("a process is raised if it is lower, kept if it is at 1000, and left alone if it has ended", async () => {
  const child = startResetting();
  try {
    await line(child);
    const score = openScore(child.pid);
    assert.equal(raise(score), "raised");
    assert.equal(scoreOf(child.pid), 1000);
    assert.equal(raise(score), "kept");
    await end(child);
    assert.equal(raise(score), "ended");
    score.close();
    assert.equal(raise(score), "ended");
  } finally {
    await end(child);
  }
});

describe("another process with the same pid is left alone", () => {
  test("if its start time differs", async () => {
    const child = startResetting();
    try {
      await line(child);
      const score = openScore(child.pid);
      assert.equal(raise({ ...score, start: String(Number(score.start) - 1) }), "ended");
      score.close();
      assert.equal(scoreOf(child.pid), scoreOf("self"));
    } finally {
      await end(child);
    }
  });

  test("even if both began in the same clock tick (needs to choose the next pid)", async (t) => {
    const first = startResetting();
    await line(first);
    const score = openScore(first.pid);
    await end(first);
    const second = startAs(first.pid);
    if (second === undefined) return notTestedHere(t, "the next pid cannot be chosen here");
    try {
      await line(second);
      assert.equal(raise(score), "ended");
      // With equal start times, only the open file tells them apart.
      assert.equal(raise({ ...score, start: startOf(second.pid) }), "ended");
      assert.equal(scoreOf(second.pid), scoreOf("self"));
    } finally {
      score.close();
      await end(second);
    }
  });
});

test("a zombie counts as ended", async () => {
  // The shell becomes cat, which never reaps its child.
  const parent = start({ command: "sh", args: ["-c", "true & echo $!; exec cat"] });
  try {
    const pid = Number(await line(parent));
    while (startOf(pid) !== undefined) await sleep(10);
    assert.equal(startOf(pid), undefined);
  } finally {
    await end(parent);
  }
});

test("startOf parses a name that looks like the fields after it", async (t) => {
  const program = `${newDirectory(t)}/a) S 1 (b`;
  spawnSync("sh", ["-c", 'cp "$(command -v cat)" "$0"', program]);
  const child = spawn(program);
  const plain = spawn("cat");
  try {
    // Both began just now: their clock ticks are close.
    assert.ok(Math.abs(Number(startOf(child.pid)) - Number(startOf(plain.pid))) < 1000);
  } finally {
    await end(child);
    await end(plain);
  }
});

test("hold ignores an invalid pid, and does not throw", () => {
  const own = scoreOf("self");
  for (const pid of [undefined, null, NaN, 0, -1, 1.5, "self", "1", Infinity, 2 ** 31, {}]) {
    const held = hold(pid);
    held.stop();
    held.stop();
  }
  assert.equal(scoreOf("self"), own);
});

test("hold does not keep the gateway alive", { timeout: 60_000 }, async () => {
  const index = new URL("../index.js", import.meta.url).href;
  const script = `
    import { spawn } from "node:child_process";
    import { hold } from "${index}";
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    child.unref();
    hold(child.pid);
    console.log(child.pid);`;
  const gateway = {
    command: process.execPath,
    args: ["--input-type=module", "-e", script],
    env: process.env,
  };
  const { stdout, code } = await run(gateway);
  process.kill(Number(stdout), "SIGKILL");
  assert.equal(code, 0);
});

// Starts a child with this pid. Other processes start too, so this takes several tries.
function startAs(pid) {
  for (let tries = 0; tries < 50; tries++) {
    try {
      writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
    } catch {
      return undefined;
    }
    const child = startResetting();
    if (child.pid === pid) return child;
    child.kill("SIGKILL");
  }
  return undefined;
}
