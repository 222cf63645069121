// A child with an IPC channel. It says its score, and that of a child of its own.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const scoreOf = (text) => `score=${Number(text)}`;
const own = `own ${scoreOf(readFileSync("/proc/self/oom_score_adj", "utf8"))}`;
const child = scoreOf(execFileSync("cat", ["/proc/self/oom_score_adj"], { encoding: "utf8" }));

const [way] = process.argv.slice(2);
if (way === "handle") {
  process.once("message", (_, server) => {
    server.close();
    process.send({ own, child, listening: server.listening }, () => process.disconnect());
  });
} else if (way === "cluster") {
  process.send({ own, child });
} else if (way === "wait") {
  process.on("message", () => {});
} else {
  process.once("message", (message) => {
    const { argv, env } = process;
    process.exitCode = 9;
    const answer = { own, child, message, arguments: argv.slice(2), env: env.A };
    process.send(answer, () => process.disconnect());
  });
}
