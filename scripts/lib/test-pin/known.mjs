// What differs under a pin, as the man page lists it: the step of the suite, with which
// strengths, as which users (all by default), and why.

const BOTH = ["--pin", "--pin=write"];
const WRITE = ["--pin=write"];
/** An ordinary user, and nobody. */
const UNPRIVILEGED = ["nobody", "you"];

const listed = (why, steps, ways, users) =>
  steps.map((step) => ({ suite: "listed", step, ways, users, why }));

export const KNOWN = [
  ...listed(
    "no_new_privs, unless the caller has CAP_SYS_ADMIN",
    ["no_new_privs"],
    BOTH,
    UNPRIVILEGED,
  ),
  ...listed("no mount, umount or pivot_root", ["unshare -r, mount", "bwrap"], BOTH),
  ...listed("no truncation in /proc", ["comm >", "coredump_filter >", "clear_refs >"], BOTH),
  // Only root may set this one.
  ...listed("no truncation in /proc", ["sysctl -w"], BOTH, ["root"]),
  ...listed(
    "no ptrace of a process that is not pinned with it",
    [
      ...["exe", "cwd", "root", "fd/0", "ns/pid", "io"].map((name) => `${name} of another`),
      ...["lsof", "ss -p", "strace -p", "gdb -p"],
    ],
    BOTH,
  ),
  // Linux lets a process with CAP_PERFMON read another's environ and maps all the same.
  ...listed(
    "no ptrace of a process that is not pinned with it",
    ["environ", "maps"].map((name) => `${name} of another`),
    BOTH,
    UNPRIVILEGED,
  ),
  ...listed("no uid_map", ["unshare -r"], WRITE),
  ...listed(
    "no write in /proc",
    ["comm >>", "coredump_filter >>", "clear_refs >>", "name a thread"],
    WRITE,
  ),
  ...listed("no write in /proc: gdb warns, and goes on without /proc/PID/mem", ["gdb"], WRITE),
  ...listed("no message queue for writing", ["message queue"], WRITE),
];
