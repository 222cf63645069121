/* Prints its oom_score_adj, the path it was started by and its arguments. It is
 * static, for roots that hold nothing else. */
#include <stdio.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
	char score[16] = "none\n";
	FILE *file = fopen("/proc/self/oom_score_adj", "re");
	if (file && !fgets(score, sizeof score, file))
		return 1;
	printf("score %s", score);
	printf("file %s\n", (const char *)getauxval(AT_EXECFN));
	for (int i = 0; i < argc; i++)
		printf("argv[%d] %s\n", i, argv[i]);
	return fflush(stdout) != 0;
}
