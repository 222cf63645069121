// Runs the cases one after the other, and prints what each has seen: run.js DIRECTORY [NAME...]
// With BUSY, a file, each start of that file fails: it is open for writing.
import { openSync } from "node:fs";
import { CASES } from "./cases.js";

const [directory, ...names] = process.argv.slice(2);
process.chdir(directory);

if (process.env.BUSY) {
  // Once before that: it is looked at here, and only started from then on.
  const { spawnSync } = await import("node:child_process");
  spawnSync("true");
  openSync(process.env.BUSY, "r+");
}

const seen = {};
for (const [name, run] of Object.entries(CASES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  seen[name] = await run(directory);
}
process.stdout.write(JSON.stringify(seen), () => process.exit());
