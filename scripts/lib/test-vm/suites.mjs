// Reads the results of the repository's own tests in the VMs, and prints a table.
//
//   node suites.mjs DIR SUITES RUN...
//
// SUITES are the names of the test targets, in one argument. A RUN is ARCHITECTURE-KERNEL-suites;
// its console is DIR/RUN. No test may be left out, and every suite must finish.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { markdownTable } from "../markdown-table.mjs";

const [dir, names, ...runs] = process.argv.slice(2);
const suites = names.split(" ");

let passed = 0;
let failed = 0;
const said = [];

/** Judges the output of one suite; returns its cell in the table. */
function judge(run, console_, suite) {
  // Cargo appends a hash to the name of a test program.
  const begin = new RegExp(`^@@ suite: ${suite}-[0-9a-f]+$`, "m").exec(console_);
  const [text] = begin
    ? (/^[\s\S]*?^@@ ended: .*$/m.exec(console_.slice(begin.index)) ?? [""])
    : [""];
  const [, result, ...counts] =
    /^test result: (\w+)\. (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured; (\d+) filtered out/m.exec(
      text,
    ) ?? [];
  const [good, bad, ignored, filtered] = counts.map(Number);
  const whole =
    text.endsWith("@@ ended: 0") && result === "ok" && good > 0 && bad + ignored + filtered === 0;
  passed += good || 0;
  if (whole) return `${good} passed`;
  // A suite that did not finish has failed too.
  failed += Math.max(bad || 0, 1);
  said.push(`${run}, ${suite}:\n${text || "nothing"}`);
  return `**FAILED** ${result ? counts.join(", ") : ""}`.trim();
}

const columns = runs.map((run) => {
  const text = readFileSync(join(dir, run), "latin1").replaceAll("\r", "");
  const kernel = /^@@ kernel: (.*)$/m.exec(text)?.[1] ?? "no kernel";
  return [kernel, ...suites.map((suite) => judge(run, text, suite))];
});

if (said.length > 0) console.log(`${said.join("\n\n")}\n`);
console.log(
  markdownTable(
    ["tests", ...suites].map((name, row) => [name, ...columns.map((column) => column[row])]),
    [],
  ),
);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
