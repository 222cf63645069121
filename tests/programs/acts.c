/* Does one thing after the other and prints what came of each.
 *
 *   acts [ACT]...
 *
 *   score                   print its score
 *   open HOW FILE TEXT      open a file and write TEXT to it; HOW is of the table below
 *   fopen MODE FILE TEXT    the same by fopen(3)
 *   thread HOW NAME TEXT    the same for another thread's /proc/self/task/TID/NAME
 *   detached HOW NAME TEXT  the same in a procfs that it makes, and mounts nowhere
 *   fd NUMBER TEXT          write to a descriptor
 *   reopen DIRECTORY KIND   open a descriptor again by its names in /dev and /proc, in every
 *                           way; KIND is pipe, socket, pty, ptmx, null or memfd, or file,
 *                           deleted or tmpfile in the directory, or a descriptor's number
 *   name-thread             name another thread
 *   wait                    say so, and wait for a byte on stdin
 *   rename|link FROM TO, pivot_root NEW OLD, unlink|mkdir|rmdir|truncate|mount|umount|mq_open FILE */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	int flags;
} how[] = {
	{ "read", O_RDONLY },
	{ "write", O_WRONLY },
	{ "append", O_WRONLY | O_APPEND },
	{ "read-write", O_RDWR },
	{ "create", O_WRONLY | O_CREAT },
	{ "truncate", O_WRONLY | O_TRUNC },
	{ "creat", O_WRONLY | O_CREAT | O_TRUNC },
};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Standard output, by a descriptor that no act uses. */
static FILE *out;

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "acts: %s: %s\n", what, why);
	exit(2);
}

static int flags_of(const char *name)
{
	for (size_t at = 0; at < LENGTH(how); at++)
		if (!strcmp(how[at].name, name))
			return how[at].flags;
	give_up(name, "no way to open");
	return 0;
}

/* Writes a text, unless it is empty, and closes the descriptor; returns 0, or -1 and errno. */
static int written(int fd, const char *text)
{
	if (fd < 0)
		return -1;
	int failed = *text && write(fd, text, strlen(text)) < 0;
	int error = errno;
	close(fd);
	errno = error;
	return -failed;
}

static int fopened(const char *mode, const char *file, const char *text)
{
	FILE *stream = fopen(file, mode);
	if (!stream)
		return -1;
	int failed = fputs(text, stream) == EOF || fflush(stream) == EOF;
	int error = errno;
	fclose(stream);
	errno = error;
	return -failed;
}

static pthread_barrier_t is_started;
static pid_t other_id;

static void *other_thread(void *unused)
{
	other_id = gettid();
	pthread_barrier_wait(&is_started);
	pause();
	return unused;
}

static pthread_t other(void)
{
	pthread_t thread;
	pthread_barrier_init(&is_started, NULL, 2);
	if (pthread_create(&thread, NULL, other_thread, NULL))
		give_up("pthread_create", "failed");
	pthread_barrier_wait(&is_started);
	return thread;
}

static int in_other_thread(const char *way, const char *name, const char *text)
{
	char path[64];
	other();
	snprintf(path, sizeof path, "/proc/self/task/%d/%s", other_id, name);
	return written(open(path, flags_of(way)), text);
}

static int name_thread(void)
{
	errno = pthread_setname_np(other(), "name");
	return -(errno != 0);
}

static int in_detached(const char *way, const char *name, const char *text)
{
	/* By number: the libc may be older than the calls. */
	int fs = syscall(SYS_fsopen, "proc", 0);
	if (fs < 0 || syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
		give_up("procfs", strerror(errno));
	int mount = syscall(SYS_fsmount, fs, 0, 0);
	if (mount < 0)
		give_up("fsmount", strerror(errno));
	return written(openat(mount, name, flags_of(way)), text);
}

static int open_queue(const char *name)
{
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	int error = errno;
	mq_unlink(name);
	errno = error;
	return queue < 0 ? -1 : 0;
}

static int made(const char *dir, const char *kind)
{
	int ends[2];
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", dir, kind);
	if (!strcmp(kind, "pipe"))
		return pipe(ends) ? -1 : ends[1];
	if (!strcmp(kind, "socket"))
		return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ? -1 : ends[1];
	if (!strcmp(kind, "null"))
		return open("/dev/null", O_RDWR);
	if (!strcmp(kind, "memfd"))
		return memfd_create("name", 0);
	if (!strcmp(kind, "ptmx"))
		return posix_openpt(O_RDWR | O_NOCTTY);
	if (!strcmp(kind, "pty")) {
		int ptmx = posix_openpt(O_RDWR | O_NOCTTY);
		if (ptmx < 0 || grantpt(ptmx) || unlockpt(ptmx))
			return -1;
		return open(ptsname(ptmx), O_RDWR | O_NOCTTY);
	}
	if (!strcmp(kind, "tmpfile"))
		return open(dir, O_TMPFILE | O_RDWR, 0600);
	if (!strcmp(kind, "file") || !strcmp(kind, "deleted")) {
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		if (!strcmp(kind, "deleted"))
			unlink(path);
		return fd;
	}
	return atoi(kind);
}

static void reopen(const char *dir, const char *kind)
{
	static const char *const names[] = { "/dev/stdout", "/dev/stderr", "/dev/fd/%d",
					     "/proc/self/fd/%d", "/proc/thread-self/fd/%d" };
	int fd = made(dir, kind);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		give_up(kind, strerror(errno));
	for (size_t name = 0; name < LENGTH(names); name++)
		for (size_t way = 0; way < LENGTH(how); way++) {
			char path[64];
			struct stat st = { 0 };
			snprintf(path, sizeof path, names[name], fd);
			int again = open(path, how[way].flags | O_NONBLOCK | O_NOCTTY, 0600);
			int failed = written(again, how[way].flags == O_RDONLY ? "" : "text");
			const char *result = failed ? strerror(errno) : "ok";
			fstat(fd, &st);
			fprintf(out, "%s %s, %s: %s, %lld bytes\n", kind, names[name],
				how[way].name, result, (long long)st.st_size);
		}
}

static void score(void)
{
	char line[16] = "none\n";
	FILE *in = fopen("/proc/self/oom_score_adj", "re");
	if (in && !fgets(line, sizeof line, in))
		strcpy(line, "empty\n");
	fprintf(out, "score %s", line);
	if (in)
		fclose(in);
}

/* Does the act that the words begin with, and prints its result; returns how many words it
 * has. */
static int act(char **word)
{
	int words = 0, failed = 0;
	if (!strcmp(*word, "score"))
		return score(), 1;
	if (!strcmp(*word, "reopen"))
		return reopen(word[1], word[2]), 3;
	if (!strcmp(*word, "wait")) {
		char byte;
		fputs("waiting\n", out);
		fflush(out);
		if (read(0, &byte, 1) < 0)
			give_up("stdin", strerror(errno));
		return 1;
	}
#define ACT(name, count, call)            \
	if (!strcmp(*word, name)) {       \
		words = count;            \
		failed = (call) < 0;      \
	}
	ACT("open", 4, written(open(word[2], flags_of(word[1]), 0600), word[3]))
	ACT("fopen", 4, fopened(word[1], word[2], word[3]))
	ACT("thread", 4, in_other_thread(word[1], word[2], word[3]))
	ACT("detached", 4, in_detached(word[1], word[2], word[3]))
	ACT("fd", 3, write(atoi(word[1]), word[2], strlen(word[2])))
	ACT("name-thread", 1, name_thread())
	ACT("rename", 3, rename(word[1], word[2]))
	ACT("link", 3, link(word[1], word[2]))
	ACT("pivot_root", 3, syscall(SYS_pivot_root, word[1], word[2]))
	ACT("unlink", 2, unlink(word[1]))
	ACT("mkdir", 2, mkdir(word[1], 0700))
	ACT("rmdir", 2, rmdir(word[1]))
	ACT("truncate", 2, truncate(word[1], 0))
	ACT("mount", 2, mount("none", word[1], "tmpfs", 0, NULL))
	ACT("umount", 2, umount2(word[1], MNT_DETACH))
	ACT("mq_open", 2, open_queue(word[1]))
	if (!words)
		give_up(*word, "no such act");
	const char *result = failed ? strerror(errno) : "ok";
	for (int at = 0; at < words; at++)
		fprintf(out, at ? " %s" : "%s", word[at]);
	fprintf(out, ": %s\n", result);
	return words;
}

int main(int argc, char **argv)
{
	out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 100), "w");
	if (!out)
		give_up("stdout", strerror(errno));
	for (int at = 1; at < argc;)
		at += act(argv + at);
	return fclose(out) ? 2 : 0;
}
