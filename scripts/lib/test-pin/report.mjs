// What differs, what of it is listed, and the tables.

import { markdownTable } from "../markdown-table.mjs";
import { KNOWN } from "./known.mjs";
import { WAYS } from "./run.mjs";

/** Returns each step that came out otherwise, with both outcomes. */
export function differences(before, after) {
  const steps = new Set([...before.keys(), ...after.keys()]);
  return [...steps]
    .filter((step) => before.get(step) !== after.get(step))
    .map((step) => ({ step, before: before.get(step) ?? "", after: after.get(step) ?? "" }));
}

/** Returns those of the differences that the man page does not list. */
export function unlisted(row, way, found) {
  const listed = expected(row, way).map(({ step }) => step);
  return found.filter(({ step }) => !listed.includes(step));
}

function expected({ suite, user }, way) {
  const applies = (known) =>
    known.suite === suite && known.ways.includes(way) && (known.users ?? [user]).includes(user);
  return KNOWN.filter(applies);
}

/** Returns the tables, and whether anything else differs than what the man page lists. */
export function report(rows) {
  const ways = Object.keys(WAYS).slice(1);
  const counted = rows.map((row) => [
    row.suite,
    row.user,
    `${row.steps}`,
    `${row.failed.length}`,
    ...ways.map((way) => `${row.differs[way].length}`),
    `${row.seconds}`,
  ]);
  const names = [
    "suite",
    "user",
    "steps, tests",
    "fail anyway",
    ...ways.map((way) => `differ with ${way}`),
    "seconds",
  ];
  const parts = [markdownTable([names, ...counted], [2, 3, 4, 5, 6])];

  // By the step: why, and as which users it differs in which way.
  const seen = new Map();
  const wrong = [];
  for (const { suite, user, steps, failed } of rows) {
    if (failed.length > 0) parts.push(`${suite} as ${user} fails anyway: ${failed.join(", ")}`);
    if (failed.length * 2 > steps) wrong.push(`${suite} as ${user} shows nothing: it fails anyway`);
  }
  for (const row of rows)
    for (const way of ways) {
      const found = row.differs[way];
      for (const { step, why } of expected(row, way)) {
        const name = `${row.suite}: ${step}`;
        const users = seen.get(name)?.users ?? Object.fromEntries(ways.map((way) => [way, []]));
        if (found.some((other) => other.step === step)) users[way].push(row.user);
        else wrong.push(`${name}, ${way} as ${row.user}: listed, and does not differ`);
        seen.set(name, { why, users });
      }
      for (const { step, before, after } of unlisted(row, way, found))
        wrong.push(
          `${row.suite}: ${step}, ${way} as ${row.user}: not listed\n` +
            `without a pin:\n${indented(before)}\n${way}:\n${indented(after)}`,
        );
    }
  if (seen.size > 0) {
    const listed = [...seen].map(([name, { why, users }]) => [
      name,
      ...ways.map((way) => users[way].join(", ")),
      why,
    ]);
    parts.push(markdownTable([["differs as the man page lists", ...ways, "why"], ...listed], []));
  }
  parts.push(...wrong);
  parts.push(wrong.length > 0 ? "FAILED" : "Nothing differs but for what the man page lists.");
  return { text: `${parts.join("\n\n")}\n`, failed: wrong.length > 0 };
}

/** The first lines, each a little to the right. */
function indented(text) {
  const lines = text.trimEnd().split("\n");
  const more = lines.length > 30 ? [`(${lines.length - 30} lines more)`] : [];
  return [...lines.slice(0, 30), ...more].map((line) => `    ${line}`).join("\n");
}
