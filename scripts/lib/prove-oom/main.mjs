// The run: prints a line for each trial, then the tables and the verdict.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { findOomexec, launchers, onPath } from "../launchers.mjs";
import { exitOnSignals } from "../signals.mjs";
import { findPlace, NoCgroup } from "./cgroup.mjs";
import { readOptions, Usage } from "./options.mjs";
import { prepareDrawing } from "./picture.mjs";
import { EXIT, heading, report, told, verdict } from "./report.mjs";
import { gatewaySettings, SCENARIOS, withoutSandbox } from "./scenarios.mjs";
import { makeHome, makeStage } from "./stage.mjs";
import { abandon, runTrial } from "./trial.mjs";

/** How often a void trial is run, at most. */
const ATTEMPTS = 3;

/** The folder of the run, and the place of its cgroups: every exit cleans up both. */
let stage;
let place;
process.on("exit", () => {
  abandon();
  place?.leave();
  if (stage) rmSync(stage, { recursive: true, force: true });
});
exitOnSignals();

try {
  process.exitCode = await main();
} catch (error) {
  const [status, text] =
    error instanceof NoCgroup
      ? [EXIT.noCgroup, `no trial can be made here: ${error.message}`]
      : [error instanceof Usage ? EXIT.usage : EXIT.lost, error.message];
  console.error(`prove-oom: ${text}`);
  process.exitCode = status;
}

async function main() {
  const options = readOptions();
  if (!options) return EXIT.proven;
  checkMachine();
  const draw = options.picture && (await prepareDrawing(options.picture));
  place = findPlace(options.limit);
  const user = options.user && userIds(options.user);
  stage = makeStage(findOomexec());
  const oomexec = join(stage, "oomexec");
  const words = launchers(oomexec);

  console.log(heading(options, place, ownScore(), oomexec));
  const all = {};
  for (const scenario of options.scenarios) {
    const names = launcherNames(options, scenario);
    all[scenario] = Object.fromEntries(names.map((name) => [name, []]));
    // In turn, so that all launchers meet the same conditions.
    for (let round = 1; round <= options.trials; round++) {
      for (const name of names) {
        all[scenario][name].push(
          ...(await untilItCounts({ ...options, user, scenario, round, name, words: words[name] })),
        );
      }
    }
  }
  for (const scenario of options.scenarios) console.log(report(scenario, all[scenario]));
  const status = verdict(options, all);
  if (draw && status === EXIT.proven) draw(all.children, options, place);
  return status;
}

/** Throws for a setting that would spoil every trial, or the machine. */
function checkMachine() {
  if (readFileSync("/proc/sys/vm/panic_on_oom", "utf8").trim() === "2") {
    throw new NoCgroup(
      "vm.panic_on_oom is 2: the kernel would panic instead of killing; set it to 0",
    );
  }
  if (ownScore() === 1000) {
    throw new NoCgroup(
      "the oom_score_adj of this process is 1000, and the gateway would inherit it: start this at a lower one",
    );
  }
}

function userIds(name) {
  try {
    const [uid, gid] = ["-u", "-g"].map((option) =>
      Number(execFileSync("id", [option, "--", name], { encoding: "utf8", stdio: "pipe" })),
    );
    if (process.getuid() !== 0) throw new Error("only root can become another user");
    if (uid === 0) throw new Error("it is root itself");
    return { uid, gid };
  } catch (error) {
    throw new Error(`--user ${name}: ${error.stderr?.trim() || error.message}`);
  }
}

function launcherNames({ names, user }, scenario) {
  const wanted = names ?? SCENARIOS[scenario].launchers;
  if (user && !onPath("setpriv"))
    throw new Error("no setpriv on PATH, which --user needs: install util-linux");
  if (!wanted.includes("choom") || onPath("choom")) return wanted;
  if (names)
    throw new Error("no choom on PATH: install util-linux, or leave it out of --launchers");
  console.log(`${scenario}: choom is not installed, so it is left out`);
  return wanted.filter((name) => name !== "choom");
}

/** Runs a trial until it counts, or too often. Returns all attempts. */
async function untilItCounts(settings) {
  const { scenario, name, round, trials } = settings;
  const results = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const start = Date.now();
    const result = checkSandbox(await runTrial(trialSettings(settings, attempt)), settings);
    results.push(result);
    const seconds = Math.round((Date.now() - start) / 1000);
    console.log(`${scenario} ${round}/${trials} ${name}: ${told(result, scenario)} (${seconds} s)`);
    if (result.outcome !== "void") break;
  }
  return results;
}

/** Makes a survival void if the browser ran without the sandbox that the heading names. */
function checkSandbox(result, { scenario, user }) {
  const expected = scenario === "browser" && !withoutSandbox(user);
  if (!expected || result.outcome !== "survived" || result.sandboxed) return result;
  return { ...result, outcome: "void", why: "no tab was in the browser's sandbox" };
}

function trialSettings(settings, attempt) {
  const { limit, after, patience, picture, user, scenario, name, round } = settings;
  const home = makeHome(stage, user);
  const gateway = gatewaySettings(settings, stage, home);
  const become = user
    ? ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--"]
    : [];
  return {
    place,
    // Unique, because the kernel's log is searched for it.
    name: `prove-oom-${Date.now().toString(36)}-${scenario}-${name}-${round}-${attempt}`,
    limit,
    after,
    patience,
    whole: picture !== undefined,
    command: [...become, process.execPath, join(stage, "gateway.mjs"), JSON.stringify(gateway)],
    // Small, so that no setting of the caller (the opt-out, NODE_OPTIONS, a session bus) counts.
    env: { PATH: process.env.PATH, LANG: "C.UTF-8", HOME: home, TMPDIR: home },
    cwd: stage,
  };
}

function ownScore() {
  return Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
}
