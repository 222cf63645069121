// The run: each suite as each user in each way, and what differs from the run without a pin.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findOomexec } from "../launchers.mjs";
import { exitOnSignals } from "../signals.mjs";
import { differences, report, unlisted } from "./report.mjs";
import { isRoot, Stage, WAYS } from "./run.mjs";

const PYTHON = [
  "test_subprocess",
  "test_os",
  "test_tempfile",
  "test_shutil",
  "test_multiprocessing_fork",
];

/** Each suite's name, file and arguments; and whether it is too slow to run as root too. */
const SUITES = [
  ...["shell", "git", "npm", "cargo", "pip", "tar", "rsync", "sqlite3", "vim"].map((name) => ({
    name,
    file: `${name}.sh`,
  })),
  ...PYTHON.map((name) => ({
    name,
    file: "python.py",
    args: [name],
    isSlow: name === "test_multiprocessing_fork",
  })),
  { name: "listed", file: "listed.sh" },
];

const HELP = `usage: scripts/test-pin [SUITE]...

Runs real programs without a pin, with --pin and with --pin=write, as an unprivileged user
and, if it is root, as root too. Prints for each what differs. It ends with 1 if that is
anything but what the man page lists (scripts/lib/test-pin/known.mjs). Needs Debian, Landlock
and the registries of npm, Cargo and pip.

The suites, all by default:
  ${SUITES.map(({ name }) => name).join(" ")}
`;

/** How often a difference must show before it counts: a test may fail by chance. */
const ATTEMPTS = 3;

let stage;
process.on("exit", () => stage?.remove());
exitOnSignals();

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`test-pin: ${error.message}`);
  process.exitCode = 1;
}

async function main(names) {
  if (names.includes("-h") || names.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  const unknown = names.find((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown) throw new Error(`no suite '${unknown}'; --help lists them`);
  const suites = SUITES.filter(({ name }) => names.length === 0 || names.includes(name));
  execFileSync(fileURLToPath(new URL("install", import.meta.url)), { stdio: ["ignore", 2, 2] });
  if (process.env.OOMEXEC_TEST_BINARY) process.env.OOMEXEC = process.env.OOMEXEC_TEST_BINARY;
  stage = new Stage(findOomexec());
  for (const way of Object.keys(WAYS).slice(1))
    if (!stage.holds(way)) throw new Error(`${way} does not hold here: see oomexec --check`);

  const rows = [];
  for (const suite of suites) {
    const users = isRoot ? ["nobody", ...(suite.isSlow ? [] : ["root"])] : ["you"];
    for (const user of users) rows.push(await compared(suite, user));
  }
  const { text, failed } = report(rows);
  process.stdout.write(text);
  return failed ? 1 : 0;
}

/** Returns what differs, by the way: names of steps, with both outcomes. */
async function compared(suite, user) {
  const started = Date.now();
  const row = { suite: suite.name, user, differs: {} };
  const bystander = await stage.bystander(user);
  const run = (way) => stage.run(suite, user, way, { BYSTANDER: `${bystander.pid}` });
  const [direct, ...pinned] = Object.keys(WAYS);
  try {
    const before = run(direct);
    row.steps = before.size;
    const failed = (outcome) => /^(error|failure)|^exit [1-9]/m.test(outcome);
    row.failed = [...before].filter(([, outcome]) => failed(outcome)).map(([step]) => step);
    for (const way of pinned) {
      let found = differences(before, run(way));
      for (let at = 1; at < ATTEMPTS && unlisted(row, way, found).length > 0; at++) {
        const again = differences(run(direct), run(way));
        found = found.filter(({ step }) => again.some((other) => other.step === step));
      }
      row.differs[way] = found;
    }
  } finally {
    bystander.kill("SIGKILL");
  }
  row.seconds = Math.round((Date.now() - started) / 1000);
  process.stderr.write(`${suite.name} as ${user}: ${row.seconds} s\n`);
  return row;
}
