/* Prints its score, then the lowest score that it can write. It does not truncate, so the
 * pin does not stop it.
 *
 *   lowest [drop]
 *
 * With `drop` it first drops all its capabilities. */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCORE "/proc/self/oom_score_adj"

int main(int argc, char **argv)
{
	char text[16] = "";
	int fd = open(SCORE, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return 2;
	close(fd);
	printf("score %s", text);

	if (argc > 1 && !strcmp(argv[1], "drop")) {
		struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
		struct __user_cap_data_struct none[2] = { { 0 } };
		if (syscall(SYS_capset, &header, none))
			return 2;
	}
	fd = open(SCORE, O_WRONLY);
	if (fd < 0)
		return 2;
	for (int score = -1000; score <= 1000; score++) {
		int len = snprintf(text, sizeof text, "%d", score);
		if (write(fd, text, len) == len) {
			printf("lowest %d\n", score);
			return 0;
		}
	}
	puts("lowest none");
	return 0;
}
