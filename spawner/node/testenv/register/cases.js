// Node's documented behaviours of child_process, in the order of its documentation. Each case
// returns what a caller sees; a child's score is in it as `score=N`.

import { createHook } from "node:async_hooks";
import * as cp from "node:child_process";
import cluster from "node:cluster";
import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import {
  closeSync,
  createWriteStream,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { fields, outcome, plain, SCORE, watch } from "./observe.js";

const { spawn, exec, execFile, fork, spawnSync, execSync, execFileSync } = cp;
const NODE = process.execPath;
const sh = (script, options) => spawn("sh", ["-c", script, "sh"], options);
const seen = (script, options) => watch(sh(script, options));
const here = (name) => new URL(name, import.meta.url).pathname;

function executable(path, content) {
  writeFileSync(path, content, { mode: 0o755 });
  return path;
}

// All ways to start a command that are given a file and arguments.
const byFile = (file, args, options) => ({
  spawn: () => watch(spawn(file, args, options)),
  execFile: () => called((callback) => execFile(file, args, options, callback)),
  spawnSync: () => outcome(() => spawnSync(file, args, options)),
  execFileSync: () => outcome(() => execFileSync(file, args, { stdio: "pipe", ...options })),
});

async function each(ways) {
  const results = {};
  for (const [way, run] of Object.entries(ways)) results[way] = (await outcome(run)) ?? null;
  return results;
}

// What a callback is called with, and the child's fields.
function called(start) {
  return new Promise((resolve) => {
    const child = start((...values) => resolve({ values: plain(values), ...fields(child) }));
  });
}

export const CASES = {
  "the resources of a process that has started nothing": () => process.getActiveResourcesInfo(),
  "a command's output, status and events": () => seen(`${SCORE}; echo error >&2; exit 3`),
  "the pid is the command's": async () => {
    const child = sh(`echo $$; ${SCORE}`);
    const [pid, score] = (await text(child.stdout)).split("\n");
    return [Number(pid) === child.pid, score];
  },
  "arguments of any kind": () =>
    each(
      byFile("sh", ["-c", `printf '<%s>' "$@"; ${SCORE}`, "--", "", "-n", "--", " a\n", "ü✓", 7]),
    ),
  "many at once": () =>
    Promise.all(Array.from({ length: 20 }, (_, index) => seen(`${SCORE}; exit ${index}`))),

  "a command that does not exist": () => each(byFile("no-such-command", ["a", "b"])),
  "a file that does not exist": () => each(byFile("./gone/tool", [])),
  "a file that is not executable": (directory) => {
    writeFileSync(`${directory}/plain`, "");
    return each(byFile(`${directory}/plain`, ["x"]));
  },
  "a directory": (directory) => each(byFile(directory, [])),
  "a script whose interpreter does not exist": (directory) =>
    each(byFile(executable(`${directory}/orphan`, "#!/gone/interpreter\n"), ["x"])),
  "a script without an interpreter": (directory) =>
    each(byFile(executable(`${directory}/bare`, `${SCORE}; echo "$@"\n`), ["a b", "c"])),
  "a command on the child's PATH": async (directory) => {
    mkdirSync(`${directory}/bin`, { recursive: true });
    executable(`${directory}/bin/own-tool`, `#!/bin/sh\n${SCORE}\n`);
    return [
      await each(byFile("own-tool", [], { env: { PATH: `${directory}/bin` } })),
      await each(byFile("own-tool", [])),
      await each(byFile("own-tool", [], { env: {} })),
      await each(byFile("sh", ["-c", SCORE], { env: {} })),
      await each(byFile("bin/own-tool", [], { cwd: directory })),
    ];
  },
  "arguments that are too long": () => each(byFile("true", ["x".repeat(200_000)])),
  "no argument at all": () => each(byFile("pwd", undefined)),
  "what spawn refuses": async () => {
    const refused = [
      [""],
      [undefined],
      [7],
      ["a\0b"],
      ["true", ["a\0b"]],
      ["true", "x"],
      ["true", [], null],
      ["true", [], { cwd: 7 }],
      ["true", [], { cwd: "a\0b" }],
      ["true", [], { uid: "root" }],
      ["true", [], { gid: 1.5 }],
      ["true", [], { shell: 7 }],
      ["true", [], { argv0: 7 }],
      ["true", [], { detached: "yes" }],
      ["true", [], { stdio: "other" }],
      ["true", [], { stdio: ["ipc", "ipc"] }],
      ["true", [], { env: { A: "a\0b" } }],
      ["true", [], { timeout: -1 }],
      ["true", [], { killSignal: "SIGNONE" }],
      ["true", [], { signal: {} }],
      ["true", [], { maxBuffer: -1 }],
      ["true", [], { serialization: "other" }],
    ];
    const results = [];
    for (const given of refused) {
      for (const start of [spawn, spawnSync, execFile, execFileSync]) {
        results.push(
          await outcome(() => {
            const result = start(...given);
            return result.once ? watch(result) : result;
          }),
        );
      }
    }
    return results;
  },

  cwd: async (directory) => {
    mkdirSync(`${directory}/a dir`, { recursive: true });
    writeFileSync(`${directory}/file`, "");
    const results = [];
    for (const cwd of [
      `${directory}/a dir`,
      "a dir",
      pathToFileURL(`${directory}/a dir`),
      `${directory}/gone`,
      `${directory}/file`,
    ]) {
      results.push(await each(byFile("sh", ["-c", `pwd; ${SCORE}`], { cwd })));
    }
    return results;
  },
  env: async () => {
    const odd = { "MY-VAR": "1", "npm_config_//registry/:_token": "x", "a.b": "", PS4: "$(id)" };
    const inherited = Object.create({ FROM_PROTOTYPE: "1" });
    const results = [];
    for (const env of [
      { PATH: process.env.PATH, ...odd, BASH_ENV: "/gone", NONE: undefined, N: 7 },
      { BASH_FUNC_x: "() { :; }", SHELLOPTS: "xtrace", PATH: "/bin:/usr/bin" },
      Object.assign(inherited, { PATH: process.env.PATH }),
    ]) {
      const script = "cat /proc/self/environ; echo; echo score=$(cat /proc/self/oom_score_adj)";
      results.push(await each(byFile("cat", ["/proc/self/environ"], { env })));
      results.push(await each(byFile("dash", ["-c", script], { env: { PATH: "/usr/bin:/bin" } })));
    }
    return results;
  },
  "an empty env": () => each(byFile("cat", ["/proc/self/environ"], { env: {} })),
  argv0: () =>
    each(
      byFile("sed", ["s/^-*[0-9]*$/score=&/", "/proc/self/oom_score_adj", "/proc/self/cmdline"], {
        argv0: "-name",
      }),
    ),
  shell: async () => {
    const results = [];
    for (const shell of [true, "/bin/sh", "bash", "/bin/no-such-shell"]) {
      results.push(await each(byFile(`echo "$0" "$#"; ${SCORE};`, ["echo", "'a b'"], { shell })));
    }
    return results;
  },
  detached: async () => {
    const ids = "set -- $(cat /proc/$$/stat); echo $(($$ == $5)) $(($$ == $6))";
    return [
      await seen(`${ids}; ${SCORE}`, { detached: true }),
      await seen(`${ids}; ${SCORE}`, { detached: false }),
    ];
  },
  "uid and gid": async () => {
    const who = `cat /proc/self/status | grep -E '^(Uid|Gid|Groups)'; ${SCORE}`;
    const results = [];
    for (const as of [{ uid: 65534, gid: 65534 }, { uid: 65534 }, { gid: 65534 }, { uid: 0 }]) {
      results.push(await each(byFile("sh", ["-c", who], { ...as, cwd: "/" })));
    }
    return results;
  },

  "stdio: pipes, both ways": async () => {
    const child = spawn("cat");
    const sent = "0123456789abcdef".repeat(65_536);
    child.stdin.end(sent);
    return (await text(child.stdout)) === sent;
  },
  "stdio: ignore, overlapped, further pipes": async () => {
    const child = sh(
      `cat; echo three >&3; read line <&4; echo $line >&3; [ -e /proc/$$/fd/5 ]; echo $? >&3`,
      {
        stdio: ["ignore", "overlapped", "pipe", "pipe", "pipe", "ignore"],
      },
    );
    const third = text(child.stdio[3]);
    child.stdio[4].end("four\n");
    return [await watch(child), await third];
  },
  "stdio: descriptors and streams": async (directory) => {
    const file = `${directory}/out`;
    const fd = openSync(file, "w");
    const stream = createWriteStream(`${directory}/err`);
    await once(stream, "open");
    const child = sh(`${SCORE}; echo error >&2; cat`, {
      stdio: [openSync(here("run.js")), fd, stream],
    });
    const result = await watch(child);
    closeSync(fd);
    return [result, readFileSync(file, "utf8"), readFileSync(`${directory}/err`, "utf8")];
  },
  "stdio: a socket": async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection");
    const { connect } = await import("node:net");
    const client = connect(server.address().port, "127.0.0.1");
    const [[socket]] = await Promise.all([accepted, once(client, "connect")]);
    const child = sh(`${SCORE}; echo over`, { stdio: ["ignore", socket, "ignore"] });
    const result = await watch(child);
    socket.destroy();
    const received = await text(client);
    server.close();
    return [result, received];
  },
  "stdio: the output of another child": async () => {
    const first = sh(`sleep 0.1; ${SCORE}`);
    const ended = once(first, "exit");
    const second = spawn("cat", { stdio: [first.stdout, "pipe", "inherit"] });
    return [await text(second.stdout), await ended];
  },
  "stdio: a negative and a missing descriptor": async () => [
    await outcome(() => seen(SCORE, { stdio: [-1, -1, null] })),
    await outcome(() => seen(SCORE, { stdio: ["ignore", 999, "ignore"] })),
    await outcome(() => spawnSync("sh", ["-c", SCORE], { stdio: ["ignore", 999, "ignore"] })),
  ],
  "an IPC channel of a program that is no Node": async () => {
    const script = `${SCORE.replace(`"score`, `"own score`)}; echo $NODE_CHANNEL_FD; echo 7 >&3`;
    return seen(script, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  },

  "kill, and what it returns": async () => {
    const child = sh(`${SCORE}; exec sleep 100`);
    await once(child.stdout, "data");
    const before = [child.kill(0), child.killed];
    const unknown = await outcome(() => child.kill("SIGNONE"));
    const result = watch(child);
    const sent = [child.kill("SIGINT"), child.killed];
    return [before, unknown, sent, await result, child.kill()];
  },
  "a command that a signal ends": () => each(byFile("sh", ["-c", `${SCORE}; kill -KILL $$`])),
  "a signal that a command handles": () =>
    seen(`trap 'echo caught; exit 4' TERM; kill -TERM $$; echo no`),
  "what is ignored stays as it was": () => seen("grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status"),
  "an AbortSignal": async () => {
    const results = [];
    for (const killSignal of [undefined, "SIGKILL"]) {
      for (const reason of [undefined, new Error("why")]) {
        const controller = new AbortController();
        const child = sh(`${SCORE}; exec sleep 100`, { signal: controller.signal, killSignal });
        await once(child.stdout, "data");
        const result = watch(child);
        controller.abort(reason);
        results.push(await result);
        results.push(
          await outcome(() => watch(sh("exec sleep 100", { signal: AbortSignal.abort(reason) }))),
        );
        results.push(
          await called((callback) =>
            exec("sleep 100", { signal: AbortSignal.timeout(50), killSignal }, callback),
          ),
        );
      }
    }
    return results;
  },
  "a timeout": async () => {
    const results = [];
    for (const killSignal of [undefined, "SIGKILL"]) {
      const options = { timeout: 300, killSignal };
      results.push(await each(byFile("sleep", ["100"], options)));
      results.push(await called((callback) => exec("exec sleep 100", options, callback)));
      results.push(await outcome(() => execSync("exec sleep 100", options)));
    }
    return results;
  },
  dispose: async () => {
    if (Symbol.dispose === undefined) return "not in this Node";
    const child = sh("exec sleep 100");
    child[Symbol.dispose]?.();
    if (!child.killed) child.kill();
    return watch(child);
  },
  unref: async () => {
    const child = sh("exec sleep 100");
    const result = [child.unref(), child.ref()];
    child.kill();
    return [plain(result), await watch(child)];
  },

  exec: async () => {
    const results = [];
    for (const [command, options] of [
      [`${SCORE}; echo error >&2; exit 5`],
      ["no-such-command"],
      [SCORE, { encoding: "buffer" }],
      ["echo hex", { encoding: "hex" }],
      [`${SCORE}; pwd`, { cwd: "/", env: { A: "1" } }],
      [SCORE, { shell: "/bin/bash" }],
      [SCORE, { shell: "/bin/no-such-shell" }],
      ["echo 1234567; exec sleep 100", { maxBuffer: 3 }],
      ["kill -TERM $$"],
    ]) {
      results.push(await called((callback) => exec(command, options, callback)));
      results.push(await outcome(() => promisify(exec)(command, options)));
      results.push(await outcome(() => execSync(command, { stdio: "pipe", ...options })));
    }
    return results;
  },
  "execFile, promisified": async () => {
    const started = promisify(execFile)("sh", ["-c", `${SCORE}; exit 6`]);
    return [
      fields(started.child),
      await outcome(() => started),
      await outcome(() => promisify(execFile)("sh", ["-c", SCORE])),
      await outcome(() => promisify(execFile)("no-such-command")),
    ];
  },
  "execFile without arguments, with a callback alone": async () => [
    await called((callback) => execFile("pwd", callback)),
    await called((callback) => execFile("pwd", { cwd: "/" }, callback)),
  ],
  spawnSync: async () => {
    const results = [];
    for (const options of [
      {},
      { encoding: "utf8", input: "from input" },
      { input: Buffer.from("bytes") },
      { stdio: ["ignore", "pipe", "ignore"] },
      { stdio: ["pipe", "pipe", "pipe", "pipe"] },
      { encoding: "buffer" },
    ]) {
      results.push(
        plain(spawnSync("sh", ["-c", `cat; ${SCORE}; echo error >&2; exit 2`], options)),
      );
    }
    results.push(plain(spawnSync("sh", ["-c", "echo 1234567; exec sleep 100"], { maxBuffer: 3 })));
    return results;
  },
  "execFileSync, and its standard error": async () => {
    // It goes to this process's own.
    const said = [];
    const { write } = process.stderr;
    process.stderr.write = (text) => said.push(String(text));
    const result = await outcome(() => execFileSync("sh", ["-c", `${SCORE}; echo error >&2`]));
    const failed = await outcome(() => execSync(`${SCORE}; echo error >&2; exit 1`));
    process.stderr.write = write;
    return [said, result, failed];
  },

  fork: async () => {
    const results = [];
    for (const options of [
      {},
      { silent: true, execArgv: [...process.execArgv, "--no-warnings"] },
      { serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"] },
      { detached: true, env: { PATH: process.env.PATH, A: "1" } },
    ]) {
      const child = fork(here("forked.js"), ["a", "b"], options);
      child.send({ question: [1, null, "ü"] });
      results.push(await watch(child));
    }
    return results;
  },
  "fork: a script that does not exist": async () => {
    const { events } = await watch(fork("/gone/script.js", { silent: true, execArgv: [] }));
    return events;
  },
  "fork: a handle that is sent": async () => {
    const server = createServer((socket) => socket.end("from the parent")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const child = fork(here("forked.js"), ["handle"]);
    child.send("server", server);
    const [message] = await once(child, "message");
    server.close();
    await once(child, "close");
    return message;
  },
  "fork: a signal, and a timeout": async () => [
    await watch(fork(here("forked.js"), ["wait"], { signal: AbortSignal.timeout(300) })),
    await watch(fork(here("forked.js"), ["wait"], { timeout: 300, killSignal: "SIGKILL" })),
  ],
  cluster: async () => {
    cluster.setupPrimary({ exec: here("forked.js"), args: ["cluster"] });
    const worker = cluster.fork();
    const [message] = await once(worker, "message");
    worker.disconnect();
    const end = await once(worker, "exit");
    return [message, end];
  },

  "the channel of diagnostics": async () => {
    const published = [];
    const channels = ["child_process", "tracing:child_process.spawn:start"];
    channels.push("tracing:child_process.spawn:end", "tracing:child_process.spawn:error");
    const subscriber = ({ process: child, options, error }, name) => {
      const { file, args, argv0, shell } = options ?? {};
      published.push(plain([name, child.spawnfile, { file, args, argv0, shell }, error]));
    };
    for (const name of channels) diagnostics.subscribe(name, subscriber);
    await seen(SCORE);
    await seen(SCORE, { argv0: "x" });
    await watch(spawn("no-such-command", ["a"]));
    for (const name of channels) diagnostics.unsubscribe(name, subscriber);
    return published;
  },
  "the resources that async_hooks sees": async () => {
    const types = [];
    const hook = createHook({ init: (_, type) => types.push(type) }).enable();
    const child = spawn("true", { stdio: "ignore" });
    hook.disable();
    await once(child, "close");
    // A second start takes a second handle.
    const starts = process.env.BUSY ? 2 : 1;
    return types.filter((type) => type === "PROCESSWRAP").length / starts;
  },
  "the functions": () => {
    const common = createRequire(import.meta.url)("node:child_process");
    const imported = new Map(Object.entries(cp));
    return Object.entries(common).map(([name, value]) => [
      name,
      value.name,
      value.length,
      String(value),
      typeof value[promisify.custom],
      value === imported.get(name),
      Object.getOwnPropertyNames(value),
    ]);
  },
  "a ChildProcess by hand": async () => {
    const results = [];
    for (const options of [
      { file: "sh", args: ["sh", "-c", SCORE] },
      { file: "no-such-command", args: ["x"] },
      { file: "sh", args: ["name", "-c", 'echo "$0"'], envPairs: ["PATH=/bin", "A=1"], cwd: "/" },
    ]) {
      const child = new cp.ChildProcess();
      const start = () => {
        child.spawn(options);
        return watch(child);
      };
      results.push(await outcome(start));
    }
    results.push(await outcome(() => new cp.ChildProcess().spawn({ file: 7 })));
    results.push(await outcome(() => new cp.ChildProcess().spawn()));
    return results;
  },
  "no free descriptor": async () => {
    const args = ["--no-warnings", here("few-descriptors.js")];
    const node = [NODE, ...process.execArgv, ...args].map((arg) => `'${arg}'`).join(" ");
    return (await seen(`ulimit -n 60; exec ${node}`)).stdout;
  },
  "a worker thread": async () => {
    const worker = new Worker(here("worker.js"));
    const [message] = await once(worker, "message");
    return message;
  },
};
