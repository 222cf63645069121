// Times prepare() of the npm package, beside the spawn() that it is called before.
//
// Started as: node prepare.mjs SETTINGS, an object in JSON with
//   rounds      how many; each has one call of each kind
//   seed        the seed of the order in the rounds
//   oomexec     the oomexec to find
// Prints one object in JSON: {prepare: {name: [µs, one a round]}, spawn: [µs]}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepare } from "../../../spawner/node/index.js";
import { shuffler } from "./shuffle.mjs";

const { rounds, seed, oomexec } = JSON.parse(process.argv[2]);

const directory = mkdtempSync(join(tmpdir(), "oomexec-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true }));
const path = Array.from({ length: 9 }, (_, number) => join(directory, String(number)));
for (const element of path) mkdirSync(element);
symlinkSync("/bin/true", join(path[8], "program"));
writeFileSync(join(path[8], "script"), "#!/bin/sh\n", { mode: 0o755 });
symlinkSync(oomexec, join(path[8], "oomexec"));
// Where the gateway's oomexec is searched for, and the child's command.
process.env.PATH = path.join(":");
delete process.env.OOMEXEC_PATH;
delete process.env.OPENCLAW_CHILD_OOM_SCORE_ADJ;

const calls = {
  "program by its path": () => prepare("/bin/true", [], { oomexec }),
  "program at the end of a PATH of nine": () => prepare("program", [], { oomexec }),
  "program there, and oomexec too": () => prepare("program", []),
  "script there, and oomexec too": () => prepare("script", []),
};
const times = Object.fromEntries(Object.keys(calls).map((name) => [name, []]));
const blocked = [];

const since = (start) => Number(process.hrtime.bigint() - start) / 1000;

async function timeSpawn() {
  const start = process.hrtime.bigint();
  const child = spawn("/bin/true", [], { stdio: "ignore" });
  blocked.push(since(start));
  await once(child, "exit");
}

function timePrepare(name) {
  const start = process.hrtime.bigint();
  const { via } = calls[name]();
  times[name].push(since(start));
  if (via !== "oomexec") throw new Error(`${name}: through ${via}, not through oomexec`);
}

// As a gateway does it: now and then, and each time before a spawn.
const names = [...Object.keys(calls), "spawn"];
const shuffle = shuffler(seed);
for (let round = 0; round < rounds; round++) {
  shuffle(names);
  for (const name of names) {
    if (name === "spawn") await timeSpawn();
    else timePrepare(name);
  }
}
process.stdout.write(JSON.stringify({ prepare: times, spawn: blocked }));
