// Starts a supervisor's command in a process group of its own, so that one signal ends it and its
// descendants. Its output is on a pipe, and another pipe closes when the last descendant exits.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { spawn } from "oomexec";

const scoreOf = (pid) => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim();

// cat stands for the work: it runs until its input ends.
const child = spawn("sh", ["-c", "cat <&3 & echo ready; cat <&3"], {
  detached: true,
  stdio: ["ignore", "pipe", "inherit", "pipe"],
});
// If the command does not exist, this rejects with ENOENT, as without oomexec.
await once(child, "spawn");
const descendants = child.stdio[3].resume();

await once(child.stdout, "data");
console.log(`gateway ${process.pid}: ${scoreOf("self")}`);
console.log(`child ${child.pid}: ${scoreOf(child.pid)}`);

const ends = Promise.all([once(child, "exit"), once(descendants, "end")]);
process.kill(-child.pid, "SIGTERM");
const [[code, signal]] = await ends;
console.log(`ended by ${signal ?? code}, and nothing that it started is left`);
