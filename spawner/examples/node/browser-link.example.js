// Playwright launches a browser through a link to oomexec.
//
// Playwright's `executablePath` is one file, and Playwright's arguments follow it: there is no room
// for oomexec's own arguments. So the name of the link holds them: `oomexec--pin@chromium` runs
// `oomexec --pin -- chromium "$@"`, and oomexec searches PATH for chromium. Puppeteer's
// `executablePath` takes such a link too, and so does `@playwright/mcp --executable-path`.
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOomexec } from "oomexec";
import { chromium } from "playwright-core";

const scoreOf = (pid) => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim();

const { path } = findOomexec(process.argv[2]);
if (path === undefined) throw new Error("oomexec was not found");
const directory = mkdtempSync(join(tmpdir(), "browser-"));
try {
  // pin: Chromium sets scores of its own.
  const executablePath = join(directory, "oomexec--pin@chromium");
  symlinkSync(path, executablePath);
  // Chromium refuses to sandbox root.
  const browser = await chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid() !== 0,
  });
  const page = await browser.newPage();
  await page.setContent("<title>hello</title>");
  console.log(`the page's title: ${await page.title()}`);
  console.log(`gateway ${process.pid}: ${scoreOf("self")}`);
  const pid = await pidOf(browser);
  console.log(`child ${pid}: ${scoreOf(pid)}`);
  await browser.close();
} finally {
  rmSync(directory, { recursive: true });
}

/** Asks the browser for its pid, which Playwright does not tell. */
async function pidOf(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  return processInfo.find(({ type }) => type === "browser").id;
}
