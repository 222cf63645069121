/* Prints its oom_score_adj, the path it was started by, its arguments and its
 * environment, each string with its NUL, so that every byte is seen. */
#include <stdio.h>
#include <sys/auxv.h>

static void field(const char *name, const char *value)
{
	fputs(name, stdout);
	fputs(value, stdout);
	putchar(0);
}

int main(int argc, char **argv, char **envp)
{
	char score[16] = "none\n";
	FILE *file = fopen("/proc/self/oom_score_adj", "re");
	if (file && !fgets(score, sizeof score, file))
		return 1;
	printf("score %s", score);
	field("file ", (const char *)getauxval(AT_EXECFN));
	for (int i = 0; i < argc; i++)
		field("argv ", argv[i]);
	for (int i = 0; envp[i]; i++)
		field("env ", envp[i]);
	return fflush(stdout) != 0;
}
