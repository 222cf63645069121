// Commands that are scripts: prepare() tells what the kernel does with their `#!` lines.
import assert from "node:assert/strict";
import { spawn as spawnChild } from "node:child_process";
import { once } from "node:events";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { prepare } from "../index.js";
import { start } from "../testenv/child.js";
import { newDirectory } from "../testenv/files.js";
import { OOMEXEC } from "../testenv/oomexec.js";

// For each line, whether the native spawn fails and the child is started directly.
const LINES = [
  ["#!/bin/sh\n", false],
  ["#!/bin/sh", false],
  ["#! \t/bin/sh -e\n", false],
  ["#!/bin/sh -e x y\r\n", false],
  [`#!/bin/sh${" ".repeat(300)}x\n`, false],
  ["#!/bin/sh\0/gone\n", false],
  ["#!./interpreter\n", false],
  ["#!interpreter\n", false],
  ["#!/gone/interpreter\n", true],
  ["#!/gone/interpreter", true],
  ["#!  /gone/interpreter -e\n", true],
  ["#!/bin/sh\r\n", true],
  ["#!gone\n", true],
  ["#!/bin/sh/x\n", true],
  ["#!/etc/passwd\n", true],
  ["#!/etc\n", true],
  // The kernel finds no name in these, and libuv's execvp runs them by /bin/sh.
  ["#!\n", false],
  ["#! \t\n", false],
  ["\n#!/gone/interpreter\n", false],
  [" #!/gone/interpreter\n", false],
  ["", false],
  [`#!/${"x".repeat(253)}`, false],
  [`#!${" ".repeat(240)}/gone/interpreter\n`, false],
  [`#!/gone/${"x".repeat(245)}\n`, true],
];

describe("a script that cannot run fails with the native error", () => {
  for (const [line, isDirect] of LINES) {
    test(JSON.stringify(line), async (t) => {
      const cwd = newDirectory(t);
      symlinkSync("/bin/sh", `${cwd}/interpreter`);
      writeFileSync(`${cwd}/script`, line, { mode: 0o755 });
      const env = { PATH: `/gone:${cwd}` };
      for (const command of [`${cwd}/script`, "./script", "script"]) {
        const native = await end(() => spawnChild(command, [], { cwd, env, stdio: "ignore" }));
        assert.equal(native.error !== undefined, isDirect, "whether it fails natively");
        const prepared = prepare(command, [], { cwd, env, oomexec: OOMEXEC });
        assert.equal(prepared.via, isDirect ? "direct" : "oomexec");
        assert.deepEqual(await end(() => start(prepared, { cwd, stdio: "ignore" })), native);
      }
    });
  }

  test("one that may be executed and not read is started through oomexec", async (t) => {
    const file = `${newDirectory(t)}/script`;
    writeFileSync(file, "#!/bin/sh\n");
    chmodSync(file, 0o111);
    assert.equal(prepare(file, [], { oomexec: OOMEXEC }).via, "oomexec");
  });
});

async function end(start) {
  try {
    const [code, signal] = await once(start(), "exit");
    return { code, signal };
  } catch (error) {
    return { error: error.code };
  }
}
