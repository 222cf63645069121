// Starts Debian's browsers as a gateway does; Playwright drives them over CDP. See
// ../browser.example.js for why.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inflateSync } from "node:zlib";
import { prepare } from "oomexec";
import { chromium } from "playwright-core";
import { kill, makeDirectory, removeDirectory, start } from "./child.js";
import { OOMEXEC, scoreOf } from "./oomexec.js";
import { processes, until } from "./process.js";

const NOBODY = 65534;

/** The users that run the browser. Chromium refuses to sandbox root. */
export const USERS =
  process.getuid() === 0
    ? {
        "as root without its sandbox": {},
        "unprivileged with its sandbox": { uid: NOBODY, gid: NOBODY, sandbox: true },
      }
    : { "unprivileged with its sandbox": { sandbox: true } };

export function isThere(command) {
  return spawnSync("/bin/sh", ["-c", `command -v ${command}`]).status === 0;
}

/** Returns whether this user may create the namespaces of Chromium's sandbox. */
export function canSandbox({ uid, gid }) {
  return (
    spawnSync("unshare", ["--user", "--pid", "--net", "--fork", "true"], { uid, gid, cwd: "/" })
      .status === 0
  );
}

/** Returns whether this kernel has the Landlock that pin needs. */
export function canPin() {
  const lower = "(echo 0 >/proc/self/oom_score_adj) 2>/dev/null; cat /proc/self/oom_score_adj";
  return (
    execFileSync(OOMEXEC, ["--pin", "--", "sh", "-c", lower], { encoding: "utf8" }) === "1000\n"
  );
}

export class Browser {
  #directory;

  /** Starts a browser and stops it after the test. `how` holds options for prepare(). */
  static async start(t, command, how, { uid, gid, sandbox }) {
    const directory = makeDirectory();
    if (uid !== undefined) chownSync(directory, uid, gid);
    // Another user may not have access to the repository.
    if (how.oomexec) {
      how = { ...how, oomexec: join(directory, "oomexec") };
      copyFileSync(OOMEXEC, how.oomexec);
    }
    const flags = [
      "--headless",
      "--remote-debugging-port=0",
      `--user-data-dir=${directory}/profile`,
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      // Keeps it on loopback.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ...(sandbox ? [] : ["--no-sandbox"]),
    ];
    const env = { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, LANG: "C.UTF-8" };
    const prepared = prepare(command, flags, { ...how, env, cwd: directory });
    const child = start(t, prepared, {
      stdio: ["ignore", "ignore", "pipe"],
      cwd: directory,
      uid,
      gid,
    });

    const browser = Browser.of(child.pid, directory);
    browser.via = prepared.via;
    browser.stop = () => browser.#stop(child);
    t.after(browser.stop);
    browser.endpoint = endpoint(child);
    return browser;
  }

  /**
   * Returns a browser that somebody else started, in its own session and with this directory as its
   * HOME.
   */
  static of(pid, directory) {
    const browser = new Browser();
    browser.#directory = directory;
    browser.pid = pid;
    return browser;
  }

  /** Connects Playwright to the browser. */
  async connect() {
    this.playwright = await chromium.connectOverCDP(await this.endpoint);
    return this.playwright;
  }

  /**
   * Returns the browser's processes. crashpad's helpers are not in its session, but name its
   * profile.
   */
  processes() {
    return processes()
      .map((stat) => ({ ...stat, ...detailsOf(stat.pid) }))
      .filter(({ session, line }) => session === this.pid || line?.includes(this.#directory));
  }

  /** Returns the score and the sandbox of each process. */
  all() {
    return this.processes()
      .map(({ pid, name, type, status }) => {
        try {
          return { pid, name, type, score: scoreOf(pid), ...sandboxOf(status) };
        } catch {
          return undefined; // It has ended.
        }
      })
      .filter((one) => one !== undefined);
  }

  renderers() {
    return this.all().filter(({ type }) => type === "renderer");
  }

  async #stop(child) {
    await this.playwright?.close();
    // The group: Debian's headless shell is a script that waits for the browser.
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      kill(child, "SIGKILL");
      await exit;
    }
    await until("no process of the browser is left", () => this.processes().length === 0);
    removeDirectory(this.#directory);
  }
}

// Reads the address that the browser prints on stderr, and keeps reading: a full pipe would block
// the browser.
function endpoint(child) {
  return new Promise((resolve, reject) => {
    const said = [];
    createInterface(child.stderr).on("line", (line) => {
      said.push(line);
      const listening = /^DevTools listening on (ws:\S+)/.exec(line);
      if (listening !== null) resolve(listening[1]);
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`the browser ended: ${said.join("\n")}`)));
  });
}

function detailsOf(pid) {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    const type = /--type=([\w-]+)/.exec(line)?.[1];
    return { line, type, status: readFileSync(`/proc/${pid}/status`, "latin1") };
  } catch {
    return {};
  }
}

function sandboxOf(status) {
  return {
    // 2: a seccomp filter limits its system calls.
    seccomp: Number(/^Seccomp:\s*(\d)/m.exec(status)?.[1]),
    // The depth of nested pid namespaces.
    depth: /^NSpid:\s*(.*)$/m.exec(status)?.[1].split(/\s+/).length,
  };
}

/** Returns the colour of a PNG with one pixel. */
export function pixelOf(png) {
  const data = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  // The first byte is the filter, which changes nothing in a single pixel.
  return [...inflateSync(Buffer.concat(data)).subarray(1, 4)];
}

/** Asserts that a browser shows a page, and each of its processes is at 1000. */
export function assertHeld(browser) {
  const all = browser.all();
  assert.ok(all.some(({ pid }) => pid === browser.pid));
  for (const wanted of ["zygote", "renderer"])
    assert.ok(
      all.some(({ type }) => type === wanted),
      `there is a ${wanted}`,
    );
  for (const { name, type, score } of all)
    assert.equal(score, 1000, `the score of ${name} ${type ?? ""}`);
}
