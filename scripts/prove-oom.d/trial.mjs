// One trial: a gateway and what it starts, in a cgroup of their own, until the
// kernel has had to kill.

import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { Cgroup } from './cgroup.mjs';
import { openKernelLog, victims } from './kernel-log.mjs';

/** How long the gateway may take to answer when it is asked whether it lives. */
const ANSWER = 30_000;

/** Whether pids in the kernel's log are those that this process sees: in the first pid namespace, by its fixed number. */
const SAME_PIDS = pidNamespace('self') === 'pid:[4026531836]';

/** The cgroup of the trial that runs, to be removed if the run is interrupted. */
let running;

/** Ends the trial that runs, if one does. */
export function abandon() {
  running?.remove();
}

/**
 * Runs a trial and says how it ended:
 *   outcome   'died' or 'survived', the gateway; 'void' if the trial shows nothing
 *   why       of a void one what was missing; of a gateway that died without
 *             being killed (it no longer answers) what was seen
 *   victims   whom the kernel killed, in order: {role, name, pid, score, rss, line?}
 *   kills     how many it killed, by the cgroup's counter
 *   left      how many processes the gateway left behind when it died
 *   pages     how many tabs a browser had opened
 *   sandboxed whether one of them was in a pid namespace of its own
 *   ended     how a browser ended that was not killed for want of memory
 */
export async function runTrial({ place, name, limit, command, env, cwd, after, patience }) {
  const group = new Cgroup(place, name, limit);
  running = group;
  const log = openKernelLog();
  try {
    return await new Trial(group, log, limit, command, { env, cwd }).run(after, patience);
  } finally {
    log?.close();
    group.remove();
    running = undefined;
  }
}

class Trial {
  #group;
  #log;
  #limit;
  #gateway;
  #events = []; // what the gateway told, with the time
  #exit; // how the gateway ended
  #seen = new Map(); // pid: what was in the cgroup, as it was last seen
  #sandboxed = false;
  #messages = []; // of the kernel, since the start

  constructor(group, log, limit, command, options) {
    this.#group = group;
    this.#log = log;
    this.#limit = limit;
    // It joins the cgroup before its first page is touched, so that all it has is charged there.
    const join = ['-c', 'echo $$ > "$0" && exec "$@"', group.procs];
    this.#gateway = spawn('/bin/sh', [...join, ...command], {
      ...options,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#gateway.on(
      'exit',
      (code, signal) => (this.#exit = { code, signal, at: Date.now(), left: group.processes().length }),
    );
    this.#gateway.stdin.on('error', () => {}); // it died before it was asked
    createInterface({ input: this.#gateway.stdout }).on('line', (line) =>
      this.#events.push({ ...JSON.parse(line), at: Date.now() }),
    );
  }

  async run(after, patience) {
    const start = Date.now();
    let firstLoss;
    let why;
    while (!this.#exit && !why) {
      await sleep(100);
      this.#observe();
      const kills = this.#group.oomKills();
      if (kills > 0 && this.#lost()) firstLoss ??= Date.now();
      if (firstLoss && Date.now() - firstLoss > after) break;
      if (kills > 0 && this.#told('gone', 'browser')) break;
      if (kills === 0) why = this.#broken();
      if (!firstLoss && Date.now() - start > patience) why ??= this.#tooLittle(kills, patience);
    }
    const silent = this.#exit || why ? undefined : await this.#ask();
    await sleep(200); // for the last lines of the gateway and of the kernel
    return { ...this.#record(), ...this.#outcome(why, silent) };
  }

  /** Why the trial cannot go on, before the kernel has killed anything. */
  #broken() {
    const broken = this.#told('broken');
    const gone = this.#told('gone');
    // SIGKILL before the counter was read again is the kernel's: the next look tells.
    if (gone && gone.signal !== 'SIGKILL')
      return `the ${gone.role} ended, ${ending(gone)}: ${gone.last.trim() || 'it said nothing'}`;
    return broken?.why;
  }

  /**
   * Whether the kernel has killed something that holds memory. A browser's
   * crashpad handlers, a few MiB, are often the first to go; that relieves
   * nobody, and the choice that counts is still to come.
   */
  #lost() {
    const large = this.#killed().some(({ rss }) => rss > this.#limit / 100);
    return large || this.#events.some(({ event, signal }) => event === 'crash' || signal === 'SIGKILL');
  }

  /** Whom the kernel says it killed. */
  #killed() {
    this.#messages.push(...(this.#log?.read() ?? []));
    return victims(this.#messages, this.#group.name, SAME_PIDS ? this.#seen.keys() : []);
  }

  #tooLittle(kills, patience) {
    const peak = this.#group.peak();
    const most = Number.isNaN(peak) ? '' : `, with ${Math.round(peak / 2 ** 20)} MiB in use at most`;
    const killed = kills === 0 ? 'nothing' : `nothing but ${kills} small processes`;
    return `the kernel killed ${killed} in ${patience / 1000} s${most}`;
  }

  /** Asks the gateway whether it lives. Says what is wrong if it neither answers as it should nor dies. */
  async #ask() {
    this.#gateway.stdin.write('ping\n');
    for (const end = Date.now() + ANSWER; Date.now() < end; await sleep(50)) {
      if (this.#exit) return undefined;
      const pong = this.#told('pong');
      if (pong) return pong.intact ? undefined : 'THE GATEWAY LOST WHAT IT HELD';
    }
    return `THE GATEWAY DID NOT ANSWER in ${ANSWER / 1000} s`;
  }

  /** What became of the gateway. Once it holds its share, its death is never void, whatever else went wrong. */
  #outcome(why, silent) {
    const killed = this.#exit?.signal === 'SIGKILL' && this.#group.oomKills() > 0;
    if (killed && this.#told('ready')) return { outcome: 'died' };
    if (killed) return { outcome: 'void', why: 'the gateway was killed before it held its share' };
    if (this.#exit) return { outcome: 'void', why: `the gateway ended, ${ending(this.#exit)}` };
    if (silent) return { outcome: 'died', why: silent };
    return why ? { outcome: 'void', why } : { outcome: 'survived' };
  }

  #record() {
    const kills = this.#group.oomKills();
    const killed = this.#killed().map((victim) => ({ ...victim, role: this.#role(victim) }));
    const listed = killed.length ? killed : this.#recorded();
    const browser = this.#told('gone', 'browser');
    return {
      kills,
      victims: listed,
      left: this.#exit?.left,
      pages: this.#events.filter(({ event }) => event === 'page').length,
      sandboxed: this.#sandboxed,
      ended: browser && !listed.some(({ role }) => role === 'browser') ? ending(browser) : undefined,
    };
  }

  /** The gateway's own record, for where the kernel's log cannot be read: who ended by SIGKILL, and when. */
  #recorded() {
    const ends = this.#events.filter(({ event, signal }) => event === 'gone' && signal === 'SIGKILL');
    if (this.#exit?.signal === 'SIGKILL')
      ends.push({ role: 'gateway', pid: this.#gateway.pid, at: this.#exit.at });
    ends.sort((one, other) => one.at - other.at);
    const crashed = this.#events.filter(({ event }) => event === 'crash').map(() => ({ role: 'tab' }));
    return [...ends, ...crashed].map(({ role, pid }) => ({ ...this.#seen.get(pid), role, pid }));
  }

  /** What part a victim had. */
  #role({ pid, name }) {
    // A child has the gateway's name between its fork and its exec.
    if (name === 'gateway')
      return (SAME_PIDS ? pid === this.#gateway.pid : this.#exit) ? 'gateway' : 'child before its exec';
    const seen = SAME_PIDS ? this.#seen.get(pid)?.role : undefined;
    return seen ?? roleByName(name);
  }

  /** Looks at each process in the cgroup. What it is, a process may tell only some time after its fork. */
  #observe() {
    for (const pid of this.#group.processes()) {
      const known = this.#seen.get(pid) ?? { since: Date.now() };
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        known.name = /^Name:\s+(.*)$/m.exec(status)[1];
        known.rss = 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]); // a zombie has no such line
        known.score = Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
        if (Date.now() - known.since < 5000) known.role = this.#roleNow(pid, known.name);
        if (known.role === 'tab') this.#sandboxed ||= pidNamespace(pid) !== pidNamespace('self');
      } catch {
        continue; // it ended meanwhile
      }
      this.#seen.set(pid, known);
    }
  }

  #roleNow(pid, name) {
    if (pid === this.#gateway.pid) return 'gateway';
    if (
      this.#events.some((event) => event.event === 'started' && event.role === 'browser' && event.pid === pid)
    )
      return 'browser';
    const type = /--type=([a-z-]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
    return (
      { renderer: 'tab', 'gpu-process': 'GPU process', utility: 'utility process', zygote: 'zygote' }[type] ??
      roleByName(name)
    );
  }

  #told(event, role) {
    return this.#events.find((each) => each.event === event && (!role || each.role === role));
  }
}

function pidNamespace(pid) {
  return readlinkSync(`/proc/${pid}/ns/pid`);
}

function roleByName(name) {
  if (name.startsWith('chrome_crashpad')) return 'crashpad handler';
  return { 'growing-child': 'child', node: 'child' }[name] ?? name;
}

function ending({ code, signal }) {
  return signal ? `by ${signal}` : `with status ${code}`;
}
