import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { hold } from "oomexec";
import {
  assertHeld,
  Browser,
  canPin,
  canSandbox,
  isThere,
  pixelOf,
  USERS,
} from "../testenv/browser.js";
import { notTested, OWN, scoreOf, WAYS } from "../testenv/oomexec.js";
import { until } from "../testenv/process.js";

const PAGE = `<!doctype html><title>rendered</title>
<body style="margin: 0; background: rgb(12, 34, 56)"><p id="answer"></p>
<script>document.getElementById("answer").textContent = 6 * 7</script>`;

// The score that Chromium gives its renderers.
const RENDERER = 300;

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

async function render(browser) {
  const page = await (await browser.connect()).newPage();
  await page.goto(url);
  assert.equal(await page.textContent("#answer"), "42");
  const clip = { x: 50, y: 200, width: 1, height: 1 };
  assert.deepEqual(pixelOf(await page.screenshot({ clip })), [12, 34, 56]);
  return page;
}

function assertSandboxed(browser) {
  const main = browser.all().find(({ pid }) => pid === browser.pid);
  const renderers = browser.renderers();
  assert.ok(renderers.length > 0);
  for (const { pid, seccomp, depth } of renderers) {
    // The zygote has a pid namespace, and each renderer has its own below that.
    assert.deepEqual({ pid, seccomp, depth }, { pid, seccomp: 2, depth: main.depth + 2 });
  }
}

for (const command of ["chromium", "chromium-headless-shell"]) {
  for (const [who, user] of Object.entries(USERS)) {
    const newBrowser = (t, how) => {
      if (!isThere(command)) return notTested(t, `${command} is not installed`);
      if (user.sandbox && !canSandbox(user))
        return notTested(t, "the user may not create a sandbox's namespaces");
      return Browser.start(t, command, how, user);
    };

    describe(`${command} ${who}`, () => {
      test("renders through oomexec with pin, with every process held at 1000", async (t) => {
        if (!canPin()) return notTested(t, "this kernel has no Landlock that refuses");
        const browser = await newBrowser(t, { ...WAYS.oomexec.how, pin: true });
        if (browser === undefined) return;
        assert.equal(browser.via, "oomexec");
        await render(browser);
        assertHeld(browser);
        assert.equal(scoreOf("self"), OWN);
        if (user.sandbox) assertSandboxed(browser);
      });

      for (const via of ["sh", "direct"]) {
        test(`renders through ${via}, and sets its own scores without pin`, async (t) => {
          const browser = await newBrowser(t, WAYS[via].how);
          if (browser === undefined) return;
          assert.equal(browser.via, via);
          await render(browser);
          if (OWN > RENDERER) return notTested(t, `a browser cannot go down to ${RENDERER} here`);
          const isReset = () => browser.renderers().every(({ score }) => score === RENDERER);
          await until(
            () => `renderers are at ${RENDERER}: ${JSON.stringify(browser.all())}`,
            isReset,
          );
          assert.equal(scoreOf("self"), OWN);
          if (user.sandbox) assertSandboxed(browser);
        });
      }

      if (command === "chromium") {
        if (user.sandbox) {
          test("reports that it is adequately sandboxed under pin", async (t) => {
            const browser = await newBrowser(t, { ...WAYS.oomexec.how, pin: true });
            if (browser === undefined) return;
            const page = await (await browser.connect()).newPage();
            await page.goto("chrome://sandbox");
            await page.getByText("You are adequately sandboxed.").waitFor();
          });
        }

        test("is raised again by hold if it is not pinned", async (t) => {
          const browser = await newBrowser(t, WAYS.sh.how);
          if (browser === undefined) return;
          const held = hold(browser.pid);
          t.after(() => held.stop());
          await render(browser);
          if (OWN > RENDERER) return notTested(t, "a browser does not reset itself here");
          // It resets its own score before it starts its first renderer.
          await until("a renderer has set its score", () =>
            browser.renderers().some(({ score }) => score === RENDERER),
          );
          await until("the main process is raised again", () => scoreOf(browser.pid) === 1000);
        });
      }
    });
  }
}
