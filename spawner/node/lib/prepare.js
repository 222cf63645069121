// Decides whether a child is started through oomexec, through /bin/sh or directly.
// The test cases in ../../cases.json are shared with the Rust library.

import { statSync } from "node:fs";
import { basename } from "node:path";
import { findOomexec } from "./oomexec.js";
import { SHIM, SPAWNER } from "./script.js";
import { directoryOf, search } from "./search.js";

const OPT_OUT = "OPENCLAW_CHILD_OOM_SCORE_ADJ";
// Trims the same white space as oomexec itself.
const OPT_OUT_WORD = /^[ \t\n\v\f\r]*(?:0|false|no|off)[ \t\n\v\f\r]*$/i;

const SHELL = "/bin/sh";
// The shims in today's gateways begin and end alike.
const [SHIM_BEGIN, SHIM_END] = SHIM.split(/ (?=exec)/);

// These variables make a shell run code or change its behaviour before it reaches the script.
const SHELL_STARTUP = new Set(["BASH_ENV", "ENV", "CDPATH", "PS4", "SHELLOPTS", "BASHOPTS"]);
const SHELL_FUNCTION = "BASH_FUNC_";

/** Decides what to spawn so that the kernel kills the child before the gateway. Never throws. */
export function prepare(command, args, options) {
  const {
    platform = process.platform,
    env,
    cwd,
    argv0,
    pin,
    exempt,
    oomexec,
    shellAvailable = isShellThere,
  } = options ?? {};
  const given = [...(args ?? [])];
  const asGiven = (wrapped, via, why) => ({
    command,
    args: given,
    env: via === "sh" ? withoutShellStartup(env) : env,
    ...(argv0 === undefined ? {} : { argv0 }),
    wrapped,
    via,
    why,
  });
  const direct = (why) => asGiven(false, "direct", why);

  if (platform !== "linux") return direct("not-linux");
  if (typeof command !== "string" || command === "") return direct("empty");
  if (exempt) return direct("exempt");
  if (isOptedOut(env)) return direct("opted-out");

  // A command that cannot run is spawned directly: the runtime's error says more than a wrapper's
  // exit status.
  const directory = directoryOf(cwd);
  if (directory === undefined) return direct("no-directory");
  const found = search(command, (env ?? process.env).PATH, directory);
  if (found !== "executable") return direct(found);

  if (basename(command) === "oomexec") return asGiven(true, "oomexec", "already-wrapped");
  if (command === SHELL && given[0] === "-c" && isShim(given[1]))
    return asGiven(true, "sh", "already-wrapped");

  const { path } = findOomexec(oomexec);
  if (path !== undefined) {
    if (command === path) return asGiven(true, "oomexec", "already-wrapped");
    const name = argv0 === undefined ? [] : ["-a", argv0];
    const held = pin ? ["--pin"] : [];
    return {
      command: path,
      args: [...name, ...held, "--", command, ...given],
      env,
      wrapped: true,
      via: "oomexec",
      why: "oomexec",
    };
  }

  if (!shellAvailable()) return direct("no-wrapper");
  if (command.startsWith("-")) return direct("dash-command");
  if (argv0 !== undefined && argv0 !== command) return direct("argv0");
  return {
    command: SHELL,
    args: ["-c", SPAWNER, command, ...given],
    env: withoutShellStartup(env),
    wrapped: true,
    via: "sh",
    why: "no-oomexec",
  };
}

// The child's environment decides if it has the variable, else the gateway's: a reduced environment
// for the child must not undo the gateway's opt-out.
function isOptedOut(env) {
  return OPT_OUT_WORD.test(env?.[OPT_OUT] ?? process.env[OPT_OUT] ?? "");
}

function isShim(script) {
  return (
    script === SPAWNER ||
    (typeof script === "string" && script.startsWith(SHIM_BEGIN) && script.endsWith(SHIM_END))
  );
}

function isShellThere() {
  try {
    return statSync(SHELL).isFile();
  } catch {
    return false;
  }
}

// for-in includes inherited properties, as spawn() does when it reads an env.
function withoutShellStartup(env) {
  const kept = {};
  const all = env ?? process.env;
  for (const name in all) {
    if (!SHELL_STARTUP.has(name) && !name.startsWith(SHELL_FUNCTION)) kept[name] = all[name];
  }
  return kept;
}
