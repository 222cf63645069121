// Decides whether a child is started through oomexec, through /bin/sh or directly.
// The test cases in ../../cases.json are shared with the Rust library.

import { basename } from "node:path";
import { inspect } from "node:util";
import { findOomexec } from "./oomexec.js";
import { isShim, spawnerScript } from "./script.js";
import { directoryOf, search, statOf } from "./search.js";
import { otherUser } from "./user.js";

const OPT_OUT = "OPENCLAW_CHILD_OOM_SCORE_ADJ";
// Trims the same white space as oomexec itself.
const OPT_OUT_WORD = /^[ \t\n\v\f\r]*(?:0|false|no|off)[ \t\n\v\f\r]*$/i;

// What oomexec writes where no score is given.
const DEFAULT_SCORE = 1000;

const SHELL = "/bin/sh";
// These variables make a shell run code or change its behaviour before it reaches the script.
const SHELL_STARTUP = new Set(["BASH_ENV", "ENV", "CDPATH", "PS4", "SHELLOPTS", "BASHOPTS"]);
const SHELL_FUNCTION = "BASH_FUNC_";

/**
 * Decides what to spawn so that the kernel kills the child before the gateway. Throws only if `pin`
 * or `score` is not valid: what spawn() refuses is handed on, so that the error is spawn's own.
 */
export function prepare(command, args, options) {
  // Handed on as it is, and not as a copy with more in it: that takes longer than all else.
  const own = options ?? {};
  checkPin(own.pin);
  checkScore(own.score);
  const given = Array.isArray(args) ? [...args] : (args ?? []);
  try {
    return decide(command, given, own);
  } catch {
    // Only what the caller gave can throw: an environment that cannot be read, shellAvailable.
    return asGiven(command, given, own, "direct", "invalid");
  }
}

function decide(command, args, options) {
  const { platform = process.platform, shellAvailable = isShellThere, argv0 } = options;
  const env = options.env || process.env;
  const asIs = (via, why) => asGiven(command, args, options, via, why);
  const direct = (why) => asIs("direct", why);

  if (platform !== "linux") return direct("not-linux");
  if (typeof command !== "string" || command === "") return direct("empty");
  if (isRefused(command, args, argv0)) return direct("invalid");
  if (options.exempt) return direct("exempt");
  if (isOptedOut(env)) return direct("opted-out");

  // A command that cannot run is spawned directly: the runtime's error says more than a wrapper's
  // exit status.
  const directory = directoryOf(options.cwd);
  if (directory === undefined) return direct("no-directory");
  const found = search(command, env.PATH, directory, otherUser(options));
  if (found !== "executable") return direct(found);

  if (basename(command) === "oomexec") return asIs("oomexec", "already-wrapped");
  if (command === SHELL && args[0] === "-c" && isShim(args[1]))
    return asIs("sh", "already-wrapped");

  const oomexec = findOomexec(options.oomexec, options);
  if (oomexec.path !== undefined) {
    if (command === oomexec.path) return asIs("oomexec", "already-wrapped");
    return throughOomexec(oomexec, command, args, options);
  }

  if (!shellAvailable()) return direct("no-wrapper");
  // A shell drops some variables, and adds others.
  if (options.exactEnv) return direct("exact-env");
  if (command.startsWith("-")) return direct("dash-command");
  if ((argv0 ?? command) !== command) return direct("argv0");
  return throughShell(command, args, options);
}

function throughOomexec({ path, pinsWrite }, command, args, { env, argv0, score, pin }) {
  const flags = [];
  if ((score ?? DEFAULT_SCORE) !== DEFAULT_SCORE) flags.push("-n", String(score));
  if (argv0 !== undefined && argv0 !== null) flags.push("-a", argv0);
  if (pin) flags.push(pin === "write" && pinsWrite ? "--pin=write" : "--pin");
  return {
    command: path,
    args: [...flags, "--", command, ...args],
    env,
    wrapped: true,
    via: "oomexec",
    why: "oomexec",
  };
}

function throughShell(command, args, { env, score }) {
  return {
    command: SHELL,
    args: ["-c", spawnerScript(score ?? DEFAULT_SCORE), command, ...args],
    env: withoutShellStartup(env),
    wrapped: true,
    via: "sh",
    why: "no-oomexec",
  };
}

function asGiven(command, args, { env, argv0, exactEnv }, via, why) {
  return {
    command,
    args,
    env: via === "sh" && !exactEnv ? withoutShellStartup(env) : env,
    ...(argv0 === undefined ? {} : { argv0 }),
    wrapped: via !== "direct",
    via,
    why,
  };
}

function checkPin(pin) {
  if (![undefined, null, false, true, "write"].includes(pin))
    throw new TypeError(`bad pin ${inspect(pin)}: it must be true, "write" or false`);
}

function checkScore(score) {
  if (score === undefined || score === null) return;
  if (Number.isInteger(score) && score >= -1000 && score <= 1000) return;
  const BadScore = typeof score === "number" ? RangeError : TypeError;
  throw new BadScore(`bad score ${inspect(score)}: it must be a whole number from -1000 to 1000`);
}

// spawn() throws for these, and its error names the argument that the caller gave.
function isRefused(command, args, argv0) {
  const hasNul = (value) => typeof value === "string" && value.includes("\0");
  return (
    !Array.isArray(args) ||
    typeof (argv0 ?? "") !== "string" ||
    hasNul(command) ||
    hasNul(argv0) ||
    args.some(hasNul)
  );
}

// The child's environment decides if it has the variable, else the gateway's: a reduced environment
// for the child must not undo the gateway's opt-out.
function isOptedOut(env) {
  const word = env[OPT_OUT] ?? process.env[OPT_OUT];
  return word !== undefined && OPT_OUT_WORD.test(word);
}

function isShellThere() {
  return statOf(SHELL)?.isFile() ?? false;
}

// for-in includes inherited properties, as spawn() does when it reads an env.
function withoutShellStartup(env) {
  const kept = {};
  const all = env || process.env;
  for (const name in all) {
    if (!SHELL_STARTUP.has(name) && !name.startsWith(SHELL_FUNCTION)) kept[name] = all[name];
  }
  return kept;
}
