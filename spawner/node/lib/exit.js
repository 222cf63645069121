// Why a child ended: read from the kernel's counters, not guessed.

import { readFileSync } from "node:fs";

/**
 * The kernel's count of OOM kills in a cgroup, with the file that it came from; undefined where there is none.
 * `of`: "self", a pid, or an earlier reading, whose file is read again (after the child is gone, its pid says nothing).
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

// A line of /proc/PID/cgroup: 4:memory:/path (v1) or 0::/path (v2). Where both are there, memory is v1's.
function* memberships(lines) {
  for (const version of [1, 2]) {
    for (const line of lines) {
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (version === 1 && controllers?.split(",").includes("memory")) {
        yield { path, type: "cgroup", file: "memory.oom_control" };
      }
      if (version === 2 && controllers === "") yield { path, type: "cgroup2", file: "memory.events" };
    }
  }
}

// A line of mountinfo: id parent major:minor ROOT POINT options... - TYPE source SUPER
function directoryIn(mount, type, path) {
  const [left, right] = mount.split(" - ");
  if (right === undefined) return undefined;
  const [mountType, , superOptions = ""] = right.split(" ");
  if (mountType !== type || (type === "cgroup" && !superOptions.split(",").includes("memory"))) return undefined;
  const [root, point] = left.split(" ").slice(3, 5).map(decode);
  if (root === "/") return { point, below: path === "/" ? "" : path };
  return path === root || path.startsWith(`${root}/`) ? { point, below: path.slice(root.length) } : undefined;
}

function decode(field) {
  return field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}

// A cgroup whose memory is not counted apart is counted in the next one above that is; and a container may see
// its own cgroup at the mount point while /proc names it by the host's path.
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
 * Says why a child ended. `before` and `after` are readOomKills() from before its start and after its end: the
 * kernel counts a kill before it sends the signal, so the second reading never comes too early.
 */
export function explainExit({ code, signal, wrapped, before, after }) {
  if (signal === "SIGKILL") return explainKill("ended by SIGKILL", before, after);
  if (signal) return { kind: "signal", text: `ended by ${signal}` };
  // A shell or an init reports the signal that ended its own child so.
  if (code === 137) return explainKill("exit status 137: a process below it was ended by SIGKILL", before, after);
  if (wrapped && code === 127) {
    return { kind: "not-found", text: "exit status 127: the command, or one that it runs, was not found" };
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
    return { kind: "killed-unknown", text: `${how}; whether memory ran out is not known: no counter to compare` };
  }
  const kills = after.kills - before.kills;
  if (kills === 0) {
    return { kind: "killed", text: `${how}, not by the kernel's OOM killer: it killed nothing in the cgroup meanwhile` };
  }
  const what = kills === 1 ? "1 process" : `${kills} processes`;
  return { kind: "oom-killed", text: `${how}: memory ran out, the kernel's OOM killer killed ${what} in the cgroup meanwhile` };
}
