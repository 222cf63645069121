// The two functions of openclaw's src/process/linux-oom-score.ts, as its own tests compare them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  prepare,
  prepareOomScoreAdjustedSpawn,
  prepareOomScoreAdjustedSpawnPreservingExecEnv,
} from "../index.js";
import { run, scoreOf } from "../testenv/child.js";
import { OOMEXEC } from "../testenv/oomexec.js";

const linux = { platform: "linux", shellAvailable: () => true, oomexec: false };
const NODE = process.execPath;

test("prepareOomScoreAdjustedSpawn has upstream's keys and no other", () => {
  const env = {
    PATH: "/usr/bin",
    BASH_ENV: "/tmp/x",
    ENV: "/tmp/y",
    "BASH_FUNC_echo%%": "() { :; }",
  };
  const wrapped = prepareOomScoreAdjustedSpawn(NODE, ["run.js"], { ...linux, env });
  assert.deepStrictEqual(wrapped, {
    command: "/bin/sh",
    args: ["-c", prepare(NODE, [], linux).args[1], NODE, "run.js"],
    env: { PATH: "/usr/bin" },
    wrapped: true,
  });
  const direct = prepareOomScoreAdjustedSpawn(NODE, ["run.js"], {
    ...linux,
    platform: "darwin",
    env,
  });
  assert.deepStrictEqual(direct, { command: NODE, args: ["run.js"], env, wrapped: false });
  assert.equal(direct.env, env);
  const named = prepareOomScoreAdjustedSpawn(NODE, ["-p"], {
    ...linux,
    argv0: "/opt/node",
    env: {},
  });
  assert.deepStrictEqual(named, {
    command: NODE,
    args: ["-p"],
    argv0: "/opt/node",
    env: {},
    wrapped: false,
  });
});

test("via and why are there all the same", () => {
  const { via, why } = prepareOomScoreAdjustedSpawn(NODE, [], linux);
  assert.deepEqual({ via, why }, { via: "sh", why: "no-oomexec" });
  assert.deepEqual(Object.keys(prepare(NODE, [], linux)).slice(-3), ["wrapped", "via", "why"]);
});

describe("prepareOomScoreAdjustedSpawnPreservingExecEnv", () => {
  const env = {
    PATH: process.env.PATH,
    BASH_ENV: "/tmp/bashenv",
    ENV: "",
    CDPATH: "line1\nline2",
    PS4: "$(touch /gone/x)",
    SHELLOPTS: "xtrace",
    "BASH_FUNC_echo%%": "() { :; }",
    "MY-VAR": "x",
  };

  test("goes directly without oomexec, and leaves the environment as it is", () => {
    const got = prepareOomScoreAdjustedSpawnPreservingExecEnv(NODE, ["run.js"], { ...linux, env });
    assert.deepStrictEqual(got, { command: NODE, args: ["run.js"], env, wrapped: false });
    assert.equal(got.env, env);
    assert.equal(got.why, "exact-env");
  });

  for (const [via, oomexec, score] of [
    ["oomexec", OOMEXEC, 1000],
    ["direct", false, scoreOf("self")],
  ]) {
    test(`through ${via} the child has each variable, and no other`, async () => {
      const script =
        'const score = require("fs").readFileSync("/proc/self/oom_score_adj", "utf8"); ' +
        "console.log(JSON.stringify([process.env, Number(score)]))";
      const got = prepareOomScoreAdjustedSpawnPreservingExecEnv(NODE, ["-e", script], {
        oomexec,
        env,
      });
      assert.equal(got.via, via);
      const { stdout } = await run(got);
      assert.deepEqual(JSON.parse(stdout), [env, score]);
    });
  }
});
