/* Says who it is, as what it was started, and its oom_score_adj: what a test of a
 * launch needs to know of the child. Static, for roots that hold nothing else. */
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
