// A gateway that starts itself again, and a process that starts children for it. It prints, line by
// line, who has which score; ROLE tells what it is.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

const [, script, role = "gateway"] = process.argv;
const file = "/proc/self/oom_score_adj";
const own = Number(readFileSync(file, "utf8"));
const child = Number(execFileSync("cat", [file], { encoding: "utf8" }));
console.log(JSON.stringify({ role, own, child }));

async function start(command, args, stdio) {
  const started = spawn(command, args, { stdio });
  started.on("message", () => started.disconnect());
  const [code] = await once(started, "exit");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit status ${code}`);
}

if (role === "broker") {
  process.send("done");
} else if (role === "gateway") {
  const inherit = ["ignore", "inherit", "inherit"];
  await start(process.execPath, [script, "restarted"], inherit);
  await start(process.execPath, ["--title", "x", "--no-warnings", script, "restarted"], inherit);
  await start("node", [script, "restarted"], inherit);
  await start(
    process.execPath,
    [new URL("broker.js", import.meta.url).pathname],
    [...inherit, "ipc"],
  );
  await start(process.execPath, [new URL("tool.js", import.meta.url).pathname, script], inherit);
}
