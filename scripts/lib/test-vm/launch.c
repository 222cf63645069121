/* Starts processes in a prepared state, and prints their output. */
#define _GNU_SOURCE
#include "vm.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

void stop(const char *why)
{
	printf("@@ stopped: %s: %s\n", why, strerror(errno));
	fflush(stdout);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* Returns 0, or -1 and sets errno. */
static int put(const char *file, const char *text)
{
	ssize_t len = strlen(text), written;
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	written = write(fd, text, len);
	/* close(2) of these files neither fails nor changes errno. */
	close(fd);
	return written == len ? 0 : -1;
}

void must_put(const char *file, const char *text)
{
	if (put(file, text))
		stop(file);
}

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	dprintf(1, "not prepared: %s: %s\n", what, strerror(errno));
	_exit(99);
}

void become(const struct state *state, char **argv)
{
	char text[128];
	if (state->in_cgroup)
		must(put(CGROUP "/cgroup.procs", "0"), "cgroup");
	snprintf(text, sizeof text, "%d", state->score);
	must(put(SCORE, text), "score");
	if (state->profile) {
		snprintf(text, sizeof text, "exec %s", state->profile);
		must(put("/proc/self/attr/apparmor/exec", text), "AppArmor");
	}
	if (state->proc) {
		must(unshare(CLONE_NEWNS), "unshare");
		must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
		must(mount("proc", "/proc", "proc", state->proc_flags, state->proc), "/proc");
	}
	/* The exec then drops the capability. */
	if (state->no_resource)
		must(prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0), "bounding set");
	if (state->user) {
		must(setgroups(0, NULL), "setgroups");
		must(setgid(NOBODY), "setgid");
		must(setuid(NOBODY), "setuid");
	}
	execv(argv[0], argv);
	must(-1, argv[0]);
	_exit(99);
}

void print_status(const char *who, int status)
{
	if (WIFSIGNALED(status))
		printf("%s signal %d", who, WTERMSIG(status));
	else
		printf("%s exit %d", who, WEXITSTATUS(status));
}

void run(const char *name, const struct state *state, char **argv)
{
	static char output[8192];
	size_t len = 0;
	ssize_t got;
	int ends[2], status;
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC))
		stop("pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		stop("fork");
	if (!pid) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		become(state, argv);
	}
	close(ends[1]);
	while ((got = read(ends[0], output + len, sizeof output - 1 - len)) > 0)
		len += got;
	output[len] = 0;
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid)
		stop("waitpid");
	printf("@@ %s: ", name);
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n"))
		printf("%s | ", line);
	print_status("ended:", status);
	putchar('\n');
}
