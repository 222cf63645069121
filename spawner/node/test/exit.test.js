import assert from "node:assert/strict";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { explainExit, prepare, readOomKills } from "../index.js";
import { newCgroup } from "../testenv/cgroup.js";
import { run } from "../testenv/child.js";
import { newDirectory } from "../testenv/files.js";
import { OOMEXEC } from "../testenv/oomexec.js";
import { notTestedHere } from "../testenv/skip.js";

test("a real OOM kill is told apart from a kill by the gateway", {
  timeout: 120_000,
}, async (t) => {
  const cgroup = newCgroup(t, 256 * 1024 * 1024);
  if (cgroup === undefined) return notTestedHere(t, "no memory cgroup can be made here");
  const gateway = fileURLToPath(new URL("../testenv/gateway.js", import.meta.url));
  const { stdout, stderr } = await run({
    command: process.execPath,
    args: [gateway, cgroup],
    env: process.env,
  });
  assert.equal(stderr, "");
  const { grown, killed, file } = JSON.parse(stdout);
  assert.equal(file.slice(0, file.lastIndexOf("/")), cgroup);
  assert.equal(grown.kind, "oom-killed");
  assert.match(grown.text, /killed 1 process in/);
  assert.equal(killed.kind, "killed");
});

test("readOomKills reads the count of another process's cgroup", () => {
  assert.deepEqual(readOomKills(process.pid), readOomKills());
});

test("readOomKills returns undefined if there is no such process or file", () => {
  for (const of of [0, -1, "no-such", 2 ** 31, null, { file: "/no/such/file" }]) {
    assert.equal(readOomKills(of), undefined);
  }
});

test("126 is a file that cannot be run, 127 one that is gone or whose interpreter is missing", async (t) => {
  const directory = newDirectory(t);
  const file = `${directory}/file`;
  const interpreter = `${directory}/interpreter`;
  symlinkSync("/bin/sh", interpreter);
  const explain = async (contents, meanwhile) => {
    writeFileSync(file, contents, { mode: 0o755 });
    const prepared = prepare(file, [], { oomexec: OOMEXEC });
    assert.equal(prepared.via, "oomexec");
    meanwhile();
    return explainExit({ ...(await run(prepared)), wrapped: prepared.wrapped }).kind;
  };
  assert.equal(await explain("\x7fELF", () => {}), "cannot-run");
  const script = `#!${interpreter}\n`;
  assert.equal(await explain(script, () => rmSync(interpreter)), "not-found");
  assert.equal(await explain("#!/bin/sh\n", () => rmSync(file)), "not-found");
});
