// A gateway that knows nothing of oomexec: it starts children by the packages that gateways use.
// Run with the name of one of them; prints as JSON what that returned, and the children's scores.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { processes } from "./process.js";

// sed prints its own score, as score=N.
const SCORE = ["s/^/score=/", "/proc/self/oom_score_adj"];
const FAILING = ["-c", `sed ${SCORE.join(" ")}; echo error >&2; exit 3`];
// Prompt, text and colours depend on the terminal alone.
const PTY = { name: "xterm", cols: 80, rows: 25, cwd: "/" };
const SANDBOX = process.getuid() !== 0;

// Plain text, and errors as what they hold.
const seen = ({ stdout, stderr, exitCode, code, status, signal, shortMessage }) => ({
  stdout: String(stdout).trim(),
  stderr: String(stderr ?? "").trim(),
  code: exitCode ?? code ?? status ?? null,
  signal: signal ?? null,
  shortMessage,
});

const failure = (error) => ({
  name: error.constructor.name,
  message: error.message,
  code: error.code,
});
const caught = (promise) => promise.then(seen, (error) => ({ ...seen(error), ...failure(error) }));

const PACKAGES = {
  async execa() {
    const { execa, execaSync, $ } = await import("execa");
    return [
      seen(await execa("sed", SCORE)),
      await caught(execa("sh", FAILING)),
      await caught(execa("no-such-command", ["x"])),
      await caught(execa("sed", SCORE, { shell: true })),
      seen(await $`sed ${SCORE}`),
      seen(execaSync("sed", SCORE)),
      seen(await execa("cat", { input: "piped" }).pipe("cat")),
    ];
  },
  async "cross-spawn"() {
    const { default: spawn } = await import("cross-spawn");
    const missing = spawn("no-such-command", ["x"]);
    const error = await new Promise((resolve) => missing.on("error", resolve));
    return [seen(spawn.sync("sed", SCORE)), seen(spawn.sync("sh", FAILING)), failure(error)];
  },
  async tinyexec() {
    const { x } = await import("tinyexec");
    return [
      seen(await x("sed", SCORE)),
      seen(await x("sh", FAILING)),
      await caught(x("sh", FAILING, { throwOnError: true })),
      await caught(x("no-such-command")),
    ];
  },
  async zx() {
    const { $ } = await import("zx");
    $.verbose = false;
    return [
      seen(await $`sed ${SCORE}`),
      seen(await $`sed ${SCORE} | cat; exit 3`.nothrow()),
      seen($.sync`sed ${SCORE}`),
    ];
  },
  "node-pty": () => terminal("node-pty"),
  "@lydell/node-pty": () => terminal("@lydell/node-pty"),
  async "the MCP SDK"() {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
    const server = new URL("../node_modules/.bin/mcp-server-everything", import.meta.url);
    const client = new Client({ name: "oomexec-examples", version: "1.0.0" });
    const transport = new StdioClientTransport({
      command: fileURLToPath(server),
      args: ["stdio"],
      stderr: "ignore",
    });
    await client.connect(transport);
    const { content } = await client.callTool({ name: "echo", arguments: { message: "hello" } });
    const below = scoresBelow();
    await client.close();
    return [content, ...below];
  },
  async Playwright(executablePath) {
    const { chromium } = await import("playwright-core");
    const browser = await chromium.launch({ executablePath, chromiumSandbox: SANDBOX });
    return shown(browser);
  },
  async Puppeteer(executablePath) {
    const { default: puppeteer } = await import("puppeteer-core");
    const args = SANDBOX ? [] : ["--no-sandbox"];
    const browser = await puppeteer.launch({ executablePath, args });
    return shown(browser);
  },
};

// Both drivers name these alike.
async function shown(browser) {
  const page = await browser.newPage();
  await page.setContent("<title>hello</title>");
  const below = scoresBelow();
  const title = await page.title();
  await browser.close();
  return [title, ...below];
}

// Through CommonJS, as both packages are.
async function terminal(name) {
  const pty = createRequire(import.meta.url)(name);
  const run = (file, args, options) =>
    new Promise((resolve) => {
      const child = pty.spawn(file, args, { ...PTY, ...options });
      let text = "";
      child.onData((data) => (text += data));
      const { pid, process: title } = child;
      child.onExit((end) => resolve({ text, ...end, hasPid: pid > 0, hasTitle: title !== "" }));
    });
  return [
    await run("sed", SCORE),
    await run("sh", ["-c", 'echo "$0 $# $PWD $TERM $(tty | cut -c-8)"; kill -TERM $$'], {
      env: { PATH: process.env.PATH, "MY-VAR": "1" },
    }),
    await run("cat", ["/proc/self/environ"], { env: { "MY-VAR": "1", PATH: process.env.PATH } }),
    await run("no-such-command", ["x"]),
  ];
}

// The score of each process below this one, by its program and Chromium's type.
function scoresBelow() {
  const all = processes();
  const isBelow = ({ parent }) =>
    parent === process.pid || all.some(({ pid, ...one }) => pid === parent && isBelow(one));
  return all.filter(isBelow).map(({ pid, name }) => {
    const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    const type = /--type=([\w-]+)/.exec(line)?.[1];
    return { name, type, score: Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8")) };
  });
}

const [, , name, ...rest] = process.argv;
console.log(JSON.stringify(await PACKAGES[name](...rest)));
process.exit();
