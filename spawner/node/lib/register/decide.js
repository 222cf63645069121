// Decides what is started instead of each child.

import { prepare } from "../prepare.js";
import { isBody, withRegistration } from "./body.js";
import { isOomexec, programOf } from "./program.js";
import { unwrap } from "./shim.js";

/**
 * Returns the function that decides. It takes a start as Node gives it to the system: file, args
 * with argv[0], envPairs, cwd, uid, gid and stdio. It returns what to start, { file, args,
 * envPairs }, whether that `isWrapped`, and `report`, to call with the child's pid. Never throws.
 */
export function decider(settings, url) {
  let isDeciding = false;
  return ({ file, args, envPairs, cwd, uid, gid, stdio }) => {
    const start = { file, args, envPairs, cwd, uid: idOf(uid), gid: idOf(gid), stdio };
    const asGiven = { file, args, envPairs, isWrapped: false, report() {} };
    // prepare() itself starts a candidate for oomexec, to look whether it is that.
    if (isDeciding || !isComplete(start)) return asGiven;
    isDeciding = true;
    try {
      const { program, why, ...changed } = decide(start, settings, url);
      return { ...asGiven, ...changed, report: reporter(settings.log, program, why) };
    } catch (error) {
      return { ...asGiven, report: reporter(settings.log, file, `direct: ${error.message}`) };
    } finally {
      isDeciding = false;
    }
  };
}

// Anything else is Node's to refuse.
function isComplete({ file, args }) {
  return typeof file === "string" && Array.isArray(args) && args.length > 0;
}

function decide(given, settings, url) {
  const env = environmentOf(given.envPairs);
  const start = { ...given, ...unwrap(given), env };
  const program = programOf(start.file, start.args);
  const direct = (why) => ({ program, why: `direct: ${why}` });

  if (isBody({ ...given, env })) {
    return { ...direct("part of the gateway"), args: withRegistration({ ...given, env }, url) };
  }
  if (settings.isExempt(program)) return direct("exempt");
  if (isOomexec(program)) return direct("already-wrapped");

  const [argv0, ...args] = start.args;
  const pin = settings.pinOf(program);
  const prepared = prepare(start.file, args, {
    env,
    cwd: start.cwd,
    uid: start.uid,
    gid: start.gid,
    argv0: argv0 === start.file ? undefined : argv0,
    pin,
    score: start.score ?? settings.score,
    // A shell would change the environment: oomexec, or nothing.
    shellAvailable: () => false,
  });
  if (prepared.why !== "oomexec") return direct(prepared.why);
  return {
    program,
    why: pin ? "oomexec, pinned" : "oomexec",
    file: prepared.command,
    args: [prepared.command, ...prepared.args],
    envPairs: start.envPairs,
    isWrapped: true,
  };
}

// The variables that count here and in prepare(), where no shell is in between.
const READ = ["PATH", "OPENCLAW_CHILD_OOM_SCORE_ADJ", "NODE_OPTIONS"];

// Without pairs the child inherits. The first of two equal names is the one that counts.
function environmentOf(envPairs) {
  if (!Array.isArray(envPairs)) return undefined;
  const env = {};
  for (const name of READ) {
    const begin = `${name}=`;
    const pair = envPairs.find((pair) => pair.startsWith(begin));
    if (pair !== undefined) env[name] = pair.slice(begin.length);
  }
  return env;
}

// node-pty gives -1 for none.
function idOf(id) {
  return id === null || id === -1 ? undefined : id;
}

// Without the arguments: they may hold secrets.
function reporter(log, program, why) {
  if (log === undefined) return () => {};
  return (pid, isRetried) => {
    const how = isRetried ? "direct: oomexec itself could not be started" : why;
    const who = pid ? `pid ${pid}` : "not started";
    log(`oomexec/register[${process.pid}]: ${program}: ${who}, ${how}`);
  };
}
