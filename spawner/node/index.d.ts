import type {
  ChildProcess,
  ChildProcessWithoutNullStreams,
  SpawnOptions,
  SpawnOptionsWithoutStdio,
} from "node:child_process";

/** How a child is started. */
export type Via = "oomexec" | "sh" | "direct";

/** Why it is started so. */
export type Why =
  /** oomexec is available. */
  | "oomexec"
  /** No oomexec that can be used: through /bin/sh. */
  | "no-oomexec"
  /** The command is oomexec or a shim already. */
  | "already-wrapped"
  | "not-linux"
  /** There is no command. */
  | "empty"
  /** The caller says that it is a transport: to kill it would cut off the work at its other end. */
  | "exempt"
  /** OPENCLAW_CHILD_OOM_SCORE_ADJ is 0, false, no or off. */
  | "opted-out"
  /** The child's directory does not exist or cannot be entered. */
  | "no-directory"
  | "not-found"
  | "not-executable"
  /** Neither oomexec nor /bin/sh. */
  | "no-wrapper"
  /** Only /bin/sh, which cannot run a command that begins with `-`. */
  | "dash-command"
  /** Only /bin/sh, which cannot give a command another argv[0]. */
  | "argv0";

export interface PrepareOptions {
  /** The child's environment; the gateway's own if absent. */
  env?: NodeJS.ProcessEnv | undefined;
  /** The child's directory; the gateway's own if absent. */
  cwd?: string | URL | undefined;
  /** What the child sees as its argv[0]. */
  argv0?: string | undefined;
  /** Hold the score of a program that sets its own: a browser. Only oomexec can. */
  pin?: boolean | undefined;
  /** A transport to work that is elsewhere (docker, podman, ssh): always direct. */
  exempt?: boolean | undefined;
  /** The absolute path of the oomexec to try first; `false`: use none. */
  oomexec?: string | false | undefined;
  /** process.platform, if absent. */
  platform?: NodeJS.Platform | undefined;
  /** Whether /bin/sh may be used; if absent, whether it is a regular file. */
  shellAvailable?: (() => boolean) | undefined;
}

/** What to spawn. Hand `env` and `argv0` to spawn() too, over those of your own options. */
export interface PreparedSpawn {
  command: string;
  args: string[];
  /**
   * The object that was given, untouched. With `via` "sh" a copy without what a shell acts on: of the gateway's whole
   * environment if none was given.
   */
  env: NodeJS.ProcessEnv | undefined;
  argv0?: string;
  /** Whether the child will raise its score. */
  wrapped: boolean;
  via: Via;
  why: Why;
}

/** Says what to spawn so that the kernel kills the child before the gateway. Never throws. */
export function prepare(command: string, args?: readonly string[], options?: PrepareOptions): PreparedSpawn;

/** `prepare`, under the name of the function that it takes the place of. */
export function prepareOomScoreAdjustedSpawn(
  command: string,
  args?: readonly string[],
  options?: PrepareOptions,
): PreparedSpawn;

/** child_process.spawn, with the rule applied. Its `shell` option works as there. */
export function spawn(
  command: string,
  args?: readonly string[],
  options?: SpawnOptionsWithoutStdio & PrepareOptions,
): ChildProcessWithoutNullStreams;
export function spawn(command: string, options?: SpawnOptionsWithoutStdio & PrepareOptions): ChildProcessWithoutNullStreams;
export function spawn(command: string, args: readonly string[], options: SpawnOptions & PrepareOptions): ChildProcess;
export function spawn(command: string, options: SpawnOptions & PrepareOptions): ChildProcess;

/** Why an oomexec that is there is not used. */
export type Rejection =
  | "not-absolute"
  | "not-found"
  | "not-executable"
  | "other-machine"
  /** It could not be started, or did not end in time: then it is asked again after a minute. */
  | "no-answer"
  | "wrong-answer";

/** The oomexec that would be used, and those that would not: for a gateway's diagnostics. */
export function findOomexec(choice?: string | false): {
  path?: string;
  rejected: { path: string; why: Rejection }[];
};

/** The kernel's count of OOM kills in a cgroup, and the file that it was read from. */
export interface OomKills {
  file: string;
  kills: number;
}

/**
 * Reads the count of OOM kills of a process's memory cgroup; undefined where there is none.
 * @param of "self" (the default), a pid, or an earlier reading, whose file is read again.
 */
export function readOomKills(of?: "self" | number | OomKills | undefined): OomKills | undefined;

export interface Exit {
  /** As the `exit` event gives it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** As `prepare` gave it. */
  wrapped?: boolean;
  /** readOomKills() from before the start. */
  before?: OomKills | undefined;
  /** readOomKills(before) from after the end. */
  after?: OomKills | undefined;
}

export interface Explanation {
  kind:
    /** By SIGKILL, and the kernel's OOM killer killed in the cgroup meanwhile. */
    | "oom-killed"
    /** By SIGKILL, and the OOM killer killed nothing in the cgroup. */
    | "killed"
    /** By SIGKILL, and there was no counter to read. */
    | "killed-unknown"
    | "signal"
    /** 127 of a wrapped command. */
    | "not-found"
    /** 126 of a wrapped command. */
    | "cannot-run"
    | "exit";
  /** One line for people. */
  text: string;
}

/** Says why a child ended. */
export function explainExit(exit: Exit): Explanation;

/**
 * For kernels without Landlock: keeps the score of a browser's main process at 1000 until it ends or stop() is
 * called. Call it right after spawn(), for children that were wrapped. Never throws.
 */
export function hold(pid: number | undefined): { stop(): void };
