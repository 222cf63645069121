// The launchers that prove-oom and bench-spawn compare.

import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SHIM } from "../../spawner/node/lib/script.js";

/** The top folder of the repository. */
export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The words in front of the command, by the launcher's name. */
export function launchers(oomexec) {
  return {
    direct: [],
    shim: ["/bin/sh", "-c", SHIM],
    choom: [onPath("choom") ?? "choom", "-n", "1000", "--"],
    oomexec: [oomexec, "--"],
    pin: [oomexec, "--pin", "--"],
  };
}

/** Returns the first executable file of this name on PATH, if any. */
export function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => resolve(folder, name)).find(isExecutable);
}

/**
 * Returns the oomexec to test: the file in OOMEXEC, else the release build of this
 * repository, which cargo (if there is one) first brings up to date.
 */
export function findOomexec() {
  if (process.env.OOMEXEC) {
    const file = resolve(process.env.OOMEXEC);
    if (!isExecutable(file)) throw new Error(`OOMEXEC=${file} is not an executable file`);
    return file;
  }
  const file = join(process.env.CARGO_TARGET_DIR ?? join(repository, "target"), "release/oomexec");
  if (onPath("cargo")) {
    const build = ["build", "--quiet", "--release", "--locked", "--bin", "oomexec"];
    // cargo's stdout goes to stderr: stdout is for the tables.
    const { status } = spawnSync("cargo", build, { cwd: repository, stdio: ["ignore", 2, 2] });
    if (status !== 0)
      throw new Error("cargo cannot build oomexec: see above, or set OOMEXEC to a built one");
  }
  if (!isExecutable(file))
    throw new Error(`no ${file}: install cargo, or set OOMEXEC to a built oomexec`);
  return file;
}

/** Whether this is an executable file, or a link to one. */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
