// Playwright and Puppeteer launch a browser through a link to oomexec. See
// ../browser-link.example.js for why.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { assertHeld, Browser, canPin, canSandbox, isThere } from "../testenv/browser.js";
import { makeDirectory, newDirectory, removeDirectory } from "../testenv/child.js";
import { notTested, OOMEXEC, OWN, scoreOf } from "../testenv/oomexec.js";
import { programOf, until } from "../testenv/process.js";

const PAGE = `<!doctype html><title>linked</title><p id="answer">42</p>`;

// The score that Chromium gives its renderers.
const RENDERER = 300;

// Chromium refuses to sandbox root.
const SANDBOX = process.getuid() !== 0;

const FLAGS = [
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  // Keeps it on loopback.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** The programs that launch a browser. Each puts its own arguments first. */
const LAUNCHERS = {
  // Playwright talks to the browser over a pipe, on the file descriptors 3 and 4.
  Playwright: {
    launch: (options) => chromium.launch({ ...options, chromiumSandbox: SANDBOX }),
    pidOf: async (browser) => {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      return processInfo.find(({ type }) => type === "browser").id;
    },
  },
  // Puppeteer talks to it over a WebSocket, and reads the address from stderr.
  Puppeteer: {
    launch: ({ args, ...options }) =>
      puppeteer.launch({ ...options, args: SANDBOX ? args : [...args, "--no-sandbox"] }),
    pidOf: (browser) => browser.process().pid,
  },
};

let server, url;
before(async () => {
  server = createServer((_, response) => response.setHeader("content-type", "text/html").end(PAGE));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${server.address().port}/`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

/** Returns why this machine cannot launch the browser, or undefined. */
function whyNot() {
  if (!isThere("chromium")) return "chromium is not installed";
  if (SANDBOX && !canSandbox({})) return "this kernel gives the user no namespaces for a sandbox";
  return undefined;
}

/** Launches a browser through a link with this name, and closes it after the test. */
async function launch(t, { launch, pidOf }, name) {
  const directory = makeDirectory();
  const executablePath = join(directory, name);
  symlinkSync(OOMEXEC, executablePath);
  const env = { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, LANG: "C.UTF-8" };
  let launched;
  t.after(async () => {
    await launched?.close();
    removeDirectory(directory);
  });
  launched = await launch({ executablePath, args: FLAGS, env });
  return { launched, browser: Browser.of(await pidOf(launched), directory) };
}

/** Opens the page, which needs a renderer. */
async function show(launched) {
  const page = await launched.newPage();
  await page.goto(url);
  assert.equal(await page.title(), "linked");
  assert.equal(
    await page.evaluate(() => Number(document.getElementById("answer").textContent)),
    42,
  );
}

function untilGone(browser) {
  return until("no process of the browser is left", () => browser.processes().length === 0);
}

for (const [who, launcher] of Object.entries(LAUNCHERS)) {
  describe(`a link as the executablePath of ${who}`, () => {
    test("holds every process of the browser at 1000 with pin", async (t) => {
      const why = canPin() ? whyNot() : "this kernel has no Landlock that refuses";
      if (why !== undefined) return notTested(t, why);
      const { launched, browser } = await launch(t, launcher, "oomexec--pin@chromium");
      await show(launched);
      // oomexec and Debian's script have replaced themselves.
      assert.match(programOf(browser.pid), /\/chromium$/);
      assertHeld(browser);
      assert.equal(scoreOf("self"), OWN);
      await launched.close();
      await untilGone(browser);
    });

    test("lets the browser set its own scores without pin", async (t) => {
      const why = whyNot();
      if (why !== undefined) return notTested(t, why);
      if (OWN > 0) return notTested(t, "a browser cannot go down to 0 here");
      const { launched, browser } = await launch(t, launcher, "oomexec@chromium");
      await show(launched);
      const isReset = () =>
        scoreOf(browser.pid) < 1000 && browser.renderers().every(({ score }) => score === RENDERER);
      await until(
        () => `the browser has set its scores: ${JSON.stringify(browser.all())}`,
        isReset,
      );
      assert.equal(scoreOf("self"), OWN);
      await launched.close();
      await untilGone(browser);
    });
  });
}

test("the link example shows the scores of the gateway and the browser", async (t) => {
  const why = canPin() ? whyNot() : "this kernel has no Landlock that refuses";
  if (why !== undefined) return notTested(t, why);
  const file = fileURLToPath(new URL("../browser-link.example.js", import.meta.url));
  const home = newDirectory(t);
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home };
  const { stdout } = await promisify(execFile)(process.execPath, [file, OOMEXEC], { env });
  const [, gateway] = /^gateway \d+: (-?\d+)$/m.exec(stdout) ?? [];
  const [, pid, child] = /^child (\d+): (-?\d+)$/m.exec(stdout) ?? [];
  assert.deepEqual([gateway, child], [`${OWN}`, "1000"], stdout);
  assert.ok(stdout.includes("the page's title: hello"), stdout);
  await untilGone(Browser.of(Number(pid), home));
});
