// What the gateway starts in each of the two cases.

import { join } from "node:path";

import { heavyPage } from "./page.mjs";

/**
 * The two cases. `share` is the gateway's part of the limit; `must` is the launcher with which
 * it must survive. For a browser that is pin: Chromium sets its own scores, so the others
 * cannot help.
 */
export const SCENARIOS = {
  children: { share: 0.35, launchers: ["direct", "shim", "choom", "oomexec"], must: "oomexec" },
  browser: { share: 0.45, launchers: ["direct", "shim", "choom", "oomexec", "pin"], must: "pin" },
};

/** The children: each one's part of the limit, and the milliseconds between two starts. */
const CHILD = { share: 0.05, every: 400 };
/** The heavy pages that a browser opens. */
export const TABS = 12;

/** The gateway's settings; gateway.mjs describes each field. */
export function gatewaySettings({ scenario, limit, words, user, browser }, stage, home) {
  const settings = { limit, share: SCENARIOS[scenario].share, words };
  if (scenario === "children")
    return { ...settings, child: { file: join(stage, "child.mjs"), ...CHILD } };
  return {
    ...settings,
    browser: { file: browser, args: browserArgs(home, user), pages: pages(limit) },
  };
}

/**
 * The arguments of a browser driver. Background tabs are not throttled, so all grow side by side.
 */
function browserArgs(home, user) {
  return [
    "--headless=new",
    "--remote-debugging-pipe",
    `--user-data-dir=${join(home, "profile")}`,
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    ...(withoutSandbox(user) ? ["--no-sandbox"] : []),
    "about:blank",
  ];
}

/** Whether Chromium runs without its sandbox: as root it must. */
export function withoutSandbox(user) {
  return process.getuid() === 0 && !user;
}

function pages(limit) {
  return Array.from({ length: TABS }, (_, index) => heavyPage(index + 1, limit / 512));
}
