// One case, as process 1 of its pid namespace: starts the stub model and the gateway, runs an
// agent's turn in which the model calls tools that start children, and prints what /proc shows
// meanwhile as JSON. When it ends, the kernel kills everything that it started.
//
//   session.mjs CASE

import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { MODEL, startStubModel } from "./stub-model.mjs";

const NODE = "/node/bin/node";
const PACKAGES = "/gateway/node_modules";
const OPENCLAW = `${PACKAGES}/openclaw/openclaw.mjs`;
const MCP_SERVER = [
  NODE,
  `${PACKAGES}/@modelcontextprotocol/server-everything/dist/index.js`,
  "stdio",
];
// Always free: the network namespace is its own.
const PORT = 18789;
const TOKEN = "only-loopback-here";
const LOG = "/tmp/oomexec-register.log";
// A case takes 15 s, with a browser on a busy machine 60 s.
const PATIENCE_MS = 240_000;

const MESSAGE = "hello from the stub model";
const ECHO = { tool: "echo", input: { message: MESSAGE }, expected: MESSAGE };
const run = (command, more) => ({
  tool: "exec",
  input: { command, background: true, timeoutSeconds: 0, ...more },
  expected: "still running",
});
// `sleep 1001` and `sleep 1002` tell the two apart.
const HOST_CALLS = [
  run("sleep 1001; true"),
  run("sleep 1002; true", { pty: true }),
  { tool: "browser", input: { action: "start" }, expected: "running" },
  { tool: "browser", input: { action: "open", url: "about:blank" }, expected: "blank" },
  ECHO,
];

/** What is in the root directory, how the gateway is started, and what the model calls. */
const REGISTER = [`--import=file://${PACKAGES}/oomexec/register.js`];
const CASES = {
  "without-shell": { shell: "none", calls: [ECHO] },
  "as-sh": { shell: "oomexec", calls: [ECHO] },
  "register-without-shell": { shell: "none", calls: [ECHO], nodeOptions: REGISTER },
  unchanged: { shell: "a shell", calls: HOST_CALLS },
  register: { shell: "a shell", calls: HOST_CALLS, nodeOptions: REGISTER },
  changed: { shell: "a shell", calls: HOST_CALLS },
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

// Process 1 ignores signals without a handler.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
process.on("uncaughtException", (error) => fail(error.stack));
setTimeout(() => fail(`not finished after ${PATIENCE_MS / 1000} s`), PATIENCE_MS);

const [, , name] = process.argv;
const { shell, calls, nodeOptions = [] } = CASES[name];
if (whatShellIs() !== shell) fail(`/bin/sh is ${whatShellIs()}, not ${shell}`);
const ownScore = startAtZero();

let seen;
const modelUrl = await startStubModel(calls, async () => {
  // Chromium sets its scores 0.4 s after its start, and openclaw looks at its shells meanwhile.
  await sleep(3000);
  seen = lookAround();
});
writeConfig(modelUrl);
const gateway = startGateway();
await gatewayIsReady();
await agentTurn();
if (!seen) fail("the stub model did not get the results of all its calls: see above");
const registered = existsSync(LOG) ? readFileSync(LOG, "utf8") : "";
console.error(registered);
console.log(JSON.stringify({ name, shell, ownScore, processes: seen, registered }));
process.exit(0);

/** Returns 'oomexec', 'none' or 'a shell'. */
function whatShellIs() {
  const { error, status, stderr } = spawnSync("/bin/sh", ["-c", "true"], { encoding: "utf8" });
  if (error?.code === "ENOENT") return "none";
  if (error) throw error;
  if (status === 0) return "a shell";
  return status === 127 && stderr.startsWith("oomexec: not a shell") ? "oomexec" : stderr;
}

/**
 * Sets the score to 0, as in a container, if the inherited minimum allows it. Returns the score.
 */
function startAtZero() {
  try {
    writeFileSync("/proc/self/oom_score_adj", "0");
  } catch (error) {
    if (error.code !== "EACCES") throw error;
  }
  const score = scoreOf("self");
  if (score >= 1000)
    fail("oom_score_adj is 1000 here and may not be lowered: a raise cannot be seen");
  return score;
}

function writeConfig(baseUrl) {
  const model = {
    id: MODEL,
    name: MODEL,
    reasoning: false,
    input: ["text"],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 128_000,
    maxTokens: 8192,
  };
  const [command, ...args] = MCP_SERVER;
  const config = {
    gateway: {
      mode: "local",
      bind: "loopback",
      port: PORT,
      auth: { mode: "token", token: TOKEN },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    update: { checkOnStart: false },
    models: {
      mode: "replace",
      providers: { stub: { baseUrl, apiKey: "none", api: "openai-completions", models: [model] } },
    },
    agents: { defaults: { model: { primary: `stub/${MODEL}` }, skipBootstrap: true } },
    // Offers the model each tool by its name, not a tool that searches for tools.
    tools: { toolSearch: false },
    mcp: { servers: { everything: { command, args } } },
    // Chromium refuses to sandbox root.
    browser: { executablePath: "/usr/bin/chromium", headless: true, noSandbox: true },
  };
  mkdirSync("/home/.openclaw");
  writeFileSync("/home/.openclaw/openclaw.json", JSON.stringify(config, null, 2));
}

function startGateway() {
  const env = {
    ...process.env,
    // Keeps the gateway from starting itself again as another process.
    OPENCLAW_NO_RESPAWN: "1",
    // There is nobody to talk to.
    OPENCLAW_DISABLE_BONJOUR: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    OPENCLAW_SKIP_CHANNELS: "1",
    OPENCLAW_SKIP_CRON: "1",
    // Of oomexec/register alone.
    OOMEXEC_LOG: LOG,
  };
  const args = [...nodeOptions, OPENCLAW, "gateway", "run"];
  const child = spawn(NODE, args, { env, stdio: ["ignore", 2, 2] });
  child.on("error", (error) => fail(`the gateway did not start: ${error.message}`));
  child.on("exit", (status, signal) => fail(`the gateway ended too early: ${signal ?? status}`));
  return child;
}

async function gatewayIsReady() {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${PORT}/readyz`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(250);
  }
}

/** Runs the agent's first turn, with which the gateway starts its MCP servers. */
async function agentTurn() {
  const response = await fetch(`http://127.0.0.1:${PORT}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "openclaw",
      messages: [{ role: "user", content: "Use the tools." }],
    }),
  });
  const answer = await response.text();
  if (!response.ok) fail(`the agent's turn ended with HTTP ${response.status}: ${answer}`);
}

/** Returns the gateway and all its descendants, each behind its parent. */
function lookAround() {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap(look);
  const below = (pid, depth, parent) =>
    all
      .filter((one) => one.parent === pid && one.pid !== parent)
      .flatMap((one) => [{ ...one, depth, kind: kindOf(one) }, ...below(one.pid, depth + 1)]);
  const main = all.find(({ pid }) => pid === gateway.pid);
  return [
    { ...main, depth: 0, kind: "gateway" },
    ...below(gateway.pid, 1),
    // Chromium's crash handlers have left it.
    ...below(process.pid, 1, gateway.pid),
  ];
}

/** Returns what the process is to the gateway. */
function kindOf({ command, program }) {
  if (command === MCP_SERVER.join(" ")) return "MCP server";
  const [, type] = /--type=([\w-]+)/.exec(command) ?? [];
  if (program.endsWith("/chrome_crashpad_handler")) return "browser: crashpad";
  if (program.endsWith("/chromium")) return `browser: ${type ?? "main"}`;
  if (program === NODE && command.includes(`${PACKAGES}/openclaw/`)) return "part of the gateway";
  return basename(program);
}

function look(pid) {
  try {
    // The state and the parent follow the name, which is in brackets and may hold anything.
    const parent = Number(
      readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[1],
    );
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return [
      { pid, parent, score: scoreOf(pid), command, program: readlinkSync(`/proc/${pid}/exe`) },
    ];
  } catch (error) {
    // It ended meanwhile.
    if (error.code === "ENOENT" || error.code === "ESRCH") return [];
    throw error;
  }
}

function scoreOf(pid) {
  return Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
}
