// What becomes of a child whose oomexec goes away, or is written, just when it is executed.
import assert from "node:assert/strict";
import { spawn as spawnChild } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { chmodSync, closeSync, mkdirSync, openSync, rmdirSync, rmSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { spawn } from "../index.js";
import { end, scoreOf } from "../testenv/child.js";
import { makeFile, newDirectory } from "../testenv/files.js";
import { OOMEXEC } from "../testenv/oomexec.js";

const OWN = scoreOf("self");
const SCORE = ["/proc/self/oom_score_adj"];

describe("no child of 600 is lost", () => {
  const WAYS = {
    "while oomexec is installed again": 'install -m 755 "$1" "$2"; sleep 0.01',
    "while oomexec is copied over in place": 'cp "$1" "$2"; sleep 0.01',
    "while oomexec is replaced in a tight loop of both": 'install -m 755 "$1" "$2"; cp "$1" "$2"',
  };
  for (const [how, replace] of Object.entries(WAYS)) {
    test(how, async (t) => {
      const directory = newDirectory(t);
      const [oomexec, go] = [`${directory}/oomexec`, `${directory}/go`];
      makeFile(oomexec, "oomexec");
      makeFile(go, "plain");
      // cp cannot write a file that is being executed; that is no matter here.
      const goesOn = `[ -e "$3" ] && kill -0 ${process.pid}`;
      const loop = `exec 2>/dev/null; while ${goesOn}; do ${replace}; done`;
      const replacing = spawnChild("sh", ["-c", loop, "sh", OOMEXEC, oomexec, go]);
      const lost = [];
      for (let round = 0; round < 60; round++) {
        const start = () => spawn("cat", SCORE, { oomexec });
        const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome(start)));
        lost.push(...outcomes.filter((one) => one !== "1000\n"));
      }
      rmSync(go);
      await once(replacing, "exit");
      assert.deepEqual(lost, []);
    });
  }
});

async function outcome(start) {
  try {
    const child = start();
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit"),
    ]);
    return code === 0 ? output + errors : `exit status ${code}: ${errors}`;
  } catch (error) {
    return error.message;
  }
}

describe("a child is started another way if oomexec", () => {
  const GOES = {
    "is gone": (path) => rmSync(path),
    "may not be executed": (path) => chmodSync(path, 0o644),
    "is being written": (path, t) => {
      const fd = openSync(path, "r+");
      t.after(() => closeSync(fd));
    },
  };
  for (const [how, goes] of Object.entries(GOES)) {
    test(how, async (t) => {
      const oomexec = `${newDirectory(t)}/oomexec`;
      makeFile(oomexec, "oomexec");
      const child = spawn("cat", SCORE, { oomexec, env: lateEnv(() => goes(oomexec, t)) });
      assert.equal(child.spawnfile, "/bin/sh");
      assert.equal(await text(child.stdout), "1000\n");
    });
  }

  test("is gone: directly where the environment must be exact", async (t) => {
    const oomexec = `${newDirectory(t)}/oomexec`;
    makeFile(oomexec, "oomexec");
    const env = lateEnv(() => rmSync(oomexec));
    const child = spawn("cat", SCORE, { oomexec, env, exactEnv: true });
    assert.equal(child.spawnfile, "cat");
    assert.equal(Number(await text(child.stdout)), OWN);
  });

  test("is gone: with its terminal, its pipes, its IPC channel and its time limit", async (t) => {
    const oomexec = `${newDirectory(t)}/oomexec`;
    makeFile(oomexec, "oomexec");
    const { signal } = new AbortController();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout");
    const before = timers().length;
    const script = "process.on('message', (m) => process.send(m + 1)); process.send(1)";
    const child = spawn(process.execPath, ["-e", script], {
      oomexec,
      env: lateEnv(() => rmSync(oomexec)),
      stdio: ["pipe", "inherit", "inherit", "ipc"],
      timeout: 60_000,
      signal,
    });
    t.after(() => end(child));
    assert.equal(timers().length, before + 1, "one time limit, that of the child");
    assert.equal(getEventListeners(signal, "abort").length, 1);
    assert.deepEqual(await once(child, "message"), [1, undefined]);
    child.send(2);
    assert.deepEqual(await once(child, "message"), [3, undefined]);
    const exit = once(child, "exit");
    child.disconnect();
    assert.deepEqual(await exit, [0, null]);
    assert.equal(timers().length, before);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
});

test("a child whose directory goes away fails as without oomexec", async (t) => {
  const cwd = `${newDirectory(t)}/work`;
  mkdirSync(cwd);
  const child = spawn("cat", ["x"], { oomexec: OOMEXEC, cwd, env: lateEnv(() => rmdirSync(cwd)) });
  const [error] = await once(child, "error");
  const [native] = await once(spawnChild("cat", ["x"], { cwd }), "error");
  assert.deepEqual({ ...error, message: error.message }, { ...native, message: native.message });
});

// An environment that calls back once, when spawn() reads it: behind prepare().
function lateEnv(call) {
  let isCalled = false;
  return {
    PATH: process.env.PATH,
    get LATE() {
      if (!isCalled) call();
      isCalled = true;
      return "x";
    },
  };
}
