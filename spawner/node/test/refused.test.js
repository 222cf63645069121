// What spawn() refuses: its own error, whoever prepared the child.
import assert from "node:assert/strict";
import { spawn as spawnChild } from "node:child_process";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { prepare, spawn } from "../index.js";
import { OOMEXEC } from "../testenv/oomexec.js";

const unreadable = {
  get PATH() {
    throw new Error("it cannot be read");
  },
};
const REFUSED = [
  [],
  [""],
  [7],
  [null, []],
  [Symbol("ls"), []],
  ["a\0b", []],
  ["true", 5],
  ["true", "x"],
  ["true", ["a", "b\0c"]],
  ["true", [], { argv0: 5 }],
  ["true", [], { argv0: "a\0b" }],
  ["true", [], { cwd: "a\0b" }],
  ["true", [], { cwd: 5 }],
  ["true", [], { cwd: new URL("http://localhost/") }],
  ["true", [], { env: unreadable }],
  ["true", [], { env: { PATH: process.env.PATH, A: "a\0b" } }],
  ["true", [], { env: { OPENCLAW_CHILD_OOM_SCORE_ADJ: Symbol("0") } }],
  ["true", [], { uid: "root" }],
  ["true", [], { gid: 1.5 }],
  ["true", [], { stdio: "nothing" }],
];

describe("what spawn() refuses is its own to refuse, prepared or not", () => {
  for (const [command, args, options] of REFUSED) {
    test(inspect([command, args, options], { breakLength: Infinity }), () => {
      const native = errorOf(() => spawnChild(command, args, options));
      for (const oomexec of [OOMEXEC, false]) {
        const all = { ...options, oomexec };
        const prepared = prepare(command, args, all);
        const { env, argv0 } = prepared;
        const same = { ...options, env, argv0 };
        assert.deepEqual(
          errorOf(() => spawnChild(prepared.command, prepared.args, same)),
          native,
        );
        if (options !== undefined || args !== undefined)
          assert.deepEqual(
            errorOf(() => spawn(command, args, all)),
            native,
          );
      }
      assert.deepEqual(
        errorOf(() => spawn(command, args, options)),
        native,
      );
    });
  }

  for (const options of [null, 5, { shell: 5 }, { shell: true, argv0: 5 }]) {
    test(`spawn with ${JSON.stringify(options)}`, () => {
      assert.deepEqual(
        errorOf(() => spawn("true", [], options)),
        errorOf(() => spawnChild("true", [], options)),
      );
    });
  }

  test("spawn without a command, with a shell", () => {
    const native = errorOf(() => spawnChild("", ["x"], { shell: true }));
    assert.deepEqual(
      errorOf(() => spawn("", ["x"], { shell: true })),
      native,
    );
  });
});

test("a shellAvailable that throws leaves a child that is started directly", () => {
  const shellAvailable = () => {
    throw new Error("not known");
  };
  const { command, via, why } = prepare("true", [], { oomexec: false, shellAvailable });
  assert.deepEqual({ command, via, why }, { command: "true", via: "direct", why: "invalid" });
});

test("a bad pin or score is an error that says what is valid, on each platform", () => {
  for (const platform of ["linux", "darwin"]) {
    for (const pin of ["read", "", 1, 0, [], "true"]) {
      assert.throws(() => prepare("true", [], { platform, pin }), {
        name: "TypeError",
        message: /^bad pin .*: it must be true, "write" or false$/,
      });
    }
    for (const score of [1001, -1001, 0.5, NaN, Infinity]) {
      assert.throws(() => prepare("true", [], { platform, score }), {
        name: "RangeError",
        message: /^bad score .*: it must be a whole number from -1000 to 1000$/,
      });
    }
    assert.throws(() => spawn("true", [], { platform, pin: "read" }), { name: "TypeError" });
    for (const score of ["300", "", true, 300n, {}]) {
      assert.throws(() => prepare("true", [], { platform, score }), { name: "TypeError" });
    }
  }
  for (const pin of [undefined, null, false]) {
    const { args } = prepare("true", [], { oomexec: OOMEXEC, pin, score: null });
    assert.deepEqual(args, ["--", "true"]);
  }
});

function errorOf(call) {
  try {
    call().on("error", () => {});
  } catch (error) {
    return { name: error.name, code: error.code, message: error.message };
  }
  return assert.fail("nothing was thrown");
}
