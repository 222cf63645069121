/* Dumps all that a process can observe of itself at its start, one fact a line, to
 * the file `dump` in its own directory, since all its descriptors may be closed.
 *
 * It is in C because the Rust runtime changes what it observes: it ignores SIGPIPE
 * and opens /dev/null on closed descriptors before main. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static FILE *dump;

/* Dumps a string with every byte visible. */
static void text(const char *name, long index, const char *string)
{
	fprintf(dump, "%s %ld: ", name, index);
	for (; *string; string++)
		if (*string > ' ' && *string < 127 && *string != '\\')
			fputc(*string, dump);
		else
			fprintf(dump, "\\x%02x", (unsigned char)*string);
	fputc('\n', dump);
}

/* Dumps the lines of a file in /proc, except those that begin with one of `but`:
 * they count pages and time, or differ in each process. */
static void file(const char *path, const char *const *but)
{
	char line[4096];
	FILE *in = fopen(path, "re");
	if (!in) {
		fprintf(dump, "%s: none\n", path);
		return;
	}
	while (fgets(line, sizeof line, in)) {
		int skip = 0;
		for (const char *const *word = but; *word; word++)
			skip |= !strncmp(line, *word, strlen(*word));
		if (!skip)
			fprintf(dump, "%s: %s", path, line);
	}
	fclose(in);
}

/* Dumps the target and the fdinfo of each descriptor below `end`. */
static void descriptors(int end)
{
	static const char *const none[] = { NULL };
	for (int fd = 0; fd < end; fd++) {
		char path[64], target[4096];
		struct stat st;
		if (fcntl(fd, F_GETFD) < 0 || fd == fileno(dump))
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t len = readlink(path, target, sizeof target - 1);
		target[len < 0 ? 0 : len] = 0;
		fstat(fd, &st);
		fprintf(dump, "fd %d: %s flags %x status %x inode %lx offset %ld\n", fd, target,
			fcntl(fd, F_GETFD), fcntl(fd, F_GETFL), (long)st.st_ino,
			(long)lseek(fd, 0, SEEK_CUR));
		snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
		file(path, none);
	}
}

static void links(const char *directory)
{
	struct dirent **names;
	int count = scandir(directory, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char path[512], target[4096];
		snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
		ssize_t len = readlink(path, target, sizeof target - 1);
		if (len < 0)
			continue;
		target[len] = 0;
		fprintf(dump, "%s: %s\n", path, target);
	}
}

int main(int argc, char **argv, char **envp)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 8);
	if (len < 0)
		return 1;
	path[len] = 0;
	strcpy(strrchr(path, '/'), "/dump");
	/* List the open descriptors before the dump has one; the end is high, so that a
	 * small RLIMIT_NOFILE does not hide any. */
	int open_fds[1024], count = 0;
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			open_fds[count++] = fd;
	mode_t mask = umask(022);
	umask(mask);
	/* Read the limits, then lift those that limit the dump itself. */
	struct rlimit limits[RLIM_NLIMITS];
	for (int i = 0; i < RLIM_NLIMITS; i++)
		getrlimit(i, &limits[i]);
	struct rlimit raised = limits[RLIMIT_NOFILE];
	raised.rlim_cur = raised.rlim_max;
	setrlimit(RLIMIT_NOFILE, &raised);
	raised = limits[RLIMIT_FSIZE];
	raised.rlim_cur = raised.rlim_max;
	setrlimit(RLIMIT_FSIZE, &raised);
	dump = fopen(path, "we");
	if (!dump)
		return 1;

	for (int i = 0; i < count; i++)
		fprintf(dump, "open fd: %d\n", open_fds[i]);
	for (int i = 0; i < argc; i++)
		text("argv", i, argv[i]);
	fprintf(dump, "argv ends with null: %d\n", argv[argc] == NULL);
	for (long i = 0; envp[i]; i++)
		text("envp", i, envp[i]);
	text("AT_EXECFN", 0, (const char *)getauxval(AT_EXECFN));
	fprintf(dump, "AT_SECURE: %lu\n", getauxval(AT_SECURE));
	for (int i = 0; i < RLIM_NLIMITS; i++)
		fprintf(dump, "rlimit %d: %lx %lx\n", i, (long)limits[i].rlim_cur,
			(long)limits[i].rlim_max);

	/* Ask the kernel for the dispositions: glibc hides signals 32 and 33. */
	for (int signal = 1; signal <= 64; signal++) {
		struct {
			void *handler;
			unsigned long flags, restorer, mask;
		} action = { 0 };
		syscall(SYS_rt_sigaction, signal, NULL, &action, 8);
		fprintf(dump, "signal %d: %p %lx %lx\n", signal, action.handler, action.flags,
			action.mask);
	}
	for (int which = 0; which < 3; which++) {
		struct itimerval timer;
		getitimer(which, &timer);
		/* 1 if armed for up to ten minutes, else 0: the timer runs on. */
		fprintf(dump, "itimer %d: interval %ld, left %ld\n", which,
			(long)timer.it_interval.tv_sec, (long)(timer.it_value.tv_sec + 599) / 600);
	}

	pid_t self = getpid();
	int value = 0;
	prctl(PR_GET_PDEATHSIG, &value);
	fprintf(dump, "pdeathsig: %d\n", value);
	prctl(PR_GET_CHILD_SUBREAPER, &value);
	fprintf(dump, "subreaper: %d\n", value);
	fprintf(dump, "dumpable: %d\n", prctl(PR_GET_DUMPABLE));
	fprintf(dump, "keepcaps: %d\n", prctl(PR_GET_KEEPCAPS));
	fprintf(dump, "no_new_privs: %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	fprintf(dump, "securebits: %d\n", prctl(PR_GET_SECUREBITS));
	fprintf(dump, "timerslack: %d\n", prctl(PR_GET_TIMERSLACK));
	fprintf(dump, "thp_disable: %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	fprintf(dump, "personality: %x\n", personality(0xffffffff));
	fprintf(dump, "umask: %o\n", mask);
	fprintf(dump, "nice: %d\n", getpriority(PRIO_PROCESS, 0));
	fprintf(dump, "ioprio: %ld\n", syscall(SYS_ioprio_get, 1, 0));
	fprintf(dump, "scheduler: %d\n", sched_getscheduler(0));
	fprintf(dump, "parent: %d\n", getppid());
	fprintf(dump, "group leader: %d, group of parent: %d\n", getpgrp() == self,
		getpgrp() == getpgid(getppid()));
	fprintf(dump, "session leader: %d, session of parent: %d\n", getsid(0) == self,
		getsid(0) == getsid(getppid()));
	text("cwd", 0, getcwd(path, sizeof path) ? path : "none");

	static const char *const varies[] = { "Pid:", "Tgid:", "NSpid:", "NStgid:", "NSpgid:",
		"NSsid:", "Vm", "Rss", "voluntary_ctxt", "nonvoluntary_ctxt", "Hugetlb", "SigQ:",
		"FDSize:", NULL };
	static const char *const none[] = { NULL };
	file("/proc/self/status", varies);
	file("/proc/self/limits", (const char *const[]){ "Max open files", "Max file size", NULL });
	file("/proc/self/cgroup", none);
	file("/proc/self/comm", none);
	file("/proc/self/coredump_filter", none);
	file("/proc/self/autogroup", (const char *const[]){ "/autogroup-", NULL });
	file("/proc/self/oom_score_adj", none);
	file("/proc/self/loginuid", none);
	links("/proc/self/ns");
	descriptors(1024);
	return fclose(dump) != 0;
}
