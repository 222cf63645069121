// What the kernel itself says of whom it killed: /dev/kmsg.

import { closeSync, constants, openSync, readSync } from 'node:fs';

/** The records from now on; undefined where this process may not read them. */
export function openKernelLog() {
  try {
    const log = new KernelLog(openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK));
    log.read(); // what is there already belongs to others
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

  /** The messages since the last call. One read() gives one record: "priority,number,time,flags;message". */
  read() {
    const messages = [];
    for (;;) {
      try {
        const size = readSync(this.#file, this.#buffer);
        if (size === 0) return messages; // a container may have /dev/null in its place
        const record = this.#buffer.toString('utf8', 0, size);
        messages.push(record.slice(record.indexOf(';') + 1).split('\n')[0]);
      } catch (error) {
        if (error.code === 'EAGAIN') return messages;
        if (error.code !== 'EPIPE') throw error; // EPIPE: records were overwritten before we came; go on with the next
      }
    }
  }

  close() {
    closeSync(this.#file);
  }
}

/**
 * The victims among the messages, in the kernel's order: those that it says it
 * killed in the cgroup of this name, or whose pid is one of `pids`. Both,
 * because the line with the cgroup is left out when there are many, and a pid
 * means nothing to us in another pid namespace than the kernel's.
 */
export function victims(messages, cgroup, pids) {
  const ours = new Set(pids);
  const found = [];
  for (const message of messages) {
    const where = /^oom-kill:.*oom_memcg=([^,]*),.*pid=(\d+)/.exec(message);
    if (where?.[1].endsWith(`/${cgroup}`)) ours.add(Number(where[2]));
    const killed = /^Memory cgroup out of memory: Killed process (\d+) \((.*)\) total-vm:(.*)$/.exec(message);
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
