/* What the parts of init share. A result is a line "@@ NAME: FIELD | FIELD..." on the
 * console. */
#include <stdio.h>

#define SCORE "/proc/self/oom_score_adj"
#define CGROUP "/sys/fs/cgroup/trial"

/* What a process is before it becomes a command. */
struct state {
	int score;
	int user;        /* `nobody`, without capabilities; or else root */
	int no_resource; /* root, but for CAP_SYS_RESOURCE */
	int in_cgroup;
	const char *proc; /* a /proc of its own, mounted with these options */
	unsigned long proc_flags;
	const char *profile; /* of AppArmor */
};

/* Ends the VM: the host misses the results that are not there. */
void stop(const char *why) __attribute__((noreturn));

/* Writes to a file that is there. */
void must_put(const char *file, const char *text);

/* In a new process: becomes the command. What cannot be prepared is said on its
 * stdout, in the place of a result. */
void become(const struct state *state, char **argv) __attribute__((noreturn));

/* Prints how a process has ended. */
void print_status(const char *who, int status);

/* Runs a command: the result is all that it printed, on stdout and stderr, and how it
 * ended. */
void run(const char *name, const struct state *state, char **argv);

/* The number behind a word that a line of a file begins with; -1 if none does. */
long number(const char *file, const char *word);

/* The cgroup of a trial, with a limit in MiB. */
void new_cgroup(int limit, int group);
void remove_cgroup(void);

/* Runs a gateway until it and its child have ended: the result is how both did, and
 * what the kernel says of whom it killed. `limit`: in pages. */
void run_out(const char *name, const struct state *state, long limit, char **argv);

#define RUN(name, state, ...) run(name, state, (char *[]){ __VA_ARGS__, NULL })
#define RUN_OUT(name, state, limit, ...) \
	run_out(name, state, limit, (char *[]){ __VA_ARGS__, NULL })
