// The output: a line for each trial, the tables, the verdict.

import { execFileSync } from "node:child_process";
import { release } from "node:os";

import { markdownTable } from "../markdown-table.mjs";
import { SCENARIOS, TABS, withoutSandbox } from "./scenarios.mjs";

/** The exit statuses. Test drivers take 77 for "skipped"; in CI it is a failure. */
export const EXIT = { proven: 0, lost: 1, usage: 2, inconclusive: 3, noCgroup: 77 };

/** Describes a trial in one line. */
export function told({ outcome, why, victims, kills, left, pages, ended }, scenario) {
  if (outcome === "void") return `void: ${why}`;
  const [first, ...others] = victims;
  const parts = [
    outcome === "survived"
      ? "the gateway survived"
      : (why ?? `THE GATEWAY DIED, ${left} other processes were left`),
    `first victim: ${first ? described(first) : "not known"}`,
    `then: ${counted(others)}`,
  ];
  if (scenario === "browser" && pages < TABS) parts.push(`only ${pages} of ${TABS} tabs were open`);
  if (ended) parts.push(`the browser ended ${ended}`);
  if (victims.length !== kills)
    parts.push(`${kills} kills by the cgroup's counter, ${victims.length} on record`);
  return parts.join("; ");
}

/** Describes a victim. The gateway's own record may have only the role. */
function described({ role, name, score, rss }) {
  return name ? `${role} (${name}, oom_score_adj ${score}, ${mebibytes(rss)} resident)` : role;
}

/** "tab × 3, browser × 1", or "nothing". */
function counted(victims) {
  const counts = new Map();
  for (const { role } of victims) counts.set(role, (counts.get(role) ?? 0) + 1);
  return [...counts].map(([role, count]) => `${role} × ${count}`).join(", ") || "nothing";
}

function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

export function heading({ limit, trials, user, browser, scenarios }, place, score, oomexec) {
  const parts = [
    `Linux ${release()}, cgroup v${place.version}, limit ${mebibytes(limit)}, no swap`,
    `gateway: Node ${process.versions.node}, started at oom_score_adj ${score}, user ${user ?? process.getuid()}`,
    `${version(oomexec)}; trials of each launcher: ${trials}`,
  ];
  if (scenarios.includes("browser")) {
    parts.push(
      `browser: ${version(browser)}, sandbox ${withoutSandbox(user) ? "off" : "on"}, ${TABS} growing tabs`,
    );
  }
  return `${parts.join("\n")}\n`;
}

/** Returns the version that a program prints. */
function version(file) {
  return execFileSync(file, ["--version"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  })
    .split("\n")[0]
    .trim();
}

/**
 * Returns the table of a scenario, and the kernel's lines of each launcher's first trial that
 * counts.
 */
export function report(scenario, results) {
  const share = Math.round(SCENARIOS[scenario].share * 100);
  const rows = Object.entries(results).map(([name, trials]) => {
    const counting = trials.filter(({ outcome }) => outcome !== "void");
    const died = counting.filter(({ outcome }) => outcome === "died");
    const others = counting
      .flatMap(({ victims }) => victims)
      .filter(({ role }) => role !== "gateway");
    const ended = counting.filter((trial) => trial.ended).length;
    const left = died.flatMap((trial) => trial.left ?? []).sort((one, other) => one - other);
    return [
      name,
      String(counting.length),
      String(trials.length - counting.length),
      `${died.length} of ${counting.length}`,
      counted(counting.flatMap(({ victims }) => victims.slice(0, 1))),
      counted(others) + (ended ? `; the browser ended by itself × ${ended}` : ""),
      left.length ? [...new Set([left[0], left.at(-1)])].join("–") : "–",
    ];
  });
  const names = [
    "launcher",
    "trials",
    "void",
    "gateway died",
    "first victims",
    "killed besides the gateway, all trials",
    "processes left behind",
  ];
  const lines = Object.entries(results).flatMap(([name, trials]) => {
    const first = trials.find(({ outcome }) => outcome !== "void");
    const said = first?.victims.map(({ line }) => line).filter(Boolean) ?? [];
    return [`# ${name}`, ...(said.length ? shortened(said) : ["(the log cannot be read here)"])];
  });
  return [
    `\n### ${scenario}: the gateway holds ${share} % of the limit\n`,
    markdownTable([names, ...rows], [1, 2, 3, 6]),
    "\nThe kernel's own lines, of the first trial of each launcher:\n",
    "```text",
    ...lines,
    "```",
  ].join("\n");
}

function shortened(lines) {
  const most = 6;
  return lines.length <= most
    ? lines
    : [...lines.slice(0, most), `(and ${lines.length - most} more)`];
}

/** Prints a verdict for each scenario, and returns the exit status. */
export function verdict({ scenarios, trials }, all) {
  const statuses = scenarios.map((scenario) => {
    const [status, text] = shown(scenario, all[scenario], trials);
    console.log(`\n${scenario}: ${text}`);
    return status;
  });
  return statuses.includes(EXIT.lost) ? EXIT.lost : Math.max(...statuses);
}

function shown(scenario, results, trials) {
  const { must } = SCENARIOS[scenario];
  const judged = Object.keys(results).filter((name) => name === must || name === "pin");
  const count = (name, outcome) =>
    results[name].filter((result) => result.outcome === outcome).length;
  const lost = judged.filter((name) => count(name, "died") > 0);
  if (lost.length) return [EXIT.lost, `NOT PROVEN: with ${lost.join(" and ")} the gateway died`];
  if (!(must in results))
    return [EXIT.inconclusive, `inconclusive: ${must} was not among the launchers`];
  const few = Object.keys(results).filter(
    (name) => count(name, "died") + count(name, "survived") < trials,
  );
  if (few.length)
    return [
      EXIT.inconclusive,
      `inconclusive: too many void trials of ${few.join(", ")}; the lines above tell why`,
    ];
  // A trial that does not endanger the gateway proves nothing.
  if (!("direct" in results))
    return [EXIT.inconclusive, "inconclusive: direct, the baseline, was not among the launchers"];
  if (count("direct", "died") === 0)
    return [EXIT.inconclusive, "inconclusive: the gateway survived without a launcher too"];
  return [
    EXIT.proven,
    `proven: with ${judged.join(" and with ")} the gateway survived ${trials} of ${trials} trials; ` +
      `with a direct start it died in ${count("direct", "died")} of ${trials}`,
  ];
}
