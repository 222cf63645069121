// Unwraps the shim by which a gateway already starts a child: the command that it becomes.
// The forms are those of oomexec's own src/shim.rs.

import { SHIM, spawnerScript } from "../script.js";

// openclaw's longer form carries these past the shell, which would act on them, by other names.
const CARRIED = ["BASH_ENV", "ENV", "CDPATH", "PS4"];
const CARRIER = "OC_INTERNAL_OOM_EXEC_";

const [RAISE, EXEC] = SHIM.split(/ (?=exec)/);
const RESTORE = CARRIED.map((name) => {
  const carrier = CARRIER + name;
  const restore = `${name}="$${carrier}"; export ${name};`;
  return `if [ "\${${carrier}+x}" = x ]; then ${restore} fi; unset ${carrier};`;
});
const LONGER_SHIM = [RAISE, ...RESTORE, EXEC].join(" ");

/**
 * Returns the command behind a shim, as { file, args, envPairs, score }; undefined if it is none.
 * `score` is that of this package's own script, which its caller chose.
 */
export function unwrap({ file, args, envPairs }) {
  const [, option, script, ...command] = args;
  if (file !== "/bin/sh" || option !== "-c" || command.length === 0) return undefined;
  const [, score] = /^echo (-?\d{1,4}) /.exec(script) ?? [];
  const isOwn = script === spawnerScript(score);
  // prepare() knows openclaw's by its begin and end; to leave a shell out, all of it must be known.
  if (!isOwn && script !== SHIM && script !== LONGER_SHIM) return undefined;
  return {
    file: command[0],
    args: command,
    envPairs: envPairs && restored(envPairs),
    score: isOwn ? Number(score) : undefined,
  };
}

function restored(envPairs) {
  const nameOf = (pair) => pair.slice(0, pair.indexOf("="));
  const carried = envPairs
    .filter((pair) => pair.startsWith(CARRIER))
    .map((pair) => pair.slice(CARRIER.length));
  if (carried.length === 0) return envPairs;
  const names = new Set(carried.map(nameOf));
  return [
    ...envPairs.filter((pair) => !pair.startsWith(CARRIER) && !names.has(nameOf(pair))),
    ...carried,
  ];
}
