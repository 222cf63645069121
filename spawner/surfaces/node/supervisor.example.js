// A supervisor's command: in a group of its own, so that it can be ended with all that it started, its output on a
// pipe, and one more pipe that tells when the last of them is gone.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { spawn } from "oomexec";

const scoreOf = (pid) => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim();

// cat stands for the work: it ends with its input.
const child = spawn("sh", ["-c", "cat <&3 & echo ready; cat <&3"], {
  detached: true,
  stdio: ["ignore", "pipe", "inherit", "pipe"],
});
// A command that does not exist rejects this with ENOENT, as it would without oomexec.
await once(child, "spawn");
const descendants = child.stdio[3].resume();

await once(child.stdout, "data");
console.log(`gateway ${process.pid}: ${scoreOf("self")}`);
console.log(`child ${child.pid}: ${scoreOf(child.pid)}`);

const ends = Promise.all([once(child, "exit"), once(descendants, "end")]);
process.kill(-child.pid, "SIGTERM");
const [[code, signal]] = await ends;
console.log(`ended by ${signal ?? code}, and nothing that it started is left`);
