// A gateway that knows nothing of oomexec, and starts children by the packages that gateways use:
// with oomexec/register it sees what it sees without, and its children are at 1000.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { canPin, canSandbox, isThere } from "../testenv/browser.js";
import { newDirectory } from "../testenv/child.js";
import { notTested, OOMEXEC, OWN } from "../testenv/oomexec.js";

const GATEWAY = fileURLToPath(new URL("../testenv/unchanged.js", import.meta.url));
const REGISTER = import.meta.resolve("oomexec/register");

async function run(t, nodeOptions, ...args) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...nodeOptions, GATEWAY, ...args],
    {
      // A shell or a browser must not read the files of whoever runs the tests.
      env: {
        PATH: process.env.PATH,
        OOMEXEC_PATH: OOMEXEC,
        HOME: newDirectory(t),
        LANG: "C.UTF-8",
      },
    },
  );
  return JSON.parse(stdout);
}

const inBoth = async (t, ...args) => ({
  plain: await run(t, [], ...args),
  registered: await run(t, [`--import=${REGISTER}`], ...args),
});

/** Takes the scores out of what was seen, where they are as `score=N`. */
function split(seen) {
  const SCORE = /score=(-?\d+)/g;
  const text = JSON.stringify(seen);
  const scores = Array.from(text.matchAll(SCORE), ([, score]) => Number(score));
  return { scores: new Set(scores), rest: JSON.parse(text.replace(SCORE, "score")) };
}

for (const name of ["execa", "cross-spawn", "tinyexec", "zx", "node-pty", "@lydell/node-pty"]) {
  test(`${name} does what it does without, and its children are at 1000`, async (t) => {
    try {
      createRequire(import.meta.url).resolve(name);
    } catch {
      return notTested(t, `${name} is not there for this machine`);
    }
    const { plain, registered } = await inBoth(t, name);
    const [expected, found] = [split(plain), split(registered)];
    assert.deepEqual(found.rest, expected.rest);
    assert.deepEqual(expected.scores, new Set([OWN]));
    assert.deepEqual(found.scores, new Set([1000]));
  });
}

test("a server of the MCP SDK answers, and is at 1000", async (t) => {
  const { plain, registered } = await inBoth(t, "the MCP SDK");
  const at = (score) => plain.map((one) => (one.score === undefined ? one : { ...one, score }));
  assert.deepEqual(plain, at(OWN));
  assert.deepEqual(registered, at(1000));
});

describe("a browser renders, with every process held at 1000,", () => {
  for (const name of ["Playwright", "Puppeteer"]) {
    for (const browser of ["chromium", "chromium-headless-shell"]) {
      test(`${browser} by ${name}`, async (t) => {
        if (!isThere(browser)) return notTested(t, `${browser} is not installed`);
        if (!canPin()) return notTested(t, "this kernel has no Landlock that refuses");
        if (process.getuid() !== 0 && !canSandbox({})) {
          return notTested(t, "this kernel gives the user no namespaces for a sandbox");
        }
        const { plain, registered } = await inBoth(t, name, `/usr/bin/${browser}`);
        const types = ([, ...all]) => new Set(all.map(({ type }) => type ?? "browser"));
        assert.equal(registered[0], "hello");
        assert.ok(types(registered).has("renderer"), JSON.stringify(registered));
        assert.ok(
          plain.some(({ score }) => score === 300),
          JSON.stringify(plain),
        );
        const scores = registered.slice(1).map(({ score }) => score);
        assert.deepEqual(new Set(scores), new Set([1000]), JSON.stringify(registered));
      });
    }
  }
});
