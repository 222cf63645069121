// Compiled, never run: checks that typical gateway code type-checks.
import { spawn as spawnChild } from "node:child_process";
import {
  explainExit,
  findOomexec,
  hold,
  type PreparedSpawn,
  prepare,
  prepareOomScoreAdjustedSpawn,
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
spawn("bash", ["-l"], { argv0: "-bash", pin: true }).stdout.pipe(process.stdout);
spawn("docker", ["run"], { exempt: true, stdio: "inherit", detached: true }).unref();
spawn("echo hi", { shell: true }).stdin.end();

const why: Why = prepared.why;
// @ts-expect-error: there is no such reason.
const wrong: Why = "because";
// @ts-expect-error: only `false` means none.
prepare("ls", [], { oomexec: true });
console.log(why, wrong, findOomexec().path?.length);
