/* The first process of a VM of scripts/test-vm: runs every scenario, prints the results on
 * the console, and powers off. It judges nothing: scenarios.mjs has the expected results,
 * under the same names.
 *
 * TRY, on the kernel's command line, is `all`, or `without_landlock` for a kernel booted
 * without Landlock. */
#include "vm.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT 64        /* MiB, of a trial's cgroup */
#define MOST "56"       /* MiB: fits into the limit alone, but not beside a gateway */
#define TOO_MUCH "80"   /* MiB: does not fit into the limit */

/* A trial in a cgroup: the gateway holds `percent` of the limit. Before that, a small
 * gateway in the same cgroup runs --check. */
static void trial(const char *name, int group, int score, int percent, char **command)
{
	const struct state state = { .score = score, .user = 1, .in_cgroup = 1 };
	char check[64], size[16];
	char *argv[16] = { "/gateway", size };
	new_cgroup(LIMIT, group);
	snprintf(check, sizeof check, "%s, check", name);
	RUN(check, &state, "/gateway", "1", "/oomexec", "--check");
	snprintf(size, sizeof size, "%d", LIMIT * percent / 100);
	for (int at = 2; *command; command++)
		argv[at++] = *command;
	run_out(name, &state, (long)LIMIT << 8, argv);
	remove_cgroup();
}

#define TRIAL(name, group, score, percent, ...) \
	trial(name, group, score, percent, (char *[]){ __VA_ARGS__, NULL })

static void trials(void)
{
	TRIAL("direct", 0, 0, 60, "/child", MOST);
	TRIAL("oomexec", 0, 0, 60, "/oomexec", "--", "/child", MOST);
	TRIAL("largest", 0, 0, 94, "/oomexec", "--", "/child", MOST);
	TRIAL("group", 1, 0, 60, "/oomexec", "--", "/child", MOST);
	TRIAL("group, -1000", 1, -1000, 60, "/oomexec", "--", "/child", MOST);
	TRIAL("direct, -500", 0, -500, 60, "/child", MOST);
	TRIAL("largest, -500", 0, -500, 94, "/oomexec", "--", "/child", MOST);
	TRIAL("below, 300", 0, 300, 82, "/oomexec", "--", "/child", MOST);
	TRIAL("above, 300", 0, 300, 88, "/oomexec", "--", "/child", MOST);
	TRIAL("below, 1000", 0, 1000, 45, "/oomexec", "--", "/child", MOST);
	TRIAL("above, 1000", 0, 1000, 55, "/oomexec", "--", "/child", MOST);
	TRIAL("lowers", 0, 0, 60, "/oomexec", "--", "/child", MOST, "lower");
	TRIAL("lowers, pin", 0, 0, 60, "/oomexec", "--pin", "--", "/child", MOST, "lower");
}

/* What -1000 costs. */
static void never_killed(void)
{
	const struct state user = { .score = -1000, .user = 1 };
	RUN("lowest, user from -1000", &user, "/oomexec", "--", "/lowest");
	for (int score = -1000; score <= -999; score++) {
		const struct state leak = { .score = score, .user = 1, .in_cgroup = 1 };
		char name[32];
		snprintf(name, sizeof name, "leak, %d", score);
		new_cgroup(LIMIT, 0);
		RUN_LEAK(name, &leak, "/child", TOO_MUCH);
		remove_cgroup();
	}
}

/* In containers where memory.oom.group is 1. */
static void containers(void)
{
	const struct state root = { .score = 0 };
	struct {
		const char *name;
		struct container container;
		int trials;
	} all[] = {
		{ "pod", { .user = 1 }, 10 },
		{ "recipe", { .capable = 1, .recipe = 1 }, 10 },
		{ "capable", { .capable = 1 }, 0 },
		{ "unprivileged", { .capable = 1, .recipe = 1, .user = 1 }, 0 },
		{ "user namespace", { .capable = 1, .recipe = 1, .user_namespace = 1 }, 0 },
	};
	char name[64], size[16];
	snprintf(size, sizeof size, "%d", LIMIT * 60 / 100);
	for (size_t at = 0; at < sizeof all / sizeof *all; at++) {
		const struct container *container = &all[at].container;
		snprintf(name, sizeof name, "container, %s, check", all[at].name);
		new_container(container, LIMIT, (char *[]){ "/gateway", "1", "/oomexec", "--check", NULL });
		RUN(name, &root, RUNC);
		new_container(container, LIMIT,
			      (char *[]){ "/gateway", size, "/oomexec", "--", "/child", MOST, NULL });
		for (int trial = 1; trial <= all[at].trials; trial++) {
			snprintf(name, sizeof name, "container, %s %d", all[at].name, trial);
			RUN_OUT(name, &root, (long)LIMIT << 8, RUNC);
		}
	}
}

/* The whole machine runs out of memory. */
static void machine_trials(void)
{
	const struct state user = { .user = 1 };
	const char *sysctl = "/proc/sys/vm/oom_kill_allocating_task";
	int available = number("/proc/meminfo", "MemAvailable:") >> 10;
	char gateway[16], child[16];
	struct sysinfo info;
	long limit;
	sysinfo(&info);
	limit = (info.totalram + info.totalswap) * info.mem_unit / 4096;
	snprintf(gateway, sizeof gateway, "%d", available * 70 / 100);
	snprintf(child, sizeof child, "%d", available * 85 / 100);
	RUN_OUT("machine, direct", &user, limit, "/gateway", gateway, "/child", child);
	RUN_OUT("machine, oomexec", &user, limit, "/gateway", gateway, "/oomexec", "--", "/child", child);
	/* This kills the process that asks for memory, but not at a cgroup's limit. */
	must_put(sysctl, "1");
	RUN("machine, asking, check", &user, "/oomexec", "--check");
	RUN_OUT("machine, asking", &user, limit, "/gateway", gateway, "/child", child);
	TRIAL("direct, asking", 0, 0, 60, "/child", MOST);
	must_put(sysctl, "0");
}

/* How far each user can lower its score, with and without the pin. */
static void lowering(void)
{
	struct {
		const char *name;
		struct state state;
	} all[] = {
		{ "root", { .score = 0 } },
		{ "no resource", { .no_resource = 1 } },
		{ "user", { .user = 1 } },
		/* Started at 200 by a manager, which has the capability. */
		{ "managed", { .user = 1, .score = 200 } },
	};
	for (size_t at = 0; at < sizeof all / sizeof *all; at++) {
		const struct state *state = &all[at].state;
		char name[64], own[16];
		snprintf(own, sizeof own, "%d", state->score);
		snprintf(name, sizeof name, "truncate, %s", all[at].name);
		RUN(name, state, "/oomexec", "--", "/pinned", own, "creat", SCORE, "O_TRUNC", SCORE);
		snprintf(name, sizeof name, "truncate, pin, %s", all[at].name);
		RUN(name, state, "/oomexec", "--pin", "--", "/pinned", own, "creat", SCORE, "O_TRUNC",
		    SCORE);
		snprintf(name, sizeof name, "write, pin, %s", all[at].name);
		RUN(name, state, "/oomexec", "--pin", "--", "/pinned", own, "O_WRONLY", SCORE);
		snprintf(name, sizeof name, "write, pin=write, %s", all[at].name);
		RUN(name, state, "/oomexec", "--pin=write", "--", "/pinned", own, "O_WRONLY", SCORE);
		snprintf(name, sizeof name, "lowest, %s", all[at].name);
		RUN(name, state, "/oomexec", "--", "/lowest");
		snprintf(name, sizeof name, "lowering, check, %s", all[at].name);
		RUN(name, state, "/oomexec", "--check");
	}
	RUN("lowest, dropped", &all[0].state, "/oomexec", "--", "/lowest", "drop");
	RUN("lowest, dropped, 500", &all[0].state, "/oomexec", "-n", "500", "--", "/lowest", "drop");
}

/* Scores below 0, which need CAP_SYS_RESOURCE. */
static void negative(void)
{
	const struct state root = { .score = 0 }, no_resource = { .no_resource = 1 };
	const struct state at_minus_7 = { .score = -7 };
	char pid[16];
	pid_t other = fork();
	if (other < 0)
		stop("fork");
	while (!other)
		pause();
	snprintf(pid, sizeof pid, "%d", other);
	RUN("negative, launch", &root, "/oomexec", "-n", "-500", "--", "/show");
	RUN("negative, launch, no resource", &no_resource, "/oomexec", "-n", "-500", "--", "/show");
	RUN("negative, self", &at_minus_7, "/oomexec", "-p", "self");
	RUN("negative, set, no resource", &no_resource, "/oomexec", "-p", pid, "-n", "-1000");
	RUN("negative, still", &no_resource, "/oomexec", "-p", pid);
	RUN("negative, set", &root, "/oomexec", "-p", pid, "-n", "-1000");
	RUN("negative, then", &root, "/oomexec", "-p", pid);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

/* A score that no partial write leaves behind. */
#define START 321

static void proc(void)
{
	struct state user = { .score = START, .user = 1 };
	user.proc = "";
	user.proc_flags = MS_RDONLY;
	RUN("read-only", &user, "/oomexec", "--", "/show");
	RUN("read-only, check", &user, "/oomexec", "--check");
	user.proc_flags = 0;
	user.proc = "hidepid=2";
	RUN("hidepid", &user, "/oomexec", "--", "/show");
	RUN("hidepid, check", &user, "/oomexec", "--check");
	RUN("hidepid, own gateway, check", &user, "/gateway", "1", "/oomexec", "--check");
	user.proc = "subset=pid";
	RUN("subset", &user, "/oomexec", "--", "/show");
	RUN("subset, check", &user, "/oomexec", "--check");
}

/* Loads a policy compiled on the host. */
static void load(const char *file)
{
	static char policy[1 << 20];
	int in = open(file, O_RDONLY), out = open("/sys/kernel/security/apparmor/.load", O_WRONLY);
	ssize_t len = in < 0 ? -1 : read(in, policy, sizeof policy);
	/* The kernel takes each write for a whole policy. */
	if (len <= 0 || out < 0 || write(out, policy, len) != len)
		stop(file);
	close(in);
	close(out);
}

static void apparmor(void)
{
	struct state user = { .score = START, .user = 1, .profile = "docker-like" };
	const struct state root = { .profile = "docker-like" };
	load("/apparmor.policy");
	/* Only AppArmor keeps root from this write. */
	RUN("AppArmor, in force", &root, "/oomexec", "--", "/pinned", "0", "O_WRONLY",
	    "/proc/sysrq-trigger");
	RUN("AppArmor", &user, "/oomexec", "--", "/show");
	RUN("AppArmor, pin", &user, "/oomexec", "--pin", "--", "/pinned", "400", "creat", SCORE);
	RUN("AppArmor, check", &user, "/oomexec", "--check");
	user.profile = "docker-like-no-score";
	RUN("AppArmor denies", &user, "/oomexec", "--", "/show");
	RUN("AppArmor denies, check", &user, "/oomexec", "--check");
}

static void without_landlock(void)
{
	const struct state user = { .user = 1 };
	RUN("no Landlock, pin", &user, "/oomexec", "--pin", "--", "/pinned", "0", "creat", SCORE);
	RUN("no Landlock, check", &user, "/oomexec", "--check");
}

int main(void)
{
	const char *try = getenv("TRY");
	struct utsname kernel;
	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) ||
	    mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL) ||
	    mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL))
		stop("mount");
	must_put("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	uname(&kernel);
	printf("@@ kernel: %s %s\n", kernel.machine, kernel.release);
	if (try && !strcmp(try, "all")) {
		trials();
		lowering();
		negative();
		never_killed();
		proc();
		apparmor();
		containers();
		machine_trials();
	} else if (try && !strcmp(try, "without_landlock")) {
		without_landlock();
	}
	printf("@@ end: %s\n", try ? try : "TRY is not set");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
