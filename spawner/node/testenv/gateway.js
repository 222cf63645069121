// A gateway that moves into a memory cgroup (its argument). It starts a child that grows until the
// kernel kills it and one that the gateway kills, and prints the two explanations.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { explainExit, prepare, readOomKills } from "../index.js";
import { OOMEXEC } from "./oomexec.js";

writeFileSync(`${process.argv[2]}/cgroup.procs`, String(process.pid));

async function explain(script, meanwhile) {
  const before = readOomKills();
  const { command, args, env, wrapped } = prepare("sh", ["-c", script], { oomexec: OOMEXEC });
  const child = spawn(command, args, { env, stdio: "ignore" });
  meanwhile(child);
  const [code, signal] = await once(child, "exit");
  return explainExit({ code, signal, wrapped, before, after: readOomKills(before) });
}

const grown = await explain("x=x; while :; do x=$x$x; done", () => {});
const killed = await explain("while :; do sleep 1; done", (child) => child.kill("SIGKILL"));
console.log(JSON.stringify({ grown, killed, file: readOomKills().file }));
