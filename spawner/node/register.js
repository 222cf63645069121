// Starts every child of this Node through prepare(), as `node --import=FILE gateway.js`.
// As a program, `node FILE`, it prints the settings.

import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decider } from "./lib/register/decide.js";
import { patchAsync, patchPty, patchSync } from "./lib/register/patch.js";
import { describe, readSettings } from "./lib/register/settings.js";

// Two copies of this package must not wrap a child twice.
const REGISTERED = Symbol.for("oomexec.register");

if (isProgram()) {
  console.log(describe(process.env, import.meta.url));
} else if (process.platform === "linux" && !process[REGISTERED]) {
  Object.defineProperty(process, REGISTERED, { value: true });
  const decide = decider(readSettings(process.env), import.meta.url);
  patchAsync(decide);
  patchSync(decide);
  patchPty(decide);
}

function isProgram() {
  try {
    return realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
  } catch {
    // There is no script: -e, or an interactive Node.
    return false;
  }
}
