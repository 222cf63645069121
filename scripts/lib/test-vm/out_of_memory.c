/* Runs out of memory, and reads from the kernel's log whom it killed. */
#define _GNU_SOURCE
#include "vm.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long number(const char *file, const char *word)
{
	char line[128];
	long found = -1;
	FILE *in = fopen(file, "re");
	while (in && fgets(line, sizeof line, in))
		if (!strncmp(line, word, strlen(word)))
			found = atol(line + strlen(word));
	if (in)
		fclose(in);
	return found;
}

void new_cgroup(int limit, int group)
{
	char text[32];
	if (mkdir(CGROUP, 0755))
		stop(CGROUP);
	snprintf(text, sizeof text, "%d", limit << 20);
	must_put(CGROUP "/memory.max", text);
	must_put(CGROUP "/memory.oom.group", group ? "1" : "0");
}

void remove_cgroup(void)
{
	if (rmdir(CGROUP))
		stop(CGROUP);
}

/* Keeps two dumps 0.55 s apart: the kernel dumps the tasks at most ten times in five
 * seconds (oom_rs in mm/oom_kill.c). */
static void wait_for_dump(void)
{
	static struct timespec next;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_nsec += 550000000;
	next.tv_sec += next.tv_nsec / 1000000000;
	next.tv_nsec %= 1000000000;
}

/* Prints the size of a task as oom_badness() counts it, in pages:
 *   [    pid]   uid  tgid total_vm  rss ... pgtables_bytes swapents oom_score_adj name
 * Newer kernels print the parts of the rss after it. */
static void print_task(char *line)
{
	char *fields[16], *name, *score;
	int count = 0;
	line = strchr(line, ']');
	if (!line)
		return;
	for (char *field = strtok(line + 1, " "); field && count < 16; field = strtok(NULL, " "))
		fields[count++] = field;
	if (count < 8)
		return;
	name = fields[count - 1];
	score = fields[count - 2];
	if (!strcmp(name, "gateway") || !strcmp(name, "child"))
		printf(" | %s at %s has %ld", name, score,
		       atol(fields[3]) + atol(fields[count - 3]) + atol(fields[count - 4]) / 4096);
}

/* Prints the kernel's new messages: the tasks at the first kill, and all its kills. */
static void print_log(int log)
{
	static char record[8192];
	ssize_t len;
	int dumps = 0;
	while ((len = read(log, record, sizeof record - 1)) > 0) {
		char *text, *name;
		record[len] = 0;
		text = strchr(record, ';');
		if (!text)
			continue;
		text++;
		text[strcspn(text, "\n")] = 0;
		name = strstr(text, "Killed process ");
		if (name && (name = strchr(name, '('))) {
			name++;
			name[strcspn(name, ")")] = 0;
			printf(" | killed %s", name);
		} else if (!strncmp(text, "Tasks state", strlen("Tasks state"))) {
			dumps++;
		} else if (dumps == 1 && *text == '[') {
			print_task(text);
		}
	}
	if (errno != EAGAIN)
		printf(" | kernel log: %s", strerror(errno));
}

void run_out(const char *name, const struct state *state, long limit, char **argv)
{
	const char *events = state->in_cgroup ? CGROUP "/memory.events" : "/proc/vmstat";
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	long kills = number(events, "oom_kill ");
	int status;
	pid_t gateway, ended;
	if (log < 0 || lseek(log, 0, SEEK_END) < 0)
		stop("/dev/kmsg");
	wait_for_dump();
	fflush(stdout);
	gateway = fork();
	if (gateway < 0)
		stop("fork");
	if (!gateway)
		become(state, argv);
	printf("@@ %s: limit %ld", name, limit);
	/* This process adopts the child of a killed gateway, and waits for it: alone it fits into
	 * the memory, so it ends by itself. */
	while ((ended = wait(&status)) > 0)
		print_status(ended == gateway ? " | gateway" : " | child", status);
	printf(" | oom_kill %ld", number(events, "oom_kill ") - kills);
	print_log(log);
	putchar('\n');
	close(log);
}

void run_leak(const char *name, const struct state *state, char **argv)
{
	const char *events = CGROUP "/memory.events";
	int status;
	pid_t pid, ended;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		stop("fork");
	if (!pid)
		become(state, argv);
	/* The kernel counts each time that it looks for a victim. */
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && number(events, "oom ") < 100)
		usleep(1000);
	printf("@@ %s: oom_kill %ld | ", name, number(events, "oom_kill "));
	if (!ended) {
		printf("still there | ");
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	print_status("ended:", status);
	putchar('\n');
}
