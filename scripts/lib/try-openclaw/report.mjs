// Prints the table of both cases; fails unless the scores are as expected.
//
//   report.mjs WITH_OOMEXEC.json WITHOUT_SHELL.json

import { readFileSync } from "node:fs";

import { markdownTable } from "../markdown-table.mjs";

const cases = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
const rows = cases.flatMap(({ shell, gateway, server }) => [
  [shell, "gateway", String(gateway.pid), String(gateway.score), gateway.command],
  [shell, "MCP server", String(server.pid), String(server.score), server.command],
]);
console.log(
  markdownTable([["/bin/sh", "process", "pid", "oom_score_adj", "command line"], ...rows], [2, 3]),
);

const surprises = cases.flatMap(({ shell, ownScore, gateway, server }, index) => {
  const expected = [
    ["/bin/sh", shell, ["oomexec", "none"][index]],
    ["the gateway", gateway.score, ownScore],
    ["the MCP server", server.score, [1000, ownScore][index]],
  ];
  return expected
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `with ${shell} as /bin/sh: ${what} is ${found}, not ${wanted}`);
});
if (cases.length !== 2) surprises.push(`${cases.length} cases, not 2`);
for (const surprise of surprises) console.error(`scripts/try-openclaw: ${surprise}`);
if (surprises.length > 0) process.exit(1);
console.log(
  "\nAs expected: 1000 with oomexec as /bin/sh; the gateway's own score without; the gateway keeps its score.",
);
