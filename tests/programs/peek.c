/* Looks into another process in each way that needs the right to ptrace(2) it, and prints
 * what came of each.
 *
 *   peek         let every process of its user look, say so, and wait for the end of stdin
 *   peek PID     look into such a process
 *   peek child   look into a child */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* At the same address in each process of this static program. */
static char word[] = "word";

static void result(const char *what, int failed)
{
	printf("%s: %s\n", what, failed ? strerror(errno) : "ok");
}

static void look(pid_t pid)
{
	const char *links[] = { "exe", "cwd", "root", "ns/mnt", "fd/0" };
	const char *files[] = { "environ", "maps", "io", "auxv", "status", "cmdline", "stat", "comm" };
	char path[64], text[256];
	for (size_t at = 0; at < sizeof links / sizeof *links; at++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, links[at]);
		result(links[at], readlink(path, text, sizeof text) < 0);
	}
	for (size_t at = 0; at < sizeof files / sizeof *files; at++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, files[at]);
		int fd = open(path, O_RDONLY);
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text);
		/* To some it is shown as empty. */
		if (len)
			result(files[at], len < 0);
		else
			printf("%s: nothing\n", files[at]);
	}
	struct iovec to = { text, sizeof word }, from = { word, sizeof word };
	result("process_vm_readv", process_vm_readv(pid, &to, 1, &from, 1, 0) < 0);
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	result("pidfd_open", pidfd < 0);
	result("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0) < 0);
	result("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0);
	result("kill", kill(pid, 0));
}

/* Waits, with a socket that listens. */
static void wait_for_end(void)
{
	/* Without a name the kernel gives it one (unix(7)). */
	struct sockaddr address = { .sa_family = AF_UNIX };
	char byte;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (fd < 0 || bind(fd, &address, sizeof address.sa_family) || listen(fd, 1))
		exit(2);
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		wait_for_end();
	} else if (strcmp(argv[1], "child")) {
		look(atoi(argv[1]));
	} else {
		int in[2], out[2];
		char line[8];
		pid_t pid = pipe(in) || pipe(out) ? -1 : fork();
		if (!pid) {
			dup2(in[0], 0);
			dup2(out[1], 1);
			close(in[1]);
			wait_for_end();
			_exit(0);
		}
		if (pid < 0 || read(out[0], line, sizeof line) < 0)
			return 2;
		look(pid);
		close(in[1]);
	}
	return 0;
}
