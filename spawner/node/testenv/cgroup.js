// Makes a memory cgroup below our own, or below the nearest ancestor that allows it: on v2 a cgroup
// that contains processes gives its children no memory controller.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readOomKills } from "../index.js";

/** Returns the cgroup's directory; undefined if none can be made. */
export function newCgroup(t, limit) {
  const own = readOomKills()?.file;
  let parent = own === undefined ? "/sys/fs/cgroup" : dirname(own);
  for (; existsSync(join(parent, "cgroup.procs")); parent = dirname(parent)) {
    const cgroup = join(parent, `oomexec-node-${process.pid}`);
    try {
      mkdirSync(cgroup);
    } catch {
      continue;
    }
    if (setLimit(cgroup, limit)) {
      t.after(() => remove(cgroup));
      return cgroup;
    }
    rmdirSync(cgroup);
  }
  return undefined;
}

function setLimit(cgroup, limit) {
  for (const [memory, swap, swapLimit] of [
    ["memory.max", "memory.swap.max", 0],
    ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes", limit],
  ]) {
    if (!existsSync(join(cgroup, memory))) continue;
    try {
      writeFileSync(join(cgroup, memory), String(limit));
    } catch {
      return false;
    }
    // Not every kernel accounts swap.
    if (existsSync(join(cgroup, swap))) writeFileSync(join(cgroup, swap), String(swapLimit));
    return true;
  }
  return false;
}

// The kernel takes a moment to release the last process.
async function remove(cgroup) {
  for (let tries = 100; ; tries--) {
    try {
      return rmdirSync(cgroup);
    } catch (error) {
      if (tries === 0) throw error;
      await sleep(50);
    }
  }
}
