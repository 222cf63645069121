import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { canPin, canSandbox, isThere } from "../testenv/browser.js";
import { newDirectory } from "../testenv/child.js";
import { notTested, OOMEXEC, OWN } from "../testenv/oomexec.js";

// An example decides like a gateway: by its environment and what is installed.
const { PATH } = process.env;
const WITHOUT_OOMEXEC = PATH.split(":").filter((directory) => !isThere(`${directory}/oomexec`));
const WAYS = {
  oomexec: { env: { PATH, OOMEXEC_PATH: OOMEXEC }, score: 1000 },
  sh: { env: { PATH: WITHOUT_OOMEXEC.join(":") }, score: 1000 },
  direct: { env: { PATH, OPENCLAW_CHILD_OOM_SCORE_ADJ: "0" }, score: OWN },
};

async function run(t, example, env, ...args) {
  const file = fileURLToPath(new URL(`../${example}.example.js`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args], {
    // A shell or a browser must not read the files of whoever runs the tests.
    env: { ...env, HOME: newDirectory(t) },
  });
  const score = (who) => Number(new RegExp(`^${who} \\d+: (-?\\d+)`, "m").exec(stdout)?.[1]);
  return { stdout, gateway: score("gateway"), child: score("child") };
}

for (const [via, { env, score }] of Object.entries(WAYS)) {
  describe(`an example that starts its child through ${via}`, () => {
    for (const [example, expected] of [
      ["supervisor", "ended by SIGTERM, and nothing that it started is left"],
      ["pty", "login shell: on"],
      ["mcp", "echo says: Echo: hello"],
    ]) {
      test(`shows the scores of the gateway and the child: ${example}`, async (t) => {
        const { stdout, gateway, child } = await run(t, example, env);
        assert.deepEqual([gateway, child], [OWN, score], stdout);
        assert.ok(stdout.includes(expected), stdout);
      });
    }
  });
}

test("the browser example shows the scores of the gateway and the child", async (t) => {
  if (!isThere("chromium")) return notTested(t, "chromium is not installed");
  if (!canPin()) return notTested(t, "this kernel has no Landlock that refuses");
  if (process.getuid() !== 0 && !canSandbox({})) {
    return notTested(t, "this kernel gives the user no namespaces for a sandbox");
  }
  const { stdout, gateway, child } = await run(t, "browser", WAYS.oomexec.env, "chromium");
  assert.deepEqual([gateway, child], [OWN, 1000], stdout);
  assert.ok(stdout.includes("the page's title: hello"), stdout);
});

test("the browser example shows what a browser says that ends at once", async (t) => {
  const browser = join(newDirectory(t), "browser");
  writeFileSync(browser, "#!/bin/sh\necho no usable sandbox >&2\nexit 3\n", { mode: 0o755 });
  await assert.rejects(
    run(t, "browser", WAYS.oomexec.env, browser),
    /the browser ended: 3\nno usable sandbox/,
  );
});
