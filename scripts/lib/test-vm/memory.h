/* Resident memory. */
#include <stdlib.h>
#include <sys/mman.h>

/* Allocates it page by page: huge pages of 2 MiB would blur the sizes at which the kernel
 * kills. */
static void hold(size_t mebibytes)
{
	size_t size = mebibytes << 20;
	char *memory;
	if (!size)
		return;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE))
		abort();
	for (size_t at = 0; at < size; at += 4096)
		memory[at] = 1;
}
