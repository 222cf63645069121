// One trial: runs a gateway and what it starts, in a cgroup of their own, until the kernel
// kills.

import { spawn } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { Cgroup } from "./cgroup.mjs";
import { openKernelLog, victims } from "./kernel-log.mjs";

/** The time between two looks at the cgroup. */
export const LOOK = 50;
/** How long the gateway may take to answer a ping. */
const ANSWER = 30_000;

/**
 * Whether this process sees the pids in the kernel's log: in the first pid namespace, by its fixed
 * number.
 */
const SAME_PIDS = pidNamespace("self") === "pid:[4026531836]";

/** The cgroup of the running trial, removed if the run is interrupted. */
let running;

/** Ends the running trial, if any. */
export function abandon() {
  running?.remove();
}

/**
 * Runs a trial and returns how it ended:
 *   outcome   'died' or 'survived', the gateway; 'void' if the trial shows nothing
 *   why       why the trial is void; or why the gateway counts as dead although it was not
 *             killed (it no longer answers)
 *   victims   whom the kernel killed, in order: {role, name, pid, score, rss, line?}
 *   kills     how many it killed, by the cgroup's counter
 *   left      how many processes the gateway left behind when it died
 *   pages     how many tabs a browser had opened
 *   sandboxed whether a tab was in a pid namespace of its own
 *   ended     how the browser ended, if the OOM killer did not kill it
 *   scores    the values of oom_score_adj: {gateway, children}, an array of each different one
 *   samples   what each look saw, in order: {at, gateway, others, kills}: milliseconds since the
 *             start, anonymous memory in bytes (the gateway's is undefined once it is dead), kills
 *             so far. The processes share the pages of files: a sum would count those many times.
 * It goes on for `after` milliseconds after the first kill that counts. The gateway's death ends
 * it at once, unless `whole` is set.
 */
export async function runTrial({ place, name, limit, command, env, cwd, after, patience, whole }) {
  const group = new Cgroup(place, name, limit);
  running = group;
  const log = openKernelLog();
  try {
    return await new Trial(group, log, limit, command, { env, cwd }).run({
      after,
      patience,
      whole,
    });
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
  #events = []; // what the gateway reported, with the time
  #exit; // how the gateway ended
  #seen = new Map(); // the processes of the cgroup as last seen, by pid
  #samples = []; // what each look saw
  #sandboxed = false;
  #messages = []; // of the kernel's log, since the start

  constructor(group, log, limit, command, options) {
    this.#group = group;
    this.#log = log;
    this.#limit = limit;
    // It joins the cgroup before its exec, so that all its memory is charged there.
    const join = ["-c", 'echo $$ > "$0" && exec "$@"', group.procs];
    this.#gateway = spawn("/bin/sh", [...join, ...command], {
      ...options,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#gateway.on(
      "exit",
      (code, signal) =>
        (this.#exit = { code, signal, at: Date.now(), left: group.processes().length }),
    );
    this.#gateway.stdin.on("error", () => {}); // it died before it was asked
    createInterface({ input: this.#gateway.stdout }).on("line", (line) =>
      this.#events.push({ ...JSON.parse(line), at: Date.now() }),
    );
  }

  async run({ after, patience, whole }) {
    const start = Date.now();
    let firstLoss;
    let why;
    const over = () => this.#exit && !(whole && this.#group.oomKills() > 0);
    while (!why && !over()) {
      await sleep(LOOK);
      const memory = this.#observe();
      const kills = this.#group.oomKills();
      this.#samples.push({ at: Date.now() - start, ...memory, kills });
      if (kills > 0 && this.#lost()) firstLoss ??= Date.now();
      if (firstLoss && Date.now() - firstLoss > after) break;
      if (kills > 0 && this.#told("gone", "browser")) break;
      if (kills === 0) why = this.#broken();
      if (!firstLoss && Date.now() - start > patience) why ??= this.#tooLittle(kills, patience);
    }
    const silent = this.#exit || why ? undefined : await this.#ask();
    await sleep(200); // wait for the last lines of the gateway and the kernel
    return { ...this.#record(), ...this.#outcome(why, silent) };
  }

  /** Returns why the trial cannot go on, if the kernel has not killed yet. */
  #broken() {
    const broken = this.#told("broken");
    const gone = this.#told("gone");
    // A SIGKILL is the kernel's: the counter shows it at the next look.
    if (gone && gone.signal !== "SIGKILL")
      return `the ${gone.role} ended, ${ending(gone)}: ${gone.last.trim() || "it said nothing"}`;
    return broken?.why;
  }

  /**
   * Whether the kernel has killed a process with much memory. It often kills a browser's
   * crashpad handlers first, a few MiB each; that frees too little, and the kill that counts
   * comes later.
   */
  #lost() {
    const large = this.#killed().some(({ rss }) => rss > this.#limit / 100);
    return (
      large ||
      this.#exit !== undefined ||
      this.#events.some(({ event, signal }) => event === "crash" || signal === "SIGKILL")
    );
  }

  /** Returns the victims in the kernel's log. */
  #killed() {
    this.#messages.push(...(this.#log?.read() ?? []));
    return victims(this.#messages, this.#group.name, SAME_PIDS ? this.#seen.keys() : []);
  }

  #tooLittle(kills, patience) {
    const peak = this.#group.peak();
    const most = Number.isNaN(peak)
      ? ""
      : `, with ${Math.round(peak / 2 ** 20)} MiB in use at most`;
    const killed = kills === 0 ? "nothing" : `nothing but ${kills} small processes`;
    return `the kernel killed ${killed} in ${patience / 1000} s${most}`;
  }

  /** Pings the gateway. Returns what is wrong if it neither answers correctly nor dies. */
  async #ask() {
    this.#gateway.stdin.write("ping\n");
    for (const end = Date.now() + ANSWER; Date.now() < end; await sleep(50)) {
      if (this.#exit) return undefined;
      const pong = this.#told("pong");
      if (pong) return pong.intact ? undefined : "THE GATEWAY LOST WHAT IT HELD";
    }
    return `THE GATEWAY DID NOT ANSWER in ${ANSWER / 1000} s`;
  }

  /** Returns what happened to the gateway. Once it holds its share, its death always counts. */
  #outcome(why, silent) {
    const killed = this.#exit?.signal === "SIGKILL" && this.#group.oomKills() > 0;
    if (killed && this.#told("ready")) return { outcome: "died" };
    if (killed) return { outcome: "void", why: "the gateway was killed before it held its share" };
    if (this.#exit) return { outcome: "void", why: `the gateway ended, ${ending(this.#exit)}` };
    if (silent) return { outcome: "died", why: silent };
    return why ? { outcome: "void", why } : { outcome: "survived" };
  }

  #record() {
    const kills = this.#group.oomKills();
    const killed = this.#killed().map((victim) => ({ ...victim, role: this.#role(victim) }));
    const listed = killed.length ? killed : this.#recorded();
    const browser = this.#told("gone", "browser");
    // A child that has its own name is past the launcher.
    const children = [...this.#seen.values()].filter(({ name }) => name === "growing-child");
    return {
      kills,
      victims: listed,
      left: this.#exit?.left,
      pages: this.#events.filter(({ event }) => event === "page").length,
      sandboxed: this.#sandboxed,
      scores: {
        gateway: this.#seen.get(this.#gateway.pid)?.score,
        children: [...new Set(children.map(({ score }) => score))],
      },
      samples: this.#samples,
      ended:
        browser && !listed.some(({ role }) => role === "browser") ? ending(browser) : undefined,
    };
  }

  /** The victims by the gateway's own record, where the kernel's log cannot be read. */
  #recorded() {
    const ends = this.#events.filter(
      ({ event, signal }) => event === "gone" && signal === "SIGKILL",
    );
    if (this.#exit?.signal === "SIGKILL")
      ends.push({ role: "gateway", pid: this.#gateway.pid, at: this.#exit.at });
    ends.sort((one, other) => one.at - other.at);
    const crashed = this.#events
      .filter(({ event }) => event === "crash")
      .map(() => ({ role: "tab" }));
    return [...ends, ...crashed].map(({ role, pid }) => ({ ...this.#seen.get(pid), role, pid }));
  }

  /** Returns the role of a victim. */
  #role({ pid, name }) {
    // A child has the gateway's name between its fork and its exec.
    if (name === "gateway")
      return (SAME_PIDS ? pid === this.#gateway.pid : this.#exit)
        ? "gateway"
        : "child before its exec";
    const seen = SAME_PIDS ? this.#seen.get(pid)?.role : undefined;
    return seen ?? roleByName(name);
  }

  /**
   * Looks at each process in the cgroup. Its role may only show some time after its fork.
   * Returns the anonymous memory in bytes: the gateway's (undefined if it is dead), all others'.
   */
  #observe() {
    let gateway;
    let others = 0;
    for (const pid of this.#group.processes()) {
      const known = this.#seen.get(pid) ?? { since: Date.now() };
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        known.name = /^Name:\s+(.*)$/m.exec(status)[1];
        known.rss = 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]); // a zombie has no such line
        const anonymous = 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(status)[1]);
        if (pid === this.#gateway.pid) gateway = anonymous;
        // Until its exec a child shares the gateway's pages, and has its name.
        else if (known.name !== "gateway") others += anonymous;
        known.score = Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
        if (Date.now() - known.since < 5000) known.role = this.#roleNow(pid, known.name);
        if (known.role === "tab") this.#sandboxed ||= pidNamespace(pid) !== pidNamespace("self");
      } catch {
        continue; // it ended meanwhile
      }
      this.#seen.set(pid, known);
    }
    return { gateway, others };
  }

  #roleNow(pid, name) {
    if (pid === this.#gateway.pid) return "gateway";
    if (
      this.#events.some(
        (event) => event.event === "started" && event.role === "browser" && event.pid === pid,
      )
    )
      return "browser";
    const type = /--type=([a-z-]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, "utf8"))?.[1];
    return (
      {
        renderer: "tab",
        "gpu-process": "GPU process",
        utility: "utility process",
        zygote: "zygote",
      }[type] ?? roleByName(name)
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
  if (name.startsWith("chrome_crashpad")) return "crashpad handler";
  return { "growing-child": "child", node: "child" }[name] ?? name;
}

function ending({ code, signal }) {
  return signal ? `by ${signal}` : `with status ${code}`;
}
