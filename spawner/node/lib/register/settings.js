// The settings of oomexec/register, from the environment of the gateway.

import { appendFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findOomexec } from "../oomexec.js";

// To kill one of these cuts off the work at its other end, which goes on.
const EXEMPT = ["docker", "kubectl", "nerdctl", "podman", "ssh"];

// Chromium and its relatives, which reset their score, and the drivers that start them.
const PIN = [
  "brave",
  "brave-browser*",
  "chrome",
  "chrome-headless-shell",
  "chromedriver",
  "chromium*",
  "google-chrome*",
  "headless-shell",
  "headless_shell",
  "microsoft-edge*",
  "msedge",
  "msedgedriver",
  "opera",
  "vivaldi*",
];

/**
 * Reads the settings. Throws for a wrong one, before the gateway starts.
 * `isExempt` and `pinOf` take the name of a program; `log` takes a line.
 */
export function readSettings(env) {
  const exempt = readNames("OOMEXEC_EXEMPT", EXEMPT, env);
  const pin = readNames("OOMEXEC_PIN", PIN, env, ["write"]);
  return {
    exempt,
    pin,
    score: readScore(env.OOMEXEC_SCORE),
    log: readLog(env.OOMEXEC_LOG),
    isExempt: (program) => exempt.some((name) => name.matches(program)),
    pinOf(program) {
      const name = pin.find((name) => name.matches(program));
      return name && (name.value ?? true);
    },
  };
}

// A name is added to the defaults; with `-` in front, what it matches is removed.
function readNames(variable, defaults, env, values = []) {
  let names = defaults.map((pattern) => nameOf(pattern));
  for (const word of (env[variable] ?? "").split(/[\s,]+/).filter((word) => word !== "")) {
    const [, minus, pattern, equals, value] = /^(-?)([^=]*)(=?)(.*)$/.exec(word);
    if (pattern === "" || pattern.includes("/")) {
      throw new Error(`${variable}: '${word}' is not the name of a program, without its path`);
    }
    if (equals && (minus || !values.includes(value))) {
      throw new Error(`${variable}: '${word}' is unknown: a name may have no such value here`);
    }
    const added = nameOf(pattern, equals ? value : undefined);
    names = names.filter((name) => !added.matches(name.pattern));
    if (!minus) names.push(added);
  }
  return names;
}

// In a pattern `*` stands for any characters.
function nameOf(pattern, value) {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`, "s");
  return { pattern, value, matches: (name) => expression.test(name) };
}

function readScore(value) {
  if (value === undefined || value === "") return undefined;
  if (!/^-?\d{1,4}$/.test(value) || Math.abs(value) > 1000) {
    throw new Error(`OOMEXEC_SCORE: '${value}' is not a whole number from -1000 to 1000`);
  }
  return Number(value);
}

function readLog(value) {
  if (value === undefined || value === "") return undefined;
  if (value !== "stderr" && !value.startsWith("/")) {
    throw new Error(`OOMEXEC_LOG: '${value}' is neither stderr nor an absolute path`);
  }
  return (line) => {
    try {
      if (value === "stderr") writeSync(2, `${line}\n`);
      else appendFileSync(value, `${line}\n`);
    } catch {
      // A log that cannot be written stops no child.
    }
  };
}

/** Returns the settings as text for people, the defaults where nothing is set. */
export function describe(env, url) {
  const { exempt, pin, score } = readSettings(env);
  const list = (names) =>
    names.map(({ pattern, value }) => (value ? `${pattern}=${value}` : pattern)).join(" ") ||
    "(none)";
  const { path, rejected } = findOomexec();
  const rows = [
    ["to use it", `node --import=${url} GATEWAY.js`],
    ["or", `node --require=${fileURLToPath(url)} GATEWAY.js`],
    ["oomexec", path ?? "none: every child is started directly"],
    ...rejected.map(({ path, why }) => ["", `not ${path}: ${why}`]),
    ["OOMEXEC_EXEMPT", list(exempt)],
    ["OOMEXEC_PIN", list(pin)],
    ["OOMEXEC_SCORE", score ?? 1000],
    ["OOMEXEC_LOG", env.OOMEXEC_LOG || "(none)"],
  ];
  return rows.map(([name, value]) => `${name.padEnd(16)}${value}`).join("\n");
}
