/* A child that eats memory, up to MIB MiB.
 *
 *   child MIB [lower]
 *
 * With `lower` it first resets its score to 0, as Chromium does: with creat(2), and
 * whether or not that succeeds. */
#include "memory.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2 && !strcmp(argv[2], "lower")) {
		int fd = creat("/proc/self/oom_score_adj", 0666);
		if (fd >= 0 && write(fd, "0", 1) != 1)
			return 2;
		if (fd >= 0)
			close(fd);
	}
	hold(strtoul(argv[1], NULL, 10));
	return 0;
}
