// Explains why a child ended, from the kernel's counters.

import { readFileSync } from "node:fs";

/**
 * Reads the OOM kill count of a memory cgroup and returns it with its file; undefined if there is
 * none. `of` is "self", a pid, or an earlier reading: its file is read again, since an ended
 * child's pid says nothing.
 */
export function readOomKills(of = "self") {
  if (typeof of === "object") return of === null ? undefined : readCounter(of.file);
  let lines, mounts;
  try {
    lines = readFileSync(`/proc/${of}/cgroup`, "utf8").split("\n");
    mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  } catch {
    return undefined;
  }
  for (const { path, type, file } of memberships(lines)) {
    for (const mount of mounts) {
      const directory = directoryIn(mount, type, path);
      for (const candidate of upwards(directory)) {
        const counter = readCounter(`${candidate}/${file}`);
        if (counter !== undefined) return counter;
      }
    }
  }
  return undefined;
}

// Parses /proc/PID/cgroup, with lines like 4:memory:/path (v1) or 0::/path (v2). If both exist,
// memory is on v1.
function* memberships(lines) {
  for (const version of [1, 2]) {
    for (const line of lines) {
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (version === 1 && controllers?.split(",").includes("memory")) {
        yield { path, type: "cgroup", file: "memory.oom_control" };
      }
      if (version === 2 && controllers === "")
        yield { path, type: "cgroup2", file: "memory.events" };
    }
  }
}

// Parses a line of mountinfo: id parent major:minor ROOT POINT options... - TYPE source SUPER
function directoryIn(mount, type, path) {
  const [left, right] = mount.split(" - ");
  if (right === undefined) return undefined;
  const [mountType, , superOptions = ""] = right.split(" ");
  if (mountType !== type || (type === "cgroup" && !superOptions.split(",").includes("memory")))
    return undefined;
  const [root, point] = left.split(" ").slice(3, 5).map(decode);
  if (root === "/") return { point, below: path === "/" ? "" : path };
  return path === root || path.startsWith(`${root}/`)
    ? { point, below: path.slice(root.length) }
    : undefined;
}

function decode(field) {
  return field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}

// A cgroup without its own memory counter is counted in the nearest one above that has one. In a
// container the mount point may be the process's own cgroup, while /proc names it by the host's
// path.
function* upwards(directory) {
  if (directory === undefined) return;
  let { point, below } = directory;
  for (; below !== ""; below = below.slice(0, below.lastIndexOf("/"))) yield point + below;
  yield point;
}

function readCounter(file) {
  try {
    const [, kills] = /^oom_kill (\d+)$/m.exec(readFileSync(file, "utf8")) ?? [];
    return kills === undefined ? undefined : { file, kills: Number(kills) };
  } catch {
    return undefined;
  }
}

/**
 * Explains why a child ended. `before` and `after` are readOomKills() from before its start and
 * after its exit. The kernel counts a kill before it sends the signal, so the second reading never
 * comes too early.
 */
export function explainExit({ code, signal, wrapped, before, after }) {
  if (signal === "SIGKILL") return explainKill("ended by SIGKILL", before, after);
  if (signal) return { kind: "signal", text: `ended by ${signal}` };
  // A shell or an init exits with 137 when SIGKILL ended its own child.
  if (code === 137)
    return explainKill("exit status 137: a process below it was ended by SIGKILL", before, after);
  if (wrapped && code === 127) {
    return {
      kind: "not-found",
      text: "exit status 127: the command, or one that it runs, was not found",
    };
  }
  if (wrapped && code === 126) {
    return {
      kind: "cannot-run",
      text: "exit status 126: the command, or one that it runs, was found but cannot be run",
    };
  }
  return { kind: "exit", text: `exit status ${code}` };
}

function explainKill(how, before, after) {
  if (!before || !after || before.file !== after.file || after.kills < before.kills) {
    return {
      kind: "killed-unknown",
      text: `${how}; whether memory ran out is not known: no counter to compare`,
    };
  }
  const kills = after.kills - before.kills;
  if (kills === 0) {
    return {
      kind: "killed",
      text: `${how}, not by the kernel's OOM killer: it killed nothing in the cgroup meanwhile`,
    };
  }
  const what = kills === 1 ? "1 process" : `${kills} processes`;
  return {
    kind: "oom-killed",
    text: `${how}: memory ran out, the kernel's OOM killer killed ${what} in the cgroup meanwhile`,
  };
}
