/* The gateway of a trial: holds memory, and runs one child until that ends.
 *
 *   gateway MIB COMMAND [ARG]...
 *
 * Exits with the child's status, or the number of the signal that ended it: 9, where a
 * gateway that is killed itself has 137 in a container. */
#include "memory.h"
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

int main(int argc, char **argv, char **envp)
{
	pid_t child;
	int status, error;
	if (argc < 3)
		return 2;
	hold(strtoul(argv[1], NULL, 10));
	/* Not a fork: the cgroup would be charged for the copy. */
	error = posix_spawn(&child, argv[2], NULL, NULL, argv + 2, envp);
	if (error) {
		printf("%s: %s\n", argv[2], strerror(error));
		return 2;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 2;
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}
