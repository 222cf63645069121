// Prints a table of each case's processes; fails unless the scores are as expected.
//
//   report.mjs CACHE CASE...

import { readFileSync } from "node:fs";

import { markdownTable } from "../markdown-table.mjs";

/** What is expected of a child that is no part of the gateway, by the case. */
const EXPECTED = {
  "without-shell": (own) => own,
  "as-sh": () => 1000,
  "register-without-shell": () => 1000,
  unchanged: undefined,
  register: () => 1000,
  changed: () => 1000,
};

// Without the folders, which all have in common.
function shortened(command) {
  const text = command.replace(/^\S*\//, "").replaceAll("/gateway/node_modules/", "");
  return text.length > 70 ? `${text.slice(0, 69)}…` : text;
}

// How often each program was started in which way.
function summary(log) {
  const counts = new Map();
  for (const line of log.trimEnd().split("\n")) {
    const what = line.replace(/^[^:]*: /, "").replace(/pid \d+, /, "");
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([what, count]) => `${String(count).padStart(6)} × ${what}`).join("\n");
}

const surprises = [];
const [cache, ...cases] = process.argv.slice(2);
for (const one of cases) {
  const { name, shell, ownScore, processes, registered } = JSON.parse(
    readFileSync(`${cache}/${one}.json`, "utf8"),
  );
  console.log(`${name} (/bin/sh is ${shell}; the gateway was started at ${ownScore}):\n`);
  const rows = processes.map(({ depth, kind, pid, score, command }) => [
    "· ".repeat(depth) + kind,
    String(pid),
    String(score),
    shortened(command),
  ]);
  const columns = ["process", "pid", "oom_score_adj", "command line"];
  console.log(`${markdownTable([columns, ...rows], [1, 2])}\n`);

  if (registered !== "") console.log(`what oomexec/register says:\n\n${summary(registered)}\n`);

  const kinds = new Set(processes.map(({ kind }) => kind));
  const awaited = ["gateway", "MCP server"];
  if (shell === "a shell") awaited.push("sleep", "browser: main", "browser: renderer");
  for (const kind of awaited) if (!kinds.has(kind)) surprises.push(`${name}: there is no ${kind}`);
  for (const { kind, pid, score } of processes) {
    const isBody = kind === "gateway" || kind === "part of the gateway";
    const wanted = isBody ? ownScore : EXPECTED[name]?.(ownScore);
    if (wanted !== undefined && score !== wanted) {
      surprises.push(`${name}: ${kind} ${pid} is at ${score}, not ${wanted}`);
    }
  }
}
for (const surprise of surprises) console.error(`scripts/try-openclaw: ${surprise}`);
if (surprises.length > 0) process.exit(1);
console.log("As expected: see scripts/try-openclaw --help.");
