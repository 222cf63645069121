// A browser that the gateway starts itself and Playwright drives over CDP: the gateway has its pid,
// its group and its stderr. For Playwright's own launch(), which takes one file to run, see
// browser-link.example.js.
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
const { command, args, env, via, wrapped } = prepare(process.argv[2] ?? "chromium", flags, {
  env: process.env,
  pin: true,
});
const child = spawn(command, args, { env, detached: true, stdio: ["ignore", "ignore", "pipe"] });
const exit = once(child, "exit");
// If pin works, hold does nothing: it leaves a process at 1000 alone.
if (wrapped) hold(child.pid);

try {
  const browser = await chromium.connectOverCDP(await endpoint(child));
  const page = await browser.newPage();
  await page.setContent("<title>hello</title>");
  console.log(`the page's title: ${await page.title()}`);
  console.log(`gateway ${process.pid}: ${scoreOf("self")}`);
  console.log(`child ${child.pid}: ${scoreOf(child.pid)}, by ${via}`);
  await browser.close();
} finally {
  if (child.pid !== undefined) killGroup(child.pid);
  await exit.catch(() => {});
  rmSync(profile, { recursive: true, maxRetries: 10, retryDelay: 100 });
}

/**
 * Kills the browser and what it started: Debian's headless shell is a script that waits for the
 * browser.
 */
function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // The browser has ended by itself.
    if (error.code !== "ESRCH") throw error;
  }
}

/**
 * Returns where the browser listens. It says so on stderr, which must be read on: a full pipe would
 * stop it.
 */
function endpoint(child) {
  return new Promise((resolve, reject) => {
    const said = [];
    createInterface(child.stderr).on("line", (line) => {
      said.push(line);
      if (said.length > 20) said.shift();
      const listening = /^DevTools listening on (ws:\S+)/.exec(line);
      if (listening !== null) resolve(listening[1]);
    });
    child.once("error", reject);
    child.once("close", (code, signal) =>
      reject(new Error(`the browser ended: ${signal ?? code}\n${said.join("\n")}`)),
    );
  });
}
