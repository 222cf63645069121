/* Real containers, by runc: configured as the kubelet and containerd do it, as far as that
 * matters here. */
#include "vm.h"

void new_container(const struct container *container, int limit, char **argv)
{
	const char *capabilities = container->capable ? "[\"CAP_SYS_RESOURCE\"]" : "[]";
	const char *ids = "[{\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}]";
	FILE *out = fopen("/container/config.json", "we");
	if (!out)
		stop("config.json");
	fputs("{ \"ociVersion\": \"1.0.2\", \"process\": { \"cwd\": \"/\", \"args\": [", out);
	if (container->recipe)
		fputs("\"/oomexec\", \"-n\", \"-1000\", \"--\", ", out);
	for (; *argv; argv++)
		/* None needs an escape. */
		fprintf(out, "\"%s\"%s", *argv, argv[1] ? ", " : "");
	/* The score of a Guaranteed pod; allowPrivilegeEscalation: false. containerd empties the
	 * ambient set, and so does Docker. */
	fprintf(out,
		"], \"oomScoreAdj\": -997, \"noNewPrivileges\": true, \"user\": { \"uid\": %d, \"gid\": 0 },"
		"\"capabilities\": { \"bounding\": %s, \"permitted\": %s, \"effective\": %s } },",
		container->user ? 65532 : 0, capabilities, capabilities, capabilities);
	fputs("\"root\": { \"path\": \"root\", \"readonly\": true }, \"mounts\": ["
	      "{ \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },"
	      "{ \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\" },"
	      "{ \"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\","
	      "  \"options\": [\"ro\"] }],",
	      out);
	fprintf(out,
		"\"linux\": { \"cgroupsPath\": \"/container\", \"resources\": {"
		"\"memory\": { \"limit\": %d }, \"unified\": { \"memory.oom.group\": \"1\" } },",
		limit << 20);
	if (container->user_namespace)
		fprintf(out, "\"uidMappings\": %s, \"gidMappings\": %s,", ids, ids);
	fprintf(out,
		"\"namespaces\": [{ \"type\": \"pid\" }, { \"type\": \"mount\" }, { \"type\": \"ipc\" },"
		"{ \"type\": \"uts\" }, { \"type\": \"cgroup\" }%s] } }\n",
		container->user_namespace ? ", { \"type\": \"user\" }" : "");
	if (fclose(out))
		stop("config.json");
}
