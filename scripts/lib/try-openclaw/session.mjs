// One case, as process 1 of its pid namespace: starts the stub model and the gateway, runs
// an agent's turn that calls the MCP server, and prints what /proc shows meanwhile as JSON.
// When it ends, the kernel kills everything that it started.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { MODEL, startStubModel } from "./stub-model.mjs";

const NODE = "/node/bin/node";
const OPENCLAW = "/gateway/node_modules/openclaw/openclaw.mjs";
const MCP_SERVER = [
  NODE,
  "/gateway/node_modules/@modelcontextprotocol/server-everything/dist/index.js",
  "stdio",
];
// Always free: the network namespace is its own.
const PORT = 18789;
const TOKEN = "only-loopback-here";
// A case takes 15 s, on a busy machine 25 s.
const PATIENCE_MS = 240_000;

function fail(message) {
  console.error(message);
  process.exit(1);
}

// Process 1 ignores signals without a handler.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
process.on("uncaughtException", (error) => fail(error.stack));
setTimeout(() => fail(`not finished after ${PATIENCE_MS / 1000} s`), PATIENCE_MS);

const shell = whatShellIs();
const ownScore = startAtZero();

let seen;
const modelUrl = await startStubModel(() => {
  seen = lookAround();
});
writeConfig(modelUrl);
const gateway = startGateway();
await gatewayIsReady();
await agentTurn();
if (!seen)
  fail(
    "the stub model never saw a result of the echo tool: the MCP server was not started or did not answer",
  );
console.log(JSON.stringify({ shell, ownScore, ...seen }));
process.exit(0);

/** Returns 'oomexec' or 'none'; fails for any other shell. */
function whatShellIs() {
  const others = readdirSync("/bin").filter((name) => name !== "sh");
  if (others.length > 0) fail(`/bin holds more than sh: ${others.join(" ")}`);
  const { error, status, stderr } = spawnSync("/bin/sh", ["-c", "true"], { encoding: "utf8" });
  if (error?.code === "ENOENT") return "none";
  if (error) throw error;
  if (status === 127 && stderr.startsWith("oomexec: not a shell")) return "oomexec";
  return fail(`/bin/sh is not oomexec: \`sh -c true\` ended with ${status}: ${stderr}`);
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
  };
  const child = spawn(NODE, [OPENCLAW, "gateway", "run"], { env, stdio: ["ignore", 2, 2] });
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
      messages: [{ role: "user", content: "Use the echo tool." }],
    }),
  });
  const answer = await response.text();
  if (!response.ok) fail(`the agent's turn ended with HTTP ${response.status}: ${answer}`);
}

/** Returns the gateway and the MCP server among its descendants. */
function lookAround() {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap(look);
  console.error(
    `below process 1:\n${processes.map((one) => `  ${JSON.stringify(one)}`).join("\n")}`,
  );
  const byPid = new Map(processes.map((one) => [one.pid, one]));
  const isBelowGateway = ({ parent }) =>
    parent === gateway.pid || (byPid.has(parent) && isBelowGateway(byPid.get(parent)));
  const servers = processes.filter(
    (one) => one.command === MCP_SERVER.join(" ") && isBelowGateway(one),
  );
  if (servers.length !== 1) fail(`${servers.length} MCP servers below the gateway, not one`);
  return { gateway: byPid.get(gateway.pid), server: servers[0] };
}

function look(pid) {
  try {
    // The state and the parent follow the name, which is in brackets and may hold anything.
    const parent = Number(
      readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[1],
    );
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return [{ pid, parent, score: scoreOf(pid), command }];
  } catch (error) {
    // It ended meanwhile.
    if (error.code === "ENOENT" || error.code === "ESRCH") return [];
    throw error;
  }
}

function scoreOf(pid) {
  return Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
}
