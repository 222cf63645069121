// Starts children while there is no free descriptor, and with one or a few.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fields, outcome, plain } from "./observe.js";

const seen = [];
for (const free of [0, 1, 3, 5, 7]) {
  const taken = [];
  for (;;) {
    try {
      taken.push(openSync("/dev/null"));
    } catch {
      break;
    }
  }
  for (const fd of taken.splice(0, free)) closeSync(fd);
  seen.push(
    await outcome(async () => {
      const child = spawn("cat", ["/proc/self/oom_score_adj"]);
      const [error] = await Promise.race([once(child, "error"), once(child, "spawn")]);
      return [plain(error), fields(child)];
    }),
  );
  const { error, status } = spawnSync("true");
  seen.push(plain([error, status]));
  for (const fd of taken) closeSync(fd);
}
console.log(JSON.stringify(seen));
