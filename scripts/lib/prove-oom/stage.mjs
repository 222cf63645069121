// The folder of a run: the programs and data of the gateway and its children.

import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Makes it, readable for every user, with copies of the programs. Returns its path. */
export function makeStage(oomexec) {
  const stage = mkdtempSync(join(tmpdir(), "prove-oom-"));
  chmodSync(stage, 0o755);
  const here = dirname(fileURLToPath(import.meta.url));
  for (const file of ["gateway.mjs", "child.mjs"])
    copyFileSync(join(here, file), join(stage, file));
  copyFileSync(oomexec, join(stage, "oomexec"));
  chmodSync(join(stage, "oomexec"), 0o755);
  return stage;
}

/** Makes an empty home for the next trial: a browser must not restore the last session. */
export function makeHome(stage, user) {
  const home = join(stage, "home");
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { mode: 0o700 });
  if (user) chownSync(home, user.uid, user.gid);
  return home;
}
