/* Shared by the parts of init. A result is a line "@@ NAME: FIELD | FIELD..." on the
 * console. */
#include <stdio.h>

#define SCORE "/proc/self/oom_score_adj"
#define CGROUP "/sys/fs/cgroup/trial"

/* The state of a process before it becomes a command. */
struct state {
	int score;
	int user;        /* `nobody` without capabilities, else root */
	int no_resource; /* root without CAP_SYS_RESOURCE */
	int in_cgroup;
	const char *proc; /* its own /proc, mounted with these options */
	unsigned long proc_flags;
	const char *profile; /* an AppArmor profile */
};

/* Ends the VM: the host notices the missing results. */
void stop(const char *why) __attribute__((noreturn));

/* Writes to an existing file. */
void must_put(const char *file, const char *text);

/* Prepares this new process and becomes the command. Prints a failure on stdout, in place
 * of a result. */
void become(const struct state *state, char **argv) __attribute__((noreturn));

/* Prints how a process ended. */
void print_status(const char *who, int status);

/* Runs a command: the result is its output, on stdout and stderr, and how it ended. */
void run(const char *name, const struct state *state, char **argv);

/* Returns the number after `word` at the start of a line, or -1. */
long number(const char *file, const char *word);

/* Makes the cgroup of a trial; `limit` is in MiB. */
void new_cgroup(int limit, int group);
void remove_cgroup(void);

/* Runs a gateway until it and its child have ended: the result is how both ended, and whom
 * the kernel killed. `limit` is in pages. */
void run_out(const char *name, const struct state *state, long limit, char **argv);

/* Runs a command that needs more than its cgroup's limit: the result is whether the kernel
 * killed it, and how it ended. */
void run_leak(const char *name, const struct state *state, char **argv);

/* A container, as the kubelet has one made on cgroup v2. */
struct container {
	int user;           /* 65532, else root */
	int capable;        /* capabilities.add: [SYS_RESOURCE], else none */
	int user_namespace; /* hostUsers: false */
	int recipe;         /* with `oomexec -n -1000 --` in front of the command */
};

/* Makes a container with this command and a limit in MiB; `RUNC` then runs it. */
void new_container(const struct container *container, int limit, char **argv);
#define RUNC "/runc", "run", "--no-pivot", "--bundle", "/container", "trial"

#define RUN(name, state, ...) run(name, state, (char *[]){ __VA_ARGS__, NULL })
#define RUN_LEAK(name, state, ...) run_leak(name, state, (char *[]){ __VA_ARGS__, NULL })
#define RUN_OUT(name, state, limit, ...) \
	run_out(name, state, limit, (char *[]){ __VA_ARGS__, NULL })
