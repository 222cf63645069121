// The run: measures Node here, and Rust through cargo.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { findOomexec, launchers, onPath, repository } from "../launchers.mjs";
import { markdownTable } from "../markdown-table.mjs";
import { difference, ratio, summary } from "./summary.mjs";

const SIZES = { "50 MiB": 50 * 2 ** 20, "2 GiB": 2 * 2 ** 30 };

/** The whole environment of the children, as in a container. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/home/node",
  HOSTNAME: "4f1c2a9be07d",
  LANG: "C.UTF-8",
  TERM: "xterm-256color",
  USER: "node",
  SHELL: "/bin/bash",
  PWD: "/home/node",
  NODE_ENV: "production",
  TZ: "UTC",
};

const HELP = `Usage: scripts/bench-spawn [--rounds N] [--seed N] [--only node|rust]

Measures what each launcher adds, for parents of 50 MiB and of 2 GiB, and prints a
table for Node and one for Rust; and what prepare() of the npm package takes before
it. No time makes it fail.

  --rounds N   rounds, each with one launch by every launcher (default 200)
  --seed N     the seed of the order in the rounds (default 1000)
  --only PART  node or rust (default both)

OOMEXEC names the oomexec to test (default: the one that cargo builds here).
`;

try {
  main();
} catch (error) {
  console.error(`bench-spawn: ${error.message}`);
  process.exitCode = 1;
}

function main() {
  const text = { type: "string" };
  const options = { rounds: text, seed: text, only: text, help: { type: "boolean", short: "h" } };
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const rounds = number("rounds", values.rounds ?? "200", 1);
  const seed = number("seed", values.seed ?? "1000", 0);
  if (values.only && !["node", "rust"].includes(values.only))
    throw new Error(`--only ${values.only}: must be node or rust`);
  const oomexec = findOomexec();
  if (values.only !== "rust")
    console.log(`${nodeTable(oomexec, rounds, seed)}\n\n${prepareTable(oomexec, rounds, seed)}`);
  if (!values.only) console.log();
  if (values.only !== "node") rustTable(oomexec, rounds, seed);
}

function number(name, text, least) {
  if (!/^\d+$/.test(text) || Number(text) < least)
    throw new Error(`--${name} ${text}: must be a number of ${least} or more`);
  return Number(text);
}

function nodeTable(oomexec, rounds, seed) {
  const all = launchers(oomexec);
  const names = ["direct", "shim", "choom", "oomexec"].filter(
    (name) => name !== "choom" || onPath("choom"),
  );
  if (!names.includes("choom"))
    console.error("bench-spawn: choom is not installed, so it is left out");
  const compared = Object.fromEntries(names.map((name) => [name, all[name]]));
  for (const [name, words] of Object.entries(compared)) checkScore(name, words);
  const rows = Object.entries(SIZES).flatMap(([size, resident]) => {
    console.error(
      `Node, a parent of ${size}: ${rounds} rounds of ${Object.keys(compared).length} launches`,
    );
    const settings = { resident, rounds, seed, launchers: compared, env: ENVIRONMENT };
    return rowsOf(size, measured("measure.mjs", settings));
  });
  const columns = [
    "parent",
    "launcher",
    "spawn() blocks, µs",
    "then to exit, µs",
    "together, µs",
    "added, µs",
    "× direct",
  ];
  return [
    "### From spawn to exit in Node\n",
    markdownTable([columns, ...rows], [2, 3, 4, 5, 6]),
    "",
    `\`child_process.spawn\` of \`/bin/true\`: the time until it returns, from there to the \`exit\` event, and ` +
      `together. Medians of ${rounds} rounds, each with all launchers in random order (seed ${seed}). Added: the ` +
      "median together minus that of the direct launch; ×: their ratio. ±: the 95 % interval. " +
      `Node ${process.versions.node}, Linux ${release()}, ${availableParallelism()} processors, transparent huge pages: ${hugePages()}.`,
  ].join("\n");
}

function prepareTable(oomexec, rounds, seed) {
  console.error(`prepare(): ${rounds} rounds`);
  const { prepare, spawn } = measured("prepare.mjs", { rounds, seed, oomexec });
  const blocked = summary(spawn);
  const rows = Object.entries(prepare).map(([name, times]) => {
    const taken = summary(times);
    const share = 100 * ratio(taken, blocked).median;
    return [name, shown(taken, 1), shown(blocked, 0), share.toFixed(1)];
  });
  const columns = ["command", "prepare(), µs", "spawn() blocks, µs", "%"];
  return [
    "### What prepare() takes in Node\n",
    markdownTable([columns, ...rows], [1, 2, 3]),
    "",
    "The time of one call of the npm package's `prepare`, and the time until " +
      "`child_process.spawn` of `/bin/true` returns, in a gateway that holds next to nothing. " +
      "The path of oomexec is given, but where it is on that PATH too. " +
      `Medians of ${rounds} rounds, each with all calls in random order (seed ${seed}). ` +
      "±: the 95 % interval. %: their ratio.",
  ].join("\n");
}

/** Runs a program that is beside this one, and returns the object that it prints. */
function measured(program, settings) {
  const file = join(repository, "scripts/lib/bench-spawn", program);
  const output = execFileSync(process.execPath, [file, JSON.stringify(settings)], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output);
}

function rowsOf(size, times) {
  const direct = summary(times.direct.exit);
  return Object.entries(times).map(([name, { blocked, exit }]) => {
    const rest = exit.map((time, round) => time - blocked[round]);
    const together = summary(exit);
    const compared =
      name === "direct"
        ? ["–", "–"]
        : [shown(difference(together, direct), 0), shown(ratio(together, direct), 2)];
    return [
      size,
      name,
      shown(summary(blocked), 0),
      shown(summary(rest), 0),
      shown(together, 0),
      ...compared,
    ];
  });
}

function shown({ median, noise }, digits) {
  return `${median.toFixed(digits)} ± ${noise.toFixed(digits)}`;
}

/** Throws unless the launcher raises the score. */
function checkScore(name, words) {
  const [file, ...args] = [...words, "/bin/cat", "/proc/self/oom_score_adj"];
  const score = execFileSync(file, args, { encoding: "utf8", env: ENVIRONMENT }).trim();
  if (name !== "direct" && score !== "1000")
    throw new Error(`${name} started a child at ${score}, not at 1000`);
}

function hugePages() {
  try {
    return /\[(\w+)\]/.exec(readFileSync("/sys/kernel/mm/transparent_hugepage/enabled", "utf8"))[1];
  } catch {
    return "none";
  }
}

function rustTable(oomexec, rounds, seed) {
  if (!onPath("cargo"))
    throw new Error("no cargo on PATH for the Rust part: install it, or use --only node");
  const env = {
    ...process.env,
    OOMEXEC: oomexec,
    OOMEXEC_BENCH_ROUNDS: String(rounds),
    OOMEXEC_BENCH_SEED: String(seed),
  };
  const args = ["bench", "--quiet", "--locked", "--package", "oomexec-spawner", "--bench", "spawn"];
  const { status } = spawnSync("cargo", args, { cwd: repository, env, stdio: "inherit" });
  if (status !== 0) throw new Error("cargo bench failed: see above");
}
