import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { OOMEXEC } from "../testenv/oomexec.js";
import { explainExit, prepare, readOomKills } from "../index.js";
import { newCgroup } from "../testenv/cgroup.js";
import { run } from "../testenv/child.js";
import { newDirectory } from "../testenv/files.js";

test("a real kill by the kernel is told from a kill by the gateway", { timeout: 120_000 }, async (t) => {
  const cgroup = newCgroup(t, 256 * 1024 * 1024);
  if (cgroup === undefined) {
    assert.ok(!process.env.CI, "no memory cgroup can be made here");
    return t.skip("NOT TESTED: no memory cgroup can be made here");
  }
  const gateway = fileURLToPath(new URL("../testenv/gateway.js", import.meta.url));
  const { stdout, stderr } = await run({ command: process.execPath, args: [gateway, cgroup], env: process.env });
  assert.equal(stderr, "");
  const { grown, killed, file } = JSON.parse(stdout);
  assert.equal(file.slice(0, file.lastIndexOf("/")), cgroup);
  assert.equal(grown.kind, "oom-killed");
  assert.match(grown.text, /killed 1 process in/);
  assert.equal(killed.kind, "killed");
});

test("the count of another process's cgroup is read by its pid", () => {
  assert.deepEqual(readOomKills(process.pid), readOomKills());
});

test("there is no count of a process that is not there, and none is thrown", () => {
  for (const of of [0, -1, "no-such", 2 ** 31, null, { file: "/no/such/file" }]) {
    assert.equal(readOomKills(of), undefined);
  }
});

test("126 is a command that is there and cannot be run, 127 one that went away after it was looked up", async (t) => {
  const script = `${newDirectory(t)}/script`;
  const explain = async (meanwhile) => {
    writeFileSync(script, "#!/no/such/interpreter\n", { mode: 0o755 });
    const prepared = prepare(script, [], { oomexec: OOMEXEC });
    assert.equal(prepared.via, "oomexec");
    meanwhile();
    return explainExit({ ...(await run(prepared)), wrapped: prepared.wrapped }).kind;
  };
  assert.equal(await explain(() => {}), "cannot-run");
  assert.equal(await explain(() => rmSync(script)), "not-found");
});
