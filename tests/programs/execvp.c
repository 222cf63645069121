/* Calls glibc's execvp(3): execvp [--] COMMAND [ARG]... If that fails, prints the
 * errno on stderr and exits with 99. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int at = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;
	if (at >= argc)
		return 100;
	execvp(argv[at], argv + at);
	fprintf(stderr, "errno %d\n", errno);
	return 99;
}
