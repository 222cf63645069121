// Tells which program a child is, from what is given to exec.

import { basename } from "node:path";

const SHELLS = new Set(["ash", "bash", "dash", "ksh", "mksh", "sh", "zsh"]);
// The first word of a script, behind assignments and `exec`.
const ASSIGNMENT = `[A-Za-z_]\\w*=(?:"[^"]*"|'[^']*'|[^\\s"';|&<>()])*\\s+`;
const FIRST_WORD = new RegExp(`^\\s*(?:${ASSIGNMENT}|exec\\s+)*["']?([^\\s"';|&<>()]+)`);

/**
 * Returns the name of the program: the file's, or the first word of a script that a shell is to
 * run, as with `shell: true`. `args` begins with argv[0].
 */
export function programOf(file, args) {
  const name = basename(file);
  if (!SHELLS.has(name)) return name;
  const [, word] = FIRST_WORD.exec(scriptOf(args) ?? "") ?? [];
  return word === undefined ? name : basename(word);
}

// The script behind -c, which may be the last of several options: -lc, -o errexit -c.
function scriptOf([, ...args]) {
  for (let index = 0; /^[-+]/.test(args[index]); index++) {
    if (/^-[a-z]*c$/i.test(args[index])) return args[index + 1];
    if (/^[-+][a-z]*o$/i.test(args[index])) index++;
  }
  return undefined;
}

/** Whether a program raises its score itself: oomexec, or a link as `oomexec--pin@chromium`. */
export function isOomexec(program) {
  return program === "oomexec" || (program.startsWith("oomexec") && program.includes("@"));
}
