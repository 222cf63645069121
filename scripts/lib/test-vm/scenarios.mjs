// The expected result of every scenario in init.c, under the same names. A function gets a
// run from report.mjs; its `pin` tells whether --pin works on that kernel.

const PERMISSION = "Permission denied";
const FILE = "/proc/self/oom_score_adj";
const NEVER_KILLED =
  "note  gateway       process N 'gateway' at -1000: never killed, even if it leaks";

/**
 * Who dies when memory runs out. `gateway` and `child` are their scores; `why` is what decides:
 * `score` (the rule in README.md), `group` (all die together) or `asking` (the process that asks
 * for the page). `check` lists lines of the `--check` before the trial, `status` its exit status.
 * `times` is how many trials there are, if several; `container`: in a container by runc.
 */
export const TRIALS = [
  ...["direct", "direct, asking"].map((name) => ({
    name,
    title: name === "direct" ? "direct" : "direct, vm.oom_kill_allocating_task=1",
    gateway: 0,
    child: 0,
    victims: ["gateway"],
    check: [
      "ok    gateway       process N 'gateway' at 0",
      "ok    memory limit  '/sys/fs/cgroup/trial/memory.max': N MiB of 64 MiB",
      "ok    kills so far  '/sys/fs/cgroup/trial/memory.events': 0",
      ...(name === "direct"
        ? ["ok    group kill    no"]
        : ["note  sysctl        '/proc/sys/vm/oom_kill_allocating_task' is 1: set it to 0"]),
    ],
  })),
  ...["oomexec", "largest"].map((name) => ({
    name,
    title:
      name === "oomexec" ? "oomexec" : "oomexec, the largest gateway that leaves room for a child",
    gateway: 0,
    child: 1000,
    victims: ["child"],
    check: ["ok    gateway       process N 'gateway' at 0", "ok    raise         0, then 1000"],
  })),
  {
    name: "group",
    title: "oomexec, memory.oom.group=1",
    gateway: 0,
    child: 1000,
    why: "group",
    victims: ["child", "gateway"],
    check: [groupKill("; a gateway started as root with 'oomexec -n -1000' is spared")],
    status: 1,
  },
  {
    // The one score that a group kill spares.
    name: "group, -1000",
    title: "oomexec, memory.oom.group=1, a gateway at -1000",
    gateway: -1000,
    child: 1000,
    victims: ["child"],
    check: [NEVER_KILLED, spared("trial/")],
  },
  {
    name: "container, pod",
    title: "a container with memory.oom.group=1, as Kubernetes starts it",
    gateway: -997,
    child: 1000,
    why: "group",
    victims: ["child", "gateway"],
    container: true,
    times: 10,
  },
  {
    name: "container, recipe",
    title: "the same as root with CAP_SYS_RESOURCE, started with `oomexec -n -1000`",
    gateway: -1000,
    child: 1000,
    victims: ["child"],
    container: true,
    times: 10,
  },
  {
    // The child inherits it.
    name: "direct, -500",
    title: "direct, a gateway at -500",
    gateway: -500,
    child: -500,
    victims: ["gateway"],
    check: ["ok    gateway       process N 'gateway' at -500"],
  },
  {
    name: "largest, -500",
    title: "oomexec, a gateway at -500",
    gateway: -500,
    child: 1000,
    victims: ["child"],
    check: [
      "ok    gateway       process N 'gateway' at -500",
      "ok    raise         -500, then 1000",
    ],
  },
  ...bothSides(300, (left) => [`note  gateway       process N 'gateway' at 300: ${left}`]),
  ...bothSides(1000, (left) => [`FAIL  gateway       process N 'gateway' at 1000: ${left}`], 1),
  {
    name: "lowers",
    title: "oomexec, a child that lowers itself",
    gateway: 0,
    child: 0,
    victims: ["gateway"],
    check: [
      "note  floor         can be lowered to 0 again; --pin stops browsers, --pin=write all programs",
    ],
  },
  {
    name: "lowers, pin",
    title: "oomexec --pin, a child that lowers itself",
    gateway: 0,
    child: ({ pin }) => (pin ? 1000 : 0),
    victims: ({ pin }) => (pin ? ["child"] : ["gateway"]),
    check: [({ landlock }) => landlock],
  },
  {
    name: "machine, direct",
    title: "the whole machine, direct",
    gateway: 0,
    child: 0,
    victims: ["gateway"],
  },
  {
    name: "machine, oomexec",
    title: "the whole machine, oomexec",
    gateway: 0,
    child: 1000,
    victims: ["child"],
  },
  {
    name: "machine, asking",
    title: "the whole machine, direct, vm.oom_kill_allocating_task=1",
    gateway: 0,
    child: 0,
    why: "asking",
    victims: ["child"],
  },
];

/** A group kill of a cgroup below the mount point: which gateway is spared. */
function groupKill(gateway, cgroup = "trial/") {
  return (
    `FAIL  group kill    '/sys/fs/cgroup/${cgroup}memory.oom.group' is 1: all in it dies together ` +
    `(Kubernetes: singleProcessOOMKill, systemd: OOMPolicy=continue)${gateway}`
  );
}

function spared(cgroup) {
  return `note  group kill    '/sys/fs/cgroup/${cgroup}memory.oom.group' is 1: all in it dies together, but for the gateway`;
}

/** Two gateways at this score: bigger than the child by less than the margin, then by more. */
function bothSides(score, check, status) {
  const left = `margin ${(1000 - score) / 10}% of the limit; start it at a lower score`;
  return [
    ["below", "bigger by less than the margin", "child"],
    ["above", "bigger by more", "gateway"],
  ].map(([name, size, victim]) => ({
    name: `${name}, ${score}`,
    title: `oomexec, a gateway at ${score}, ${size}`,
    gateway: score,
    child: 1000,
    victims: [victim],
    check: check(left),
    status,
  }));
}

/** Everything that a command prints, and what that means. */
export const COMMANDS = [
  ...[
    { who: "root", title: "root", own: 0, lowest: -1000 },
    { who: "no resource", title: "root without CAP_SYS_RESOURCE", own: 0, lowest: 0 },
    { who: "user", title: "a user", own: 0, lowest: 0, noNewPrivs: true },
    {
      who: "managed",
      title: "a user, started at 200 by a manager",
      own: 200,
      lowest: 200,
      noNewPrivs: true,
    },
  ].flatMap(({ who, title, own, lowest, noNewPrivs }) => [
    {
      name: `truncate, ${who}`,
      title: `${title}: truncates, without the pin`,
      ...lowered(["creat", "O_TRUNC"], own, 0),
    },
    {
      name: `truncate, pin, ${who}`,
      title: `${title}: truncates, with --pin`,
      ...eitherWay(
        {
          means: "held at 1000",
          lines: pinned(["creat", "O_TRUNC"], PERMISSION, 1000, noNewPrivs ? 1 : 0),
        },
        lowered(["creat", "O_TRUNC"], own, 0),
      ),
    },
    {
      name: `write, pin, ${who}`,
      title: `${title}: writes without truncation, with --pin`,
      ...eitherWay(lowered(["O_WRONLY"], own, noNewPrivs ? 1 : 0), lowered(["O_WRONLY"], own, 0)),
    },
    {
      name: `write, pin=write, ${who}`,
      title: `${title}: writes without truncation, with --pin=write`,
      ...eitherWay(
        {
          means: "held at 1000",
          lines: pinned(["O_WRONLY"], PERMISSION, 1000, noNewPrivs ? 1 : 0),
        },
        lowered(["O_WRONLY"], own, 0),
      ),
    },
    {
      name: `lowest, ${who}`,
      title: `${title}: the lowest it can write`,
      means: String(lowest),
      lines: ["score 1000", `lowest ${lowest}`],
    },
  ]),
  {
    name: "lowest, dropped",
    title: "root, and the command drops all capabilities: the lowest it can write",
    means: "1000",
    lines: ["score 1000", "lowest 1000"],
  },
  {
    name: "lowest, dropped, 500",
    title: "the same with -n 500",
    means: "500",
    lines: ["score 500", "lowest 500"],
  },
  {
    name: "lowest, user from -1000",
    title: "a user, started at -1000 by a manager: the lowest it can write",
    means: "-1000",
    lines: ["score 1000", "lowest -1000"],
  },
  {
    name: "leak, -999",
    title: "a gateway at -999 that leaks",
    means: "killed",
    lines: ["oom_kill 1"],
    ended: "signal 9",
  },
  {
    name: "leak, -1000",
    title: "a gateway at -1000 that leaks",
    means: "not killed: it hangs until SIGKILL",
    lines: ["oom_kill 0", "still there"],
    ended: "signal 9",
  },
  shown("negative, launch", "-n -500, root", -500),
  shown("negative, launch, no resource", "-n -500, without CAP_SYS_RESOURCE", 0),
  { name: "negative, self", title: "-p self, at -7", means: "-7", lines: ["-7"] },
  {
    name: "negative, set, no resource",
    title: "-p PID -n -1000, without CAP_SYS_RESOURCE",
    means: "error, 125",
    lines: [
      "oomexec: cannot set the oom_score_adj of process N: Permission denied: " +
        "to go below the lowest score it may take needs CAP_SYS_RESOURCE",
    ],
    status: 125,
  },
  { name: "negative, still", title: "then -p PID", means: "0", lines: ["0"] },
  { name: "negative, set", title: "-p PID -n -1000, root", means: "silent", lines: [] },
  { name: "negative, then", title: "then -p PID", means: "-1000", lines: ["-1000"] },
  shown("read-only", "/proc read-only, from 321", 321),
  shown("hidepid", "/proc with hidepid=2, from 321", 1000),
  shown("subset", "/proc with subset=pid, from 321", 1000),
  {
    name: "AppArmor, in force",
    title: "AppArmor, Docker's profile: root writes to another file that it denies",
    means: "refused",
    lines: [
      "score 1000",
      "no_new_privs 0",
      `O_WRONLY /proc/sysrq-trigger: ${PERMISSION}`,
      "score 1000",
    ],
  },
  shown("AppArmor", "AppArmor, Docker's profile, from 321", 1000),
  {
    name: "AppArmor, pin",
    title: "the same: --pin, truncates",
    ...eitherWay(
      { means: "held at 1000", lines: pinned(["creat"], PERMISSION, 1000, 1) },
      lowered(["creat"], 400, 0),
    ),
  },
  shown("AppArmor denies", "AppArmor, a profile that denies the write, from 321", 321),
];

/** For a kernel booted without Landlock. */
export const COMMANDS_WITHOUT_LANDLOCK = [
  {
    name: "no Landlock, pin",
    title: "Landlock off: truncates, with --pin",
    ...lowered(["creat"], 0, 0),
  },
];

/** /show prints only its score and how it was started. */
function shown(name, title, score) {
  return {
    name,
    title,
    means: String(score),
    lines: [`score ${score}`, "file /show", "argv[0] /show"],
  };
}

/** Lines of tests/programs/pinned.c: raised to 1000, the result of each way, the final score. */
function pinned(ways, result, score, noNewPrivs) {
  return [
    "score 1000",
    `no_new_privs ${noNewPrivs}`,
    ...ways.map((way) => `${way} ${FILE}: ${result}`),
    `score ${score}`,
  ];
}

function lowered(ways, score, noNewPrivs) {
  return { means: `1000, then ${score}`, lines: pinned(ways, "ok", score, noNewPrivs) };
}

function eitherWay(withPin, without) {
  const choose =
    (field) =>
    ({ pin }) =>
      (pin ? withPin : without)[field];
  return { means: choose("means"), lines: choose("lines") };
}

const NOTE_FLOOR = (score) =>
  `note  floor         can be lowered to ${score} again; --pin stops browsers, --pin=write all programs`;
const RAISED = "ok    raise         321, then 1000";
const CANNOT_WRITE = "FAIL  raise         cannot write '/proc/self/oom_score_adj': ";

/** Lines that --check must print, among others, and its exit status. */
export const CHECKS = [
  ...TRIALS.filter(({ check }) => check).map(({ name, title, check, status }) => ({
    name: `${name}, check`,
    title,
    lines: check,
    status,
  })),
  {
    name: "lowering, check, root",
    title: "root",
    lines: [
      "ok    floor         1000 for a child without CAP_SYS_RESOURCE",
      ({ landlock }) => landlock,
    ],
  },
  {
    name: "lowering, check, no resource",
    title: "root without CAP_SYS_RESOURCE",
    lines: [NOTE_FLOOR(0)],
  },
  { name: "lowering, check, user", title: "a user", lines: [NOTE_FLOOR(0)] },
  {
    name: "lowering, check, managed",
    title: "a user, started at 200 by a manager",
    lines: [NOTE_FLOOR(200)],
  },
  ...[
    {
      name: "pod",
      title: "a container as Kubernetes starts it",
      spared: "; a gateway started with CAP_SYS_RESOURCE and 'oomexec -n -1000' is spared",
    },
    {
      name: "capable",
      title: "a container as root with CAP_SYS_RESOURCE",
      spared: "; a gateway started with 'oomexec -n -1000' is spared",
    },
    {
      name: "unprivileged",
      title: "a container as 65532 with CAP_SYS_RESOURCE, started with `oomexec -n -1000`",
      spared: "; a gateway started as root with 'oomexec -n -1000' is spared",
    },
    {
      name: "user namespace",
      title: "the same as root in a user namespace",
      spared: "",
    },
  ].map(({ name, title, spared: gateway }) => ({
    name: `container, ${name}, check`,
    title,
    lines: ["ok    gateway       process N 'gateway' at -997", groupKill(gateway, "")],
    status: 1,
  })),
  {
    name: "container, recipe, check",
    title: "a container as root with CAP_SYS_RESOURCE, started with `oomexec -n -1000`",
    lines: [
      NEVER_KILLED,
      "ok    raise         -1000, then 1000",
      "ok    floor         1000 for a child without CAP_SYS_RESOURCE",
      spared(""),
    ],
  },
  {
    name: "read-only, check",
    title: "/proc read-only",
    lines: [`${CANNOT_WRITE}Read-only file system (mount /proc read-write)`],
    status: 1,
  },
  {
    name: "hidepid, check",
    title: "/proc with hidepid=2, another user's gateway",
    lines: [
      RAISED,
      "note  gateway       cannot read '/proc/1/oom_score_adj': No such file or directory",
    ],
    status: 125,
  },
  {
    name: "hidepid, own gateway, check",
    title: "/proc with hidepid=2, a gateway of the same user",
    lines: [
      RAISED,
      "note  gateway       process N 'gateway' at 321: margin 67.9% of the limit; start it at a lower score",
    ],
  },
  {
    name: "subset, check",
    title: "/proc with subset=pid",
    lines: [
      RAISED,
      "note  sysctl        cannot read '/proc/sys/vm/oom_kill_allocating_task': No such file or directory",
    ],
  },
  {
    name: "AppArmor, check",
    title: "AppArmor, Docker's profile",
    lines: [RAISED, ({ landlock }) => landlock],
  },
  {
    name: "AppArmor denies, check",
    title: "AppArmor, a profile that denies the write",
    lines: [`${CANNOT_WRITE}Permission denied (Landlock, AppArmor, SELinux)`],
    status: 1,
  },
  {
    name: "machine, asking, check",
    title: "vm.oom_kill_allocating_task=1, no limit",
    lines: ["FAIL  sysctl        '/proc/sys/vm/oom_kill_allocating_task' is 1: set it to 0"],
    status: 1,
  },
];

export const CHECKS_WITHOUT_LANDLOCK = [
  {
    name: "no Landlock, check",
    title: "Landlock off",
    lines: [
      "note  pin           no Landlock: Operation not supported (add landlock to the kernel's lsm=)",
    ],
  },
];
