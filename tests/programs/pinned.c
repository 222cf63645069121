/* Prints its score and no_new_privs, empties each FILE in the given WAY and writes
 * WRITE to it, and prints its score again.
 *
 *   pinned WRITE [WAY FILE]... */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void score(void)
{
	char line[16] = "none\n";
	FILE *in = fopen("/proc/self/oom_score_adj", "re");
	if (in && !fgets(line, sizeof line, in))
		strcpy(line, "empty\n");
	printf("score %s", line);
	if (in)
		fclose(in);
}

/* Empties a file by its descriptor, then again by its link in /proc. */
static int emptied_twice(int fd)
{
	char link[64];
	if (fd < 0 || write(fd, "content", 7) != 7 || ftruncate(fd, 0) ||
	    write(fd, "content", 7) != 7)
		return -1;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return open(link, O_WRONLY | O_TRUNC);
}

/* Empties a file; returns a descriptor of it, or -1 and errno on failure. */
static int emptied(const char *way, const char *file)
{
	int fd = -1;
	FILE *stream;
	errno = EINVAL; /* for an unknown way */
	if (!strcmp(way, "creat"))
		return creat(file, 0600);
	if (!strcmp(way, "O_TRUNC"))
		return open(file, O_WRONLY | O_TRUNC);
	if (!strcmp(way, "fopen")) {
		stream = fopen(file, "w");
		return stream ? fileno(stream) : -1;
	}
	if (!strcmp(way, "truncate"))
		return truncate(file, 0) ? -1 : open(file, O_WRONLY);
	if (!strcmp(way, "ftruncate")) {
		fd = open(file, O_WRONLY);
		return fd < 0 || ftruncate(fd, 0) ? -1 : fd;
	}
	/* This one does not truncate. */
	if (!strcmp(way, "O_WRONLY"))
		return open(file, O_WRONLY);
	/* For these, the file is a name, a directory or unused. */
	if (!strcmp(way, "tmpfile")) {
		stream = tmpfile();
		return stream ? emptied_twice(fileno(stream)) : -1;
	}
	if (!strcmp(way, "O_TMPFILE"))
		return emptied_twice(open(file, O_TMPFILE | O_RDWR, 0600));
	if (!strcmp(way, "memfd"))
		return emptied_twice(memfd_create(file, 0));
	if (!strcmp(way, "shm_open")) {
		fd = shm_open(file, O_RDWR | O_CREAT | O_EXCL, 0600);
		fd = emptied_twice(fd) < 0 ? -1 : shm_open(file, O_RDWR | O_TRUNC, 0);
		int result = errno;
		/* The file can exist even if the open failed. */
		shm_unlink(file);
		errno = result;
	}
	return fd;
}

int main(int argc, char **argv)
{
	score();
	printf("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	for (int i = 2; i + 1 < argc; i += 2) {
		struct stat st = { 0 };
		size_t len = strlen(argv[1]);
		int fd = emptied(argv[i], argv[i + 1]);
		const char *result = "ok";
		if (fd < 0 || fstat(fd, &st))
			result = strerror(errno);
		else if (st.st_size && strcmp(argv[i], "O_WRONLY"))
			result = "not emptied";
		else if (write(fd, argv[1], len) != (ssize_t)len)
			result = strerror(errno);
		if (fd >= 0)
			close(fd);
		printf("%s %s: %s\n", argv[i], argv[i + 1], result);
	}
	score();
	return 0;
}
