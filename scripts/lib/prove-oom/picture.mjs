// The files of --picture. What is in the picture stands in plot.mjs.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { onPath } from "../launchers.mjs";
import { LOOK } from "./trial.mjs";

/**
 * Installs the plotting library, so that an error comes before any trial. Returns the function
 * that takes the trials of each launcher and writes `folder`/oom-light.svg and oom-dark.svg.
 */
export async function prepareDrawing(folder) {
  if (!onPath("npm")) throw new Error("no npm on PATH, which --picture needs: install it");
  // npm's stdout goes to stderr: stdout is for the tables.
  execFileSync("npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund"], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    stdio: ["ignore", 2, 2],
  });
  const { plots } = await import("./plot.mjs");
  return (results, { limit }, { version }) => {
    const trials = Object.entries(results).map(([name, attempts]) => ({
      name,
      ...attempts.find(({ outcome }) => outcome !== "void"),
    }));
    for (const { name, why } of trials) if (why) throw new Error(`no picture of ${name}: ${why}`);
    const caption = `Anonymous memory, a sample every ${LOOK} ms. Linux ${release().split("-")[0]}, cgroup v${version} without swap, Node ${process.versions.node}.`;
    for (const [theme, svg] of Object.entries(plots(trials, limit, caption))) {
      const file = join(folder, `oom-${theme}.svg`);
      writeFileSync(file, svg);
      console.log(`drawn: ${file}`);
    }
  };
}
