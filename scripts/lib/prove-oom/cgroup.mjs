// A memory cgroup of our own, v1 or v2, below that of this process.
//
// Everything is synchronous: it must also work while the process exits.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** No cgroup can be made here. This has an exit status of its own. */
export class NoCgroup extends Error {}

/** Memory that must remain available above our limit. */
const SLACK = 64 * 2 ** 20;

/**
 * Finds where a memory cgroup with this limit can be made; makes and removes one to be sure.
 * Throws NoCgroup, with advice, where that fails. The place's `leave()` undoes its changes.
 */
export function findPlace(limit) {
  const place = memoryV1() ?? memoryV2();
  try {
    checkRoom(place, limit);
    const probe = new Cgroup(place, `prove-oom-probe-${process.pid}`, limit);
    probe.oomKills(); // throws where the kernel does not count
    probe.remove();
  } catch (error) {
    place.leave();
    throw error;
  }
  return place;
}

/** The cgroup of this process in the v1 memory hierarchy, if there is one. */
function memoryV1() {
  const [, , own] =
    ownCgroups().find(([, controllers]) => controllers.split(",").includes("memory")) ?? [];
  if (own === undefined) return undefined;
  const mount = mounts().find(
    ({ type, options }) => type === "cgroup" && options.includes("memory"),
  );
  if (!mount) throw new NoCgroup("the memory controller of cgroup v1 is not mounted: mount it");
  return { version: 1, parent: folder(mount, own), top: mount.point, leave() {} };
}

/**
 * The nearest cgroup of the v2 hierarchy, from that of this process upwards, whose children
 * have the memory controller. In v2 a cgroup with processes cannot enable controllers for
 * its children, except the root.
 */
function memoryV2() {
  const [, , own] = ownCgroups().find(([id]) => id === "0") ?? [];
  const mount = mounts().find(({ type }) => type === "cgroup2");
  if (own === undefined || !mount)
    throw new NoCgroup("no cgroup file system is mounted: run this where one is");
  const first = folder(mount, own);
  const hands = (path) => read(path, "cgroup.subtree_control").split(/\s+/).includes("memory");
  let leave = () => {};
  if (!hands(first) && read(first, "cgroup.controllers").split(/\s+/).includes("memory")) {
    try {
      writeFileSync(join(first, "cgroup.subtree_control"), "+memory");
      leave = () => writeFileSync(join(first, "cgroup.subtree_control"), "-memory");
    } catch {
      // It has processes, or may not be changed; one above may do.
    }
  }
  const parent = upwards(first, mount.point).find(hands);
  if (!parent) {
    throw new NoCgroup(
      `no cgroup from ${first} upwards enables the memory controller for its children: start this as root on the host, ` +
        "or in a container with --privileged and --cgroupns=host",
    );
  }
  return { version: 2, parent, top: mount.point, leave };
}

/** Throws unless the machine and the cgroups above have room: the kernel must kill in ours. */
function checkRoom({ version, parent, top }, limit) {
  const wanted = limit + SLACK;
  const available =
    1024 * Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);
  if (!(available > wanted)) {
    throw new NoCgroup(
      `${mebibytes(available)} of memory are available, ${mebibytes(wanted)} are needed: free some, or give a lower --limit`,
    );
  }
  const [max, usage, cache] =
    version === 1
      ? ["memory.limit_in_bytes", "memory.usage_in_bytes", /^total_(?:in)?active_file (\d+)/gm]
      : ["memory.max", "memory.current", /^(?:in)?active_file (\d+)/gm];
  for (const path of upwards(parent, top)) {
    const most = Number.parseInt(read(path, max), 10); // NaN for "max" and for the root, which has no such file
    if (Number.isNaN(most)) continue;
    const files = [...read(path, "memory.stat").matchAll(cache)].reduce(
      (sum, [, bytes]) => sum + Number(bytes),
      0,
    );
    const room = most - Number(read(path, usage)) + files;
    if (!(room > wanted)) {
      throw new NoCgroup(
        `the cgroup ${path} has room for ${mebibytes(room)}, ${mebibytes(wanted)} are needed: raise its limit, or give a lower --limit`,
      );
    }
  }
}

/** The cgroup of one trial. */
export class Cgroup {
  /** Makes it below the place, with this memory limit and without swap. */
  constructor({ version, parent }, name, limit) {
    this.version = version;
    this.name = name;
    this.path = join(parent, name);
    try {
      mkdirSync(this.path);
    } catch (error) {
      throw new NoCgroup(
        `cannot make a cgroup below ${parent}: ${error.message}: start this as root, ` +
          "in a container with /sys/fs/cgroup mounted read-write",
      );
    }
    try {
      if (version === 1) this.#limitV1(limit);
      else this.#limitV2(limit);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #limitV1(limit) {
    this.#write("memory.limit_in_bytes", limit);
    this.#write("memory.oom_control", 0); // it may inherit a disabled OOM killer
    // With swap a trial ends late, or never. Either file is enough; a kernel may lack the first.
    if (this.#has("memory.memsw.limit_in_bytes")) this.#write("memory.memsw.limit_in_bytes", limit);
    else this.#write("memory.swappiness", 0);
  }

  #limitV2(limit) {
    this.#write("memory.max", limit);
    // Missing in a kernel without swap.
    if (this.#has("memory.swap.max")) this.#write("memory.swap.max", 0);
    this.#write("memory.oom.group", 0); // 1 kills all together, whatever the scores
  }

  /** The file that moves processes into it. */
  get procs() {
    return join(this.path, "cgroup.procs");
  }

  /** The processes in it. */
  processes() {
    return read(this.path, "cgroup.procs").split("\n").filter(Boolean).map(Number);
  }

  /** How many processes the OOM killer has killed in it. */
  oomKills() {
    const file = this.version === 1 ? "memory.oom_control" : "memory.events";
    const count = /^oom_kill (\d+)/m.exec(read(this.path, file))?.[1];
    if (count === undefined)
      throw new NoCgroup(
        `${join(this.path, file)} has no oom_kill counter: this needs Linux 4.13 or later`,
      );
    return Number(count);
  }

  /** The peak of its usage in bytes; NaN where the kernel does not tell. */
  peak() {
    return Number.parseInt(
      read(this.path, this.version === 1 ? "memory.max_usage_in_bytes" : "memory.peak"),
      10,
    );
  }

  /** Kills all its processes, and removes it. */
  remove() {
    for (const end = Date.now() + 20_000; existsSync(this.path); sleep(20)) {
      for (const pid of this.processes()) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It ended meanwhile.
        }
      }
      try {
        rmdirSync(this.path);
      } catch (error) {
        // Busy until the kernel has reaped the last process.
        if (Date.now() > end)
          throw new Error(
            `cannot remove the cgroup ${this.path}: ${error.message}: see its cgroup.procs`,
          );
      }
    }
  }

  #has(file) {
    return existsSync(join(this.path, file));
  }

  #write(file, value) {
    try {
      writeFileSync(join(this.path, file), String(value));
    } catch (error) {
      throw new NoCgroup(
        `cannot set ${file} of a cgroup of our own: ${error.message}: start this as root`,
      );
    }
  }
}

/** The lines of /proc/self/cgroup: hierarchy, controllers, path. The path may hold colons. */
function ownCgroups() {
  const lines = readFileSync("/proc/self/cgroup", "utf8").trim().split("\n");
  return lines.map((line) => /^(\d+):([^:]*):(.*)$/.exec(line).slice(1));
}

/** The mounts: the folder of the file system (root), the mount point, the type and options. */
function mounts() {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
  return lines.map((line) => {
    const [before, after] = line.split(" - ");
    const [, , , root, point] = before.split(" ");
    const [type, , options] = after.split(" ");
    return { root, point, type, options: options.split(",") };
  });
}

/** Where a path of /proc/self/cgroup is below a mount. */
function folder({ root, point }, path) {
  if (path.startsWith("/.."))
    throw new NoCgroup(`the cgroup of this process (${path}) is outside its cgroup namespace`);
  const inside = root !== "/" && path.startsWith(root) ? path.slice(root.length) : path;
  return join(point, inside).replace(/(.)\/$/, "$1");
}

/** The folder and those above it, up to the top. */
function upwards(path, top) {
  return path === top || path.length < top.length
    ? [path]
    : [path, ...upwards(join(path, ".."), top)];
}

/** The text of a cgroup's file; empty if it does not exist. */
function read(path, file) {
  try {
    return readFileSync(join(path, file), "utf8").trim();
  } catch {
    return "";
  }
}

function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function mebibytes(bytes) {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
