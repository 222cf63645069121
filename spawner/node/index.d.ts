import type {
  ChildProcess,
  ChildProcessWithoutNullStreams,
  SpawnOptions,
  SpawnOptionsWithoutStdio,
} from "node:child_process";

/** How a child is started. */
export type Via = "oomexec" | "sh" | "direct";

/** Why it is started that way. */
export type Why =
  /** oomexec is available. */
  | "oomexec"
  /** There is no usable oomexec, but /bin/sh. */
  | "no-oomexec"
  /** The command is already oomexec or a shim. */
  | "already-wrapped"
  | "not-linux"
  /** There is no command. */
  | "empty"
  /** spawn() refuses it: its error says why. */
  | "invalid"
  /** The caller set `exempt`. */
  | "exempt"
  /** OPENCLAW_CHILD_OOM_SCORE_ADJ is 0, false, no or off. */
  | "opted-out"
  /** The child's directory does not exist or cannot be entered. */
  | "no-directory"
  /** The command, or the interpreter of a script, does not exist. */
  | "not-found"
  | "not-executable"
  /** There is neither oomexec nor /bin/sh. */
  | "no-wrapper"
  /** There is only /bin/sh, and the caller set `exactEnv`. */
  | "exact-env"
  /** There is only /bin/sh, and it cannot run a command that begins with `-`. */
  | "dash-command"
  /** There is only /bin/sh, and it cannot set argv[0]. */
  | "argv0";

export interface PrepareOptions {
  /** The child's environment; default: the gateway's. */
  env?: NodeJS.ProcessEnv | undefined;
  /** The child's directory; default: the gateway's. */
  cwd?: string | URL | undefined;
  /** The child's argv[0]. */
  argv0?: string | undefined;
  /** The child's oom_score_adj, a whole number from -1000 to 1000; default: 1000. */
  score?: number | undefined;
  /**
   * Hold the score of a program that sets its own. Only oomexec can. `true`: nothing truncates a
   * file below /proc (Chromium, shells). "write": nothing writes one at all (all other programs);
   * an oomexec that is older than this does what it does for `true`.
   */
  pin?: boolean | "write" | undefined;
  /** Leave each variable as it is: start the child through oomexec or directly, never /bin/sh. */
  exactEnv?: boolean | undefined;
  /** The user and the group that the child becomes: an oomexec that these cannot execute is not used. */
  uid?: number | undefined;
  gid?: number | undefined;
  /**
   * Always start directly.
   * For a transport (docker, podman, ssh): killing it would cut off the work at its other end.
   */
  exempt?: boolean | undefined;
  /** The absolute path of the oomexec to try first; `false`: use none. */
  oomexec?: string | false | undefined;
  /** Default: process.platform. */
  platform?: NodeJS.Platform | undefined;
  /** Returns whether /bin/sh may be used; default: whether it is a regular file. */
  shellAvailable?: (() => boolean) | undefined;
}

/** What to spawn. Pass `env` and `argv0` to spawn() too, in place of your own. */
export interface PreparedSpawn {
  command: string;
  args: string[];
  /**
   * The given object, untouched; with `via` "sh", a copy without the variables that a shell acts
   * on. If none was given, that copy is of the gateway's whole environment.
   */
  env: NodeJS.ProcessEnv | undefined;
  argv0?: string;
  /** Whether the child raises its score. */
  wrapped: boolean;
  via: Via;
  why: Why;
}

/**
 * Decides what to spawn so that the kernel kills the child before the gateway.
 * Hands on what spawn() refuses, so that the error is spawn's own.
 * @throws TypeError or RangeError if `pin` or `score` is not valid; nothing else.
 */
export function prepare(
  command: string,
  args?: readonly string[],
  options?: PrepareOptions,
): PreparedSpawn;

/**
 * `prepare`, under the name of openclaw's function. `via` and `why` are not enumerable in the
 * result: a strict comparison sees openclaw's keys, and a copy has no others.
 */
export function prepareOomScoreAdjustedSpawn(
  command: string,
  args?: readonly string[],
  options?: PrepareOptions,
): PreparedSpawn;

/** The same with `exactEnv`. */
export function prepareOomScoreAdjustedSpawnPreservingExecEnv(
  command: string,
  args?: readonly string[],
  options?: PrepareOptions,
): PreparedSpawn;

/**
 * Prepares and spawns a child. Takes the options of child_process.spawn too, `shell` included.
 * If oomexec goes away meanwhile, for an upgrade, the child is started another way.
 */
export function spawn(
  command: string,
  args?: readonly string[],
  options?: SpawnOptionsWithoutStdio & PrepareOptions,
): ChildProcessWithoutNullStreams;
export function spawn(
  command: string,
  options?: SpawnOptionsWithoutStdio & PrepareOptions,
): ChildProcessWithoutNullStreams;
export function spawn(
  command: string,
  args: readonly string[],
  options: SpawnOptions & PrepareOptions,
): ChildProcess;
export function spawn(command: string, options: SpawnOptions & PrepareOptions): ChildProcess;

/** Why an oomexec is not used. */
export type Rejection =
  | "not-absolute"
  | "not-found"
  | "not-executable"
  /** It is on PATH, and belongs to neither root nor the gateway's user. */
  | "other-owner"
  | "other-machine"
  /**
   * It could not be started, or did not end in time. A slow one is checked again after a minute.
   */
  | "no-answer"
  | "wrong-answer"
  /** The user that the child becomes cannot execute it. */
  | "not-for-user";

/**
 * Returns the oomexec that would be used, for a child of this user, and those rejected before it.
 * For diagnostics.
 */
export function findOomexec(
  choice?: string | false,
  user?: { uid?: number | undefined; gid?: number | undefined },
): {
  path?: string;
  /** Whether it knows --pin=write. */
  pinsWrite?: boolean;
  rejected: { path: string; why: Rejection }[];
};

/** The kernel's count of OOM kills in a cgroup, and its file. */
export interface OomKills {
  file: string;
  kills: number;
}

/**
 * Reads the OOM kill count of a process's memory cgroup; undefined if there is none.
 * @param of "self" (the default), a pid, or an earlier reading, whose file is read again.
 */
export function readOomKills(of?: "self" | number | OomKills | undefined): OomKills | undefined;

export interface Exit {
  /** As in the `exit` event. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** As returned by `prepare`. */
  wrapped?: boolean;
  /** readOomKills() from before the child's start. */
  before?: OomKills | undefined;
  /** readOomKills(before) from after the child's exit. */
  after?: OomKills | undefined;
}

export interface Explanation {
  kind: /** Ended by SIGKILL, and the OOM killer killed a process in the cgroup. */
    | "oom-killed"
    /** Ended by SIGKILL, and the OOM killer killed nothing in the cgroup. */
    | "killed"
    /** Ended by SIGKILL, and there are no counts to compare. */
    | "killed-unknown"
    | "signal"
    /** A wrapped command exited with 127. */
    | "not-found"
    /** A wrapped command exited with 126. */
    | "cannot-run"
    | "exit";
  /** One line for people. */
  text: string;
}

/** Explains why a child ended. */
export function explainExit(exit: Exit): Explanation;

/**
 * Keeps a browser's main process at score 1000 until it ends or stop() is called. Never throws.
 * For kernels without Landlock. Call it right after spawn(), for wrapped children only.
 */
export function hold(pid: number | undefined): { stop(): void };
