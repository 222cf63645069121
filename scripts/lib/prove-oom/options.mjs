// The command line.

import { statSync } from "node:fs";
import { parseArgs } from "node:util";

import { isExecutable, launchers, onPath } from "../launchers.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const HELP = `Usage: scripts/prove-oom [OPTION]...

Fills a memory cgroup with a gateway and its children until the kernel kills,
for each launcher in turn, and tells who died.

  --limit SIZE       the cgroup's limit, such as 256M (default 6G)
  --trials N         trials of each launcher (default 10)
  --only SCENARIO    children or browser (default both)
  --launchers LIST   any of direct,shim,choom,oomexec,pin
                     (default all, without pin for children)
  --user NAME        run the gateway and all below it as this user (needs root);
                     Chromium then keeps its sandbox
  --browser FILE     the browser (default chromium, on PATH)
  --after SECONDS    go on this long after the first kill of a process that
                     held more than 1 % of the limit (default 5)
  --patience SECONDS a trial without such a kill in that time is void (default 90)
  --scaled           --limit 256M --trials 3 --only children --after 3
  --picture DIR      make one trial with direct and one with oomexec, of children
                     and with --limit 512M unless given, and draw their memory:
                     DIR/oom-light.svg and DIR/oom-dark.svg (needs npm)
  -h, --help         print this

OOMEXEC names the oomexec to test (default: the one that cargo builds here).

Exit status: 0 the gateway survived all trials with oomexec (children) and with
pin (browser); 1 it did not, or a step failed; 2 bad usage; 3 inconclusive: too
many void trials, or the gateway survived without a launcher too, or the
launcher that counts was not tried; 77 no cgroup could be made here.
`;

/** A command-line error. */
export class Usage extends Error {}

/** Parses the command line. Prints the help and returns undefined if that is wanted. */
export function readOptions() {
  let values;
  try {
    const text = { type: "string" };
    ({ values } = parseArgs({
      options: {
        limit: text,
        trials: text,
        only: text,
        launchers: text,
        user: text,
        browser: text,
        after: text,
        patience: text,
        scaled: { type: "boolean" },
        picture: text,
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    throw new Usage(`${error.message} (--help lists the options)`);
  }
  if (values.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  const scaled = values.scaled ? { limit: "256M", trials: "3", only: "children", after: "3" } : {};
  const picture = values.picture === undefined ? {} : pictureOptions(values);
  const given = {
    limit: "6G",
    trials: "10",
    after: "5",
    patience: "90",
    ...scaled,
    ...picture,
    ...values,
  };
  if (given.only && !SCENARIOS[given.only])
    throw new Usage(`--only ${given.only}: must be children or browser`);
  const names = given.launchers?.split(",");
  for (const name of names ?? []) {
    if (!(name in launchers("")))
      throw new Usage(`--launchers ${name}: must be of ${Object.keys(launchers("")).join(", ")}`);
  }
  const browser = given.browser ?? onPath("chromium");
  const scenarios = given.only ? [given.only] : Object.keys(SCENARIOS);
  if (scenarios.includes("browser") && !browser)
    throw new Error(
      "no chromium on PATH: install it, name one with --browser, or use --only children",
    );
  if (scenarios.includes("browser") && !isExecutable(browser))
    throw new Error(`--browser ${browser}: not an executable file`);
  return {
    limit: size(given.limit),
    trials: positive("trials", given.trials),
    after: 1000 * positive("after", given.after),
    patience: 1000 * positive("patience", given.patience),
    user: given.user,
    scenarios,
    names,
    browser,
    picture: given.picture,
  };
}

/** What --picture stands for. Throws if its folder is none, or an option contradicts it. */
function pictureOptions(values) {
  if (!statSync(values.picture, { throwIfNoEntry: false })?.isDirectory())
    throw new Usage(`--picture ${values.picture}: not a directory: make it first`);
  const fixed = ["trials", "only", "launchers", "scaled"].find((name) => name in values);
  if (fixed)
    throw new Usage(
      `--picture is one trial with direct and one with oomexec: leave out --${fixed}`,
    );
  return { limit: "512M", trials: "1", only: "children", launchers: "direct,oomexec" };
}

function positive(name, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new Usage(`--${name} ${text}: must be a number of 1 or more`);
  return Number(text);
}

function size(text) {
  const [, number, unit] = /^([1-9]\d*)([KMG]?)$/.exec(text) ?? [];
  if (!number) throw new Usage(`--limit ${text}: must be a size such as 256M or 6G`);
  const bytes = Number(number) * { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit];
  if (bytes < 128 * 2 ** 20) throw new Usage(`--limit ${text}: the gateway alone needs 128M`);
  return bytes;
}
