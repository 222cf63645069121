// Node's documented behaviours, in a Node that starts its children itself and in one with
// oomexec/register: a caller sees no difference, but for the score.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, test } from "node:test";
import { scoreOf } from "../testenv/child.js";
import { CASES } from "../testenv/register/cases.js";
import { NOTHING, node, REGISTER, RUN, withOomexec } from "../testenv/register/node.js";

const OWN = scoreOf("self");
assert.ok(OWN < 1000, "at 1000 a raised child looks like the gateway");

// A child with an IPC channel is part of the gateway: cases mark its score as `own`.
const SCORE = /(own )?score=(-?\d+)/g;

const home = mkdtempSync(`${realpathSync(tmpdir())}/oomexec-register-`);
chmodSync(home, 0o755);
after(() => rmSync(home, { recursive: true }));

async function run(name, module, isBusy = false) {
  const { env, oomexec } = withOomexec(`${home}/${name}`);
  if (isBusy) env.BUSY = oomexec;
  const args = [`--import=${module}`, RUN, `${home}/${name}`];
  const { stdout, stderr, code } = await node(args, { env });
  assert.equal(code, 0, stderr);
  const all = JSON.parse(stdout.replaceAll(module, "MODULE").replaceAll(args[2], "DIRECTORY"));
  const entries = Object.entries(all).map(([name, seen]) => {
    const text = JSON.stringify(seen);
    const scores = Array.from(text.matchAll(SCORE), ([, own, score]) => [Boolean(own), +score]);
    return [name, { seen: JSON.parse(text.replace(SCORE, "$1score")), scores }];
  });
  return Object.fromEntries(entries);
}

const [plain, registered, busy] = await Promise.all([
  run("plain", NOTHING),
  run("registered", REGISTER),
  run("busy", REGISTER, true),
]);

describe("with oomexec/register a caller sees what it sees without, but for the score", () => {
  for (const name of Object.keys(CASES)) {
    test(name, () => {
      assert.deepEqual(registered[name].seen, plain[name].seen);
      for (const [isOwn, score] of registered[name].scores) assert.equal(score, isOwn ? OWN : 1000);
      for (const [, score] of plain[name].scores) assert.equal(score, OWN);
    });
  }
});

describe("where oomexec itself cannot be executed, a caller sees what it sees without it", () => {
  for (const name of Object.keys(CASES)) {
    test(name, () => {
      assert.deepEqual(busy[name].seen, plain[name].seen);
      for (const [, score] of busy[name].scores) assert.equal(score, OWN);
    });
  }
});
