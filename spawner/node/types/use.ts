// Compiled, never run: checks that typical gateway code type-checks.
import { spawn as spawnChild } from "node:child_process";
import {
  explainExit,
  findOomexec,
  hold,
  type PreparedSpawn,
  prepare,
  prepareOomScoreAdjustedSpawn,
  prepareOomScoreAdjustedSpawnPreservingExecEnv,
  readOomKills,
  spawn,
  type Why,
} from "oomexec";

const before = readOomKills();
const prepared: PreparedSpawn = prepare("npm", ["run", "build"] as const, {
  env: process.env,
  cwd: new URL("file:///"),
});
const child = spawnChild(prepared.command, prepared.args, {
  env: prepared.env,
  argv0: prepared.argv0,
});
const held = hold(child.pid);
child.on("exit", (code, signal) => {
  held.stop();
  const { wrapped } = prepared;
  const { kind, text } = explainExit({
    code,
    signal,
    wrapped,
    before,
    after: readOomKills(before),
  });
  console.log(kind === "oom-killed", text);
});

prepareOomScoreAdjustedSpawn("ls", [], {
  platform: "linux",
  env: {},
  argv0: "-ls",
  shellAvailable: () => false,
});
const exact: PreparedSpawn = prepareOomScoreAdjustedSpawnPreservingExecEnv("ls", ["-l"]);
spawn("postgres", [], { pin: "write", score: 300, uid: 26, gid: 26, exactEnv: true });
spawn("bash", ["-l"], { argv0: "-bash", pin: true }).stdout.pipe(process.stdout);
spawn("docker", ["run"], { exempt: true, stdio: "inherit", detached: true }).unref();
spawn("echo hi", { shell: true }).stdin.end();

const why: Why = prepared.why;
// @ts-expect-error: there is no such reason.
const wrong: Why = "because";
// @ts-expect-error: only `false` means none.
prepare("ls", [], { oomexec: true });
// @ts-expect-error: a pin is true, false or "write".
prepare("ls", [], { pin: "read" });
// @ts-expect-error: a score is a number.
prepare("ls", [], { score: "300" });
const { path, pinsWrite, rejected } = findOomexec(undefined, { uid: 1000 });
console.log(why, wrong, exact.why, path?.length, pinsWrite, rejected[0]?.why === "not-for-user");
