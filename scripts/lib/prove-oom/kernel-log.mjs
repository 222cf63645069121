// Reads from the kernel's log, /dev/kmsg, whom the kernel killed.

import { closeSync, constants, openSync, readSync } from "node:fs";

/** Opens the log at its end; undefined where this process may not read it. */
export function openKernelLog() {
  try {
    const log = new KernelLog(openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK));
    log.read(); // skip the old records
    return log;
  } catch {
    return undefined;
  }
}

class KernelLog {
  #file;
  #buffer = Buffer.alloc(16 * 1024);

  constructor(file) {
    this.#file = file;
  }

  /**
   * Returns the messages since the last call. One read() gives one record:
   * "priority,number,time,flags;message".
   */
  read() {
    const messages = [];
    for (;;) {
      try {
        const size = readSync(this.#file, this.#buffer);
        if (size === 0) return messages; // a container may have /dev/null in its place
        const record = this.#buffer.toString("utf8", 0, size);
        messages.push(record.slice(record.indexOf(";") + 1).split("\n")[0]);
      } catch (error) {
        if (error.code === "EAGAIN") return messages;
        // EPIPE: records were overwritten; go on with the next.
        if (error.code !== "EPIPE") throw error;
      }
    }
  }

  close() {
    closeSync(this.#file);
  }
}

/**
 * Returns the victims in the messages, in order: those killed in the cgroup of this name, or
 * with a pid in `pids`. Both, because the kernel limits the rate of the line with the cgroup,
 * and its pids mean nothing in another pid namespace.
 */
export function victims(messages, cgroup, pids) {
  const ours = new Set(pids);
  const found = [];
  for (const message of messages) {
    const where = /^oom-kill:.*oom_memcg=([^,]*),.*pid=(\d+)/.exec(message);
    if (where?.[1].endsWith(`/${cgroup}`)) ours.add(Number(where[2]));
    const killed =
      /^Memory cgroup out of memory: Killed process (\d+) \((.*)\) total-vm:(.*)$/.exec(message);
    if (!killed || !ours.has(Number(killed[1]))) continue;
    const rss = [...killed[3].matchAll(/(?:anon|file|shmem)-rss:(\d+)kB/g)].reduce(
      (sum, [, kb]) => sum + 1024 * kb,
      0,
    );
    const score = Number(/oom_score_adj:(-?\d+)/.exec(killed[3])?.[1]);
    found.push({ pid: Number(killed[1]), name: killed[2], rss, score, line: message });
  }
  return found;
}
