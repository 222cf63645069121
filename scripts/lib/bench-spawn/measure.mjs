// Times children of this process, which first allocates memory.
//
// Started as: node measure.mjs SETTINGS, an object in JSON with
//   resident    bytes to hold
//   rounds      how many; each has one launch by every launcher
//   seed        the seed of the order in the rounds
//   launchers   the words in front of the command, by name
//   env         the children's environment
// Prints one object in JSON: {name: {blocked: [µs, one a round], exit: [µs]}}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { shuffler } from "./shuffle.mjs";

const { resident, rounds, seed, launchers, env } = JSON.parse(process.argv[2]);
const COMMAND = "/bin/true";

const rss = () =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
const held = [];
// Filled: a fork copies only the page tables of touched pages.
while (rss() < resident)
  held.push(Buffer.alloc(Math.min(16 * 2 ** 20, Math.max(2 ** 20, resident - rss())), 1));

/** Times a launch, in microseconds: until spawn() returns, and until the child's `exit` event. */
async function launch(words) {
  const [file, ...args] = [...words, COMMAND];
  const start = process.hrtime.bigint();
  const child = spawn(file, args, { env, stdio: "ignore" });
  const back = process.hrtime.bigint();
  const [code, signal] = await once(child, "exit");
  const end = process.hrtime.bigint();
  if (code !== 0) throw new Error(`${[file, ...args].join(" ")}: ended with ${signal ?? code}`);
  return { blocked: Number(back - start) / 1000, exit: Number(end - start) / 1000 };
}

const names = Object.keys(launchers);
const times = Object.fromEntries(names.map((name) => [name, { blocked: [], exit: [] }]));
const shuffle = shuffler(seed);
for (const name of names) await launch(launchers[name]); // reads the files into memory
// In rounds, because the machine's speed varies, and in a new order each time, because a
// launch depends on the caches that the last one left.
for (let round = 0; round < rounds; round++) {
  shuffle(names);
  for (const name of names) {
    const { blocked, exit } = await launch(launchers[name]);
    times[name].blocked.push(blocked);
    times[name].exit.push(exit);
  }
}
process.stdout.write(JSON.stringify(times));
