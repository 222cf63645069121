// A browser that the gateway starts itself and Playwright drives over CDP: the gateway has its pid, its group and its
// stderr. For Playwright's own launch(), which takes one file to run, see browser-link.example.js.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hold, prepare } from "oomexec";
import { chromium } from "playwright-core";

const scoreOf = (pid) => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim();

const profile = mkdtempSync(join(tmpdir(), "browser-"));
const flags = [
  "--headless",
  "--remote-debugging-port=0", // any that is free, on loopback
  `--user-data-dir=${profile}`,
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  // Chromium refuses to be root in its sandbox.
  ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
];
// pin: Chromium sets scores of its own.
const { command, args, env, via, wrapped } = prepare(process.argv[2] ?? "chromium", flags, { env: process.env, pin: true });
const child = spawn(command, args, { env, detached: true, stdio: ["ignore", "ignore", "pipe"] });
const exit = once(child, "exit");
// Does nothing where pin does: what stands at 1000 is left alone.
if (wrapped) hold(child.pid);

try {
  const browser = await chromium.connectOverCDP(await Promise.race([endpoint(child), failure(exit)]));
  const page = await browser.newPage();
  await page.setContent("<title>hello</title>");
  console.log(`the page's title: ${await page.title()}`);
  console.log(`gateway ${process.pid}: ${scoreOf("self")}`);
  console.log(`child ${child.pid}: ${scoreOf(child.pid)}, by ${via}`);
  await browser.close();
} finally {
  // The group: Debian's headless shell is a script that waits for the browser.
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  await exit.catch(() => {});
  rmSync(profile, { recursive: true, maxRetries: 10, retryDelay: 100 });
}

/** Where the browser listens. It says so on stderr, which must be read on: a full pipe would stop it. */
function endpoint({ stderr }) {
  return new Promise((resolve) => {
    createInterface(stderr).on("line", (line) => {
      const listening = /^DevTools listening on (ws:\S+)/.exec(line);
      if (listening !== null) resolve(listening[1]);
    });
  });
}

async function failure(exit) {
  const [code, signal] = await exit;
  throw new Error(`the browser ended: ${signal ?? code}`);
}
