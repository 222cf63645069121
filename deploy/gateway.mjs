// An example gateway, for an image without a shell: Dockerfile.distroless. It starts its
// children through the package oomexec, and prints the score of each.
//
//   node gateway.mjs             starts a tool, and children that must not be wrapped
//   node gateway.mjs hold MIB    holds that much memory and starts a child that eats the
//                                rest; prints who was killed, if it survives

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { explainExit, prepare, readOomKills } from "oomexec";

const OWN_SCORE = "/proc/self/oom_score_adj";
const MIB = 2 ** 20;

const [mode, amount] = process.argv.slice(2);
if (mode === "eat") eat();
else await gateway();

async function gateway() {
  process.title = "gateway"; // its name in the kernel's log
  const held = mode === "hold" ? Buffer.alloc(amount * MIB, 1) : undefined;
  console.log(`gateway: ${ownScore()}`);

  if (held) {
    await run("eater", process.execPath, [import.meta.filename, "eat"]);
    console.log(`gateway: still here, with ${held.length / MIB} MiB`);
    return;
  }
  // The image has little else to run.
  const tool = [process.execPath, ["--print", `fs.readFileSync("${OWN_SCORE}", "utf8").trim()`]];
  await run("tool", ...tool);
  await run("transport", ...tool, { exempt: true });
  await run("opted out", ...tool, { env: { OPENCLAW_CHILD_OOM_SCORE_ADJ: "0" } });
  await run("missing", "no-such-command", []);
  console.log(`gateway: ${ownScore()}`);
}

/** Runs a command to its end. */
async function run(name, command, args, options) {
  const child = prepare(command, args, options);
  const how = `via ${child.via} (${child.why})`;
  const before = readOomKills();
  const started = spawn(child.command, child.args, {
    env: child.env,
    argv0: child.argv0,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [said, [code, signal]] = await Promise.all([text(started.stdout), once(started, "exit")]);
    const end = explainExit({
      code,
      signal,
      wrapped: child.wrapped,
      before,
      after: readOomKills(before),
    });
    console.log(`${name}: ${said.trim()} ${how}, ${end.text}`);
  } catch (error) {
    console.log(`${name}: ${how}, ${error.message}`);
  }
}

/** Eats memory, in large pieces: near the limit each step of JavaScript is slow. */
function eat() {
  process.title = "eater";
  console.log(ownScore());
  const held = [];
  setInterval(() => held.push(Buffer.alloc(64 * MIB, 1)));
}

function ownScore() {
  return readFileSync(OWN_SCORE, "utf8").trim();
}
