// Compares the consoles of the VMs with scenarios.mjs, and prints the tables.
//
//   node report.mjs DIR RUN...
//
// A RUN is ARCHITECTURE-KERNEL-TRY; its console is DIR/RUN. Every scenario of every run must
// have one result: a missing one fails.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { markdownTable } from "../markdown-table.mjs";
import {
  CHECKS,
  CHECKS_WITHOUT_LANDLOCK,
  COMMANDS,
  COMMANDS_WITHOUT_LANDLOCK,
  TRIALS,
} from "./scenarios.mjs";

const [dir, ...runs] = process.argv.slice(2);
const MACHINE = { amd64: "x86_64", arm64: "aarch64" };
const LANDLOCK = {
  6.1: "note  pin           Landlock ABI 2; it needs 3 (Linux 6.2)",
  6.12: "ok    pin           Landlock ABI 6: --pin and --pin=write hold",
};

const failures = [];
let passed = 0;

/** Counts one scenario on one kernel: it passes without complaints. */
function judge(run, name, complaints) {
  if (complaints.length === 0) passed += 1;
  else failures.push(`${run.title}, ${name}: ${complaints.join("; ")}`);
  return complaints.length === 0;
}

/** Reads a console: the fields of each result, by name. */
function read(id) {
  const [arch, release, booted] = id.split("-");
  const results = new Map();
  const doubled = [];
  for (const line of readFileSync(join(dir, id), "latin1").split(/\r?\n/)) {
    const [, name, text] = /^@@ (.*?): (.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (results.has(name)) doubled.push(name);
    const fields = text
      .replace(/\bprocess \d+/g, "process N")
      .replace(/: \d+ MiB of/, ": N MiB of");
    results.set(name, fields.split(" | "));
  }
  const pin = booted === "all" && release !== "6.1";
  const title = `${arch} ${release}${booted === "all" ? "" : " without Landlock"}`;
  return { title, arch, release, booted, results, doubled, pin, landlock: LANDLOCK[release] };
}

/** Judges the boot as a whole, and removes its lines from the results. */
function judgeBoot(run) {
  const take = (name) => {
    const fields = run.results.get(name) ?? ["nothing"];
    run.results.delete(name);
    return fields.join(" | ");
  };
  const kernel = take("kernel");
  const end = take("end");
  run.kernel = kernel;
  const complaints = [];
  if (!kernel.startsWith(`${MACHINE[run.arch]} ${run.release}.`))
    complaints.push(`the kernel is ${kernel}`);
  if (end !== run.booted) complaints.push(`it did not finish: ${end}`);
  if (run.doubled.length > 0) complaints.push(`printed twice: ${run.doubled.join(", ")}`);
  const known = new Set(expected(run).flatMap(names));
  const unknown = [...run.results.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) complaints.push(`unexpected: ${unknown.join(", ")}`);
  judge(run, "the boot", complaints);
}

function expected({ booted }) {
  return booted === "all"
    ? [...TRIALS, ...COMMANDS, ...CHECKS]
    : [...COMMANDS_WITHOUT_LANDLOCK, ...CHECKS_WITHOUT_LANDLOCK];
}

/** The names of a scenario's results: one, or as many as it has `times`. */
function names({ name, times }) {
  return times ? Array.from({ length: times }, (_, at) => `${name} ${at + 1}`) : [name];
}

const on = (run, value) => (typeof value === "function" ? value(run) : value);

/** Judges a trial by its name; returns what its table row shows. */
function trial(run, { gateway, child, victims, container = false, why = "score" }, name) {
  const fields = run.results.get(name) ?? [];
  const find = (pattern) => fields.map((field) => pattern.exec(field)).find(Boolean);
  const size = (who) => {
    const [, score, pages] = find(new RegExp(`^${who} at (-?\\d+) has (\\d+)$`)) ?? [];
    return { score: Number(score), pages: Number(pages) };
  };
  const limit = Number(find(/^limit (\d+)$/)?.[1]);
  const big = size("gateway");
  const small = size("child");
  const lines = fields.filter((field) => field.startsWith("killed "));
  // A group kill logs the first victim twice.
  const killed = [...new Set(lines.map((line) => line.slice("killed ".length)))];
  const want = on(run, victims);
  const childScore = on(run, child);

  // The rule in README.md, applied to the kernel's own sizes and scores.
  const bigger = (big.pages - small.pages) / limit;
  const margin = (small.score - big.score) / 1000;
  const rule = bigger < margin ? "child" : "gateway";
  const predicted = { score: rule, group: "child, gateway", asking: "child" }[why];

  const complaints = [];
  const complain = (wrong, words) => wrong && complaints.push(words);
  if (fields.length === 0) complain(true, "no result");
  else {
    complain(!Number.isFinite(bigger), `the kernel printed no sizes: ${fields.join(" | ")}`);
    complain(big.score !== gateway, `the gateway was at ${big.score}, not at ${gateway}`);
    complain(small.score !== childScore, `the child was at ${small.score}, not at ${childScore}`);
    const said = `killed: ${killed.join(", ") || "nobody"}`;
    complain(!isAsWanted(killed, want, why), `${said}; expected: ${want.join(", ")}`);
    complain(predicted !== want.join(", "), `${said}; by the rule: ${predicted}`);
    const kills = Number(find(/^oom_kill (\d+)$/)?.[1]);
    complain(kills !== lines.length, `the kernel counts ${kills} kills, and logs ${lines.length}`);
    // How the processes ended must agree.
    for (const end of ends(killed, container))
      complain(!fields.includes(end), `not seen: ${end}: ${fields.join(" | ")}`);
  }
  return { ok: judge(run, name, complaints), killed, bigger, margin, predicted, big, small };
}

/**
 * The first victim counts. If it was the gateway, the child goes on growing, and the kernel may
 * kill it too before the gateway's memory is free.
 */
function isAsWanted(killed, want, why) {
  if (why === "group") return [...killed].sort().join() === [...want].sort().join();
  return killed[0] === want[0] && (want[0] === "gateway" || killed.length === 1);
}

/** How the processes end. Of a container only the gateway is seen, as its first process. */
function ends(killed, container) {
  if (!killed.includes("gateway")) return ["gateway exit 9"];
  if (container) return ["gateway exit 137"];
  return ["gateway signal 9", killed.includes("child") ? "child signal 9" : "child exit 0"];
}

/** Whether a command printed exactly these lines and ended so. */
function command(run, { name, lines, status = 0, ended = `exit ${status}` }) {
  const want = [...on(run, lines), `ended: ${ended}`].join(" | ");
  const seen = run.results.get(name)?.join(" | ") ?? "no result";
  return judge(run, name, seen === want ? [] : [`saw: ${seen}; expected: ${want}`]);
}

/** Whether --check printed these lines, among others, and ended with this status. */
function check(run, { name, lines, status = 0 }) {
  const seen = run.results.get(name) ?? [];
  const lacks = [...lines.map((line) => on(run, line)), `ended: exit ${status}`].filter(
    (line) => !seen.includes(line),
  );
  return judge(
    run,
    name,
    lacks.length ? [`saw: ${seen.join(" | ") || "no result"}; expected: ${lacks.join(" | ")}`] : [],
  );
}

/** Returns the distinct values: one, if all agree. */
function agreed(values) {
  return [...new Set(values)].join(" / ");
}

function known(number, unit = "") {
  return Number.isFinite(number) ? `${number}${unit}` : "?";
}

function range(values) {
  const percents = values.filter(Number.isFinite).map((value) => Math.round(value * 100));
  if (percents.length === 0) return "?";
  return `${agreed([Math.min(...percents), Math.max(...percents)]).replace(" / ", " to ")} %`;
}

const FAILED = "**FAILED**";

/** Who was killed in one trial, or how many gateways were alive after several. */
function outcome(trials) {
  const failed = trials.every(({ ok }) => ok) ? "" : `${FAILED} `;
  if (trials.length === 1) return failed + trials[0].killed.join(", ");
  const alive = trials.filter(({ killed }) => killed.length > 0 && !killed.includes("gateway"));
  return `${failed}${alive.length} of ${trials.length} gateways alive`;
}

const boots = runs.map(read);
boots.forEach(judgeBoot);
const all = boots.filter(({ booted }) => booted === "all");
const bare = boots.filter(({ booted }) => booted !== "all");
const titles = (some) => some.map(({ arch, release }) => `${arch} ${release}`);

console.log(
  `${[...new Set(boots.map(({ title, kernel }) => `${title}: ${kernel}`))].join("\n")}\n`,
);

console.log("## Who died\n");
console.log(
  markdownTable(
    [
      ["trial", "gateway at", "child at", "bigger by", "margin", "by the rule", ...titles(all)],
      ...TRIALS.map((scenario) => {
        const kernels = all.map((run) => names(scenario).map((name) => trial(run, scenario, name)));
        const trials = kernels.flat();
        return [
          scenario.title,
          agreed(trials.map(({ big }) => known(big.score))),
          agreed(trials.map(({ small }) => known(small.score))),
          range(trials.map(({ bigger }) => bigger)),
          agreed(trials.map(({ margin }) => known(Math.round(margin * 1000) / 10, " %"))),
          agreed(trials.map(({ predicted }) => predicted)),
          ...kernels.map(outcome),
        ];
      }),
    ],
    [1, 2, 3, 4],
  ),
);
console.log(`
Bigger by: how much bigger the gateway is than the child at the kill, in per cent of the limit, by
the kernel's own figures. Margin: what the scores make up for. By the rule: the expected victims.

## Scores
`);

const scores = (some, scenarios) =>
  scenarios.map((scenario) => [
    scenario.title,
    ...some.map((run) => (command(run, scenario) ? on(run, scenario.means) : FAILED)),
  ]);
console.log(
  markdownTable(
    [
      ["the command", ...titles(all)],
      ...scores(all, COMMANDS),
      ...scores(bare, COMMANDS_WITHOUT_LANDLOCK),
    ],
    [],
  ),
);

console.log("\n## What --check said\n");
const said = (some, scenarios) =>
  scenarios.flatMap((scenario) => {
    const failed = some.filter((run) => !check(run, scenario)).map(({ title }) => title);
    return scenario.lines.map((line, at) => [
      at === 0 ? scenario.title : "",
      at === 0 ? String(scenario.status ?? 0) : "",
      `\`${agreed(some.map((run) => on(run, line)))}\``,
      failed.length ? `${FAILED} ${failed.join(", ")}` : "yes",
    ]);
  });
console.log(
  markdownTable(
    [
      ["where", "status", "among other lines", "on all kernels"],
      ...said(all, CHECKS),
      ...said(bare, CHECKS_WITHOUT_LANDLOCK),
    ],
    [1],
  ),
);

if (failures.length > 0) console.log(`\n${failures.join("\n")}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
// A run without results proves nothing.
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
