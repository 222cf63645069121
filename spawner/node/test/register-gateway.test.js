// What oomexec/register does with a gateway's children: which it leaves alone, which it pins, and
// what its settings change.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SHIM, spawnerScript } from "../lib/script.js";
import { scoreOf } from "../testenv/child.js";
import { newDirectory } from "../testenv/files.js";
import { node, REGISTER, withOomexec } from "../testenv/register/node.js";
import { notTestedHere } from "../testenv/skip.js";

const OWN = scoreOf("self");
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const GATEWAY = fileURLToPath(new URL("../testenv/register/gateway.js", import.meta.url));
const SCORE = `read score </proc/self/oom_score_adj; echo "$score"`;

/** Makes programs with these names, which print their score, in the first directory of PATH. */
function withPrograms(t, names) {
  const directory = newDirectory(t);
  const { env, oomexec } = withOomexec(`${directory}/oomexec-bin`);
  for (const name of names) {
    writeFileSync(`${directory}/${name}`, `#!/bin/sh\n${SCORE}\n`, { mode: 0o755 });
  }
  return { directory, oomexec, env: { ...env, PATH: `${directory}${delimiter}${env.PATH}` } };
}

/** Runs a script in a registered Node. Returns what it returns. */
async function inGateway(script, env, { args = [], cwd } = {}) {
  const body = `const cp = require("node:child_process");
    (async () => { ${script} })().then((result) => console.log(JSON.stringify(result)));`;
  const all = [`--import=${REGISTER}`, ...args, "--input-type=commonjs", "-e", body];
  const { stdout, stderr, code } = await node(all, { env, cwd });
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

// Each start prints one score.
const scores = (starts, env, options) =>
  inGateway(
    `const score = (file, args = [], options) =>
       Number(cp.execFileSync(file, args, { encoding: "utf8", ...options }));
     const shell = (command, options) =>
       Number(cp.execSync(command, { encoding: "utf8", ...options }));
     return [${starts.join()}];`,
    env,
    options,
  );

describe("a child is started directly", () => {
  test("if it is a transport, by its name, its path or as a shell's first word", async (t) => {
    const names = ["docker", "podman", "nerdctl", "kubectl", "ssh", "docker-tool"];
    const { directory, env } = withPrograms(t, names);
    const starts = [
      ...names.map((name) => `score("${name}", ["x"])`),
      `score("${directory}/docker")`,
      `score("sh", ["-ec", "docker x"])`,
      `score("bash", ["-o", "errexit", "-c", "docker"])`,
      ...["docker x | cat", "A=1 B='2 3' exec docker x", `"${directory}/docker" x`].map(
        (command) => `shell(${JSON.stringify(command)})`,
      ),
      `shell("docker", { shell: "/bin/bash" })`,
    ];
    const expected = starts.map((start) => (start.includes("docker-tool") ? 1000 : OWN));
    assert.deepEqual(await scores(starts, env), expected);
    const others = [`shell("echo docker >&2; cat /proc/self/oom_score_adj", {stdio: "pipe"})`];
    others.push(`shell("cat docker-tool >/dev/null; cat /proc/self/oom_score_adj")`);
    others.push(`score("sh", ["docker-tool", "-c", "docker"])`);
    assert.deepEqual(await scores(others, env, { cwd: directory }), [1000, 1000, 1000]);
  });

  test("if OOMEXEC_EXEMPT names it, besides the defaults; `-` takes away", async (t) => {
    const names = ["docker", "ssh", "own", "own-a", "other"];
    const { env } = withPrograms(t, names);
    const starts = names.map((name) => `score("${name}")`);
    const run = (OOMEXEC_EXEMPT) => scores(starts, { ...env, OOMEXEC_EXEMPT });
    assert.deepEqual(await run("own"), [OWN, OWN, OWN, 1000, 1000]);
    assert.deepEqual(await run("own*, -ssh"), [OWN, 1000, OWN, OWN, 1000]);
    assert.deepEqual(await run("-*"), [1000, 1000, 1000, 1000, 1000]);
  });

  test("if it, or the gateway, is opted out", async (t) => {
    const { env } = withPrograms(t, ["tool"]);
    const starts = [
      `score("tool")`,
      `score("tool", [], { env: { ...process.env, OPENCLAW_CHILD_OOM_SCORE_ADJ: "off" } })`,
    ];
    assert.deepEqual(await scores(starts, env), [1000, OWN]);
    const optedOut = { ...env, OPENCLAW_CHILD_OOM_SCORE_ADJ: "0" };
    assert.deepEqual(await scores(starts, optedOut), [OWN, OWN]);
  });

  test("if there is no oomexec", async (t) => {
    const { env } = withPrograms(t, ["tool"]);
    const starts = [`score("tool")`, `shell("tool")`];
    const PATH = env.PATH.split(delimiter)
      .filter((directory) => !directory.endsWith("oomexec-bin"))
      .join(delimiter);
    assert.deepEqual(await scores(starts, { ...env, PATH }), [OWN, OWN]);
  });

  test("if oomexec starts it already", async (t) => {
    const { directory, oomexec, env } = withPrograms(t, ["tool"]);
    symlinkSync(oomexec, `${directory}/oomexec-n,300@tool`);
    const starts = [
      `score("oomexec", ["-n", "300", "--", "tool"])`,
      `score("${oomexec}", ["-n", "300", "--", "tool"])`,
      `score("oomexec-n,300@tool")`,
    ];
    assert.deepEqual(await scores(starts, env), [300, 300, 300]);
  });
});

describe("the gateway's own body keeps its score, and its children are raised", () => {
  for (const option of ["--import", "--require"]) {
    test(`it starts itself again, and a process with a channel, with ${option}`, async (t) => {
      const { env } = withPrograms(t, []);
      const file = option === "--require" ? fileURLToPath(REGISTER) : REGISTER;
      if (option === "--require" && !process.features.require_module) {
        return notTestedHere(t, "this Node cannot require a module");
      }
      // `node` in PATH is this one.
      env.PATH = `${newDirectory(t)}${delimiter}${env.PATH}`;
      symlinkSync(process.execPath, `${env.PATH.split(delimiter)[0]}/node`);
      const { stdout, stderr } = await node([`${option}=${file}`, GATEWAY], { env });
      assert.equal(stderr, "");
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const body = (role) => ({ role, own: OWN, child: 1000 });
      assert.deepEqual(lines, [
        body("gateway"),
        body("restarted"),
        body("restarted"),
        body("restarted"),
        body("broker"),
        { role: "tool", own: 1000, child: 1000 },
      ]);
    });
  }

  test("also as a link, as npm makes it", async (t) => {
    const { env, directory } = withPrograms(t, []);
    symlinkSync(GATEWAY, `${directory}/gateway`);
    const again = `import { execFileSync } from "node:child_process";
      import { readFileSync } from "node:fs";
      const [, script, end] = process.argv;
      console.log(readFileSync("/proc/self/oom_score_adj", "utf8").trim());
      const start = (file, ...args) =>
        end || execFileSync(file, [...args, "end"], { stdio: "inherit" });
      start(process.execPath, script);
      start(process.execPath, "${directory}/real.mjs");
      start("${directory}/real.mjs");`;
    const shebang = `#!${process.execPath}\n${again}`;
    writeFileSync(`${directory}/real.mjs`, shebang, { mode: 0o755 });
    symlinkSync("real.mjs", `${directory}/link.mjs`);
    const { stdout } = await node([`--import=${REGISTER}`, `${directory}/link.mjs`], { env });
    assert.equal(stdout, `${OWN}\n`.repeat(4));
  });
});

describe("a browser", () => {
  // A score can be lowered to that of the gateway at least.
  const LOWER = `{ echo ${OWN} >/proc/self/oom_score_adj; } 2>/dev/null; ${SCORE}`;
  const BY_APPENDING = `{ echo ${OWN} >>/proc/self/oom_score_adj; } 2>/dev/null; ${SCORE}`;

  function withBrowsers(t, names, script) {
    const programs = withPrograms(t, []);
    for (const name of names) {
      writeFileSync(`${programs.directory}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    return programs;
  }

  async function canPin(t, pin) {
    const { oomexec, env } = withPrograms(t, []);
    const script = pin === "--pin" ? LOWER : BY_APPENDING;
    const starts = [`score("${oomexec}", ["${pin}", "--", "sh", "-c", ${JSON.stringify(script)}])`];
    const [score] = await scores(starts, env).catch(() => [undefined]);
    return score === 1000 || notTestedHere(t, `oomexec ${pin} holds no score here`);
  }

  test("is pinned by its name, and Firefox is not", async (t) => {
    if (!(await canPin(t, "--pin"))) return;
    const pinned = [
      "chromium",
      "chrome",
      "google-chrome-stable",
      "chrome-headless-shell",
      "msedge",
    ];
    const names = [...pinned, "brave", "chromedriver", "firefox", "mychrome"];
    const { env } = withBrowsers(t, names, LOWER);
    const starts = [...names.map((name) => `score("${name}")`), `shell("chromium")`];
    const free = ["firefox", "mychrome"];
    const expected = [...names.map((name) => (free.includes(name) ? OWN : 1000)), 1000];
    assert.deepEqual(await scores(starts, env), expected);
  });

  test("is pinned if OOMEXEC_PIN names it, besides the defaults; `-` takes away", async (t) => {
    if (!(await canPin(t, "--pin"))) return;
    const names = ["chromium", "chrome", "own"];
    const { env } = withBrowsers(t, names, LOWER);
    const starts = names.map((name) => `score("${name}")`);
    const run = (OOMEXEC_PIN) => scores(starts, { ...env, OOMEXEC_PIN });
    assert.deepEqual(await run("own"), [1000, 1000, 1000]);
    assert.deepEqual(await run("own,-chromium*"), [OWN, 1000, 1000]);
    assert.deepEqual(await run("-* own"), [OWN, OWN, 1000]);
  });

  test("that writes without truncation is pinned as NAME=write", async (t) => {
    if (!(await canPin(t, "--pin=write"))) return;
    const { env } = withBrowsers(t, ["firefox"], BY_APPENDING);
    const run = (OOMEXEC_PIN) => scores([`score("firefox")`], { ...env, OOMEXEC_PIN });
    assert.deepEqual(await run("firefox"), [OWN]);
    assert.deepEqual(await run("firefox=write"), [1000]);
  });
});

describe("a shim by which the gateway already starts a child is left out", () => {
  const CARRIED = ["BASH_ENV", "ENV", "CDPATH", "PS4"];
  const carrier = (name) => `OC_INTERNAL_OOM_EXEC_${name}`;
  // openclaw's longer one (src/process/linux-oom-score.ts).
  const restore = (name) =>
    `if [ "\${OC_X+x}" = x ]; then X="$OC_X"; export X; fi; unset OC_X; `
      .replaceAll("OC_X", carrier(name))
      .replaceAll("X=", `${name}=`)
      .replace("export X", `export ${name}`);
  const LONGER = SHIM.replace("exec ", () => `${CARRIED.map(restore).join("")}exec `);

  const environment = (script, env, gatewayEnv) =>
    inGateway(
      `const [text, score] = cp.execFileSync("/bin/sh", ["-c", ${JSON.stringify(script)},
         "cat", "/proc/self/environ", "/proc/self/oom_score_adj"],
         { encoding: "latin1", env: { PATH: process.env.PATH, ...${JSON.stringify(env)} } },
       ).split(/\\0(?=-?\\d+\\n$)/);
       const pairs = text.split("\\0").map((pair) => pair.split("="));
       return [Object.fromEntries(pairs), Number(score)];`,
      gatewayEnv,
    );

  test("so that its environment is as given", async (t) => {
    const { env } = withPrograms(t, []);
    const odd = { "MY-VAR": "1", "a.b": "2" };
    for (const [script, score] of [
      [SHIM, 1000],
      [spawnerScript(1000), 1000],
      [spawnerScript(700), 700],
    ]) {
      assert.deepEqual(await environment(script, odd, env), [{ PATH: env.PATH, ...odd }, score]);
    }
  });

  test("and what the longer form carries has its name back", async (t) => {
    const { env } = withPrograms(t, []);
    const given = { PS4: "old", "MY-VAR": "1", [carrier("PS4")]: "+ ", [carrier("ENV")]: "" };
    const expected = { PATH: env.PATH, "MY-VAR": "1", PS4: "+ ", ENV: "" };
    assert.deepEqual(await environment(LONGER, given, env), [expected, 1000]);
  });

  test("but not another script, nor one whose command cannot be found", async (t) => {
    const { env } = withPrograms(t, []);
    const run = (script, command) =>
      inGateway(
        `const { status, stdout, stderr } = cp.spawnSync("/bin/sh",
           ["-c", ${JSON.stringify(script)}, ${JSON.stringify(command)}, "-c", "echo $0"],
           { encoding: "utf8" });
         return [status, stdout, stderr];`,
        env,
      );
    assert.deepEqual(await run(SHIM.replace(";", "; echo more;"), "sh"), [0, "more\nsh\n", ""]);
    const [status, stdout, stderr] = await run(SHIM, "no-such-command");
    assert.deepEqual([status, stdout], [127, ""]);
    assert.match(stderr, /no-such-command/);
  });

  test("and the command decides what is exempt or pinned", async (t) => {
    const { env } = withPrograms(t, ["own"]);
    const log = `${newDirectory(t)}/log`;
    const shim = JSON.stringify(SHIM);
    const starts = ["own", "sh"].map((name) => `score("/bin/sh", ["-c", ${shim}, "${name}"])`);
    const settings = { OOMEXEC_EXEMPT: "own", OOMEXEC_LOG: log };
    await scores(starts.slice(0, 1), { ...env, ...settings });
    assert.match(readFileSync(log, "utf8"), /: own: pid \d+, direct: exempt\n$/);
  });
});

describe("a worker thread", () => {
  // As Node lets it: README.md says the same.
  const CASES = [
    ["of a file", "--import", {}, 1000],
    ["of text, with --import", "--import", { eval: true }, OWN],
    ["of text, with --require", "--require", { eval: true }, 1000],
    ["with execArgv: []", "--import", { execArgv: [] }, OWN],
    ["with execArgv: [], by NODE_OPTIONS", "NODE_OPTIONS", { execArgv: [] }, 1000],
    ["with its own env", "--import", { env: {} }, 1000],
    ["with its own env, by NODE_OPTIONS", "NODE_OPTIONS", { env: {} }, OWN],
  ];
  for (const [name, how, options, expected] of CASES) {
    test(`${name}: its children are ${expected === OWN ? "not " : ""}raised`, async (t) => {
      if (how === "--require" && !process.features.require_module) {
        return notTestedHere(t, "this Node cannot require a module");
      }
      const { env, directory } = withPrograms(t, []);
      const body = `const { execFileSync } = require("node:child_process");
        const score = execFileSync("cat", ["/proc/self/oom_score_adj"], { encoding: "utf8" });
        require("node:worker_threads").parentPort.postMessage(Number(score));`;
      writeFileSync(`${directory}/worker.cjs`, body);
      const first = options.eval ? body : `${directory}/worker.cjs`;
      const given = { ...options, ...(options.env && { env: { PATH: env.PATH } }) };
      writeFileSync(
        `${directory}/main.cjs`,
        `const { Worker } = require("node:worker_threads");
         const worker = new Worker(${JSON.stringify(first)}, ${JSON.stringify(given)});
         worker.on("message", console.log);`,
      );
      const file = how === "--require" ? fileURLToPath(REGISTER) : REGISTER;
      const [args, more] =
        how === "NODE_OPTIONS"
          ? [[], { NODE_OPTIONS: `--import=${file}` }]
          : [[`${how}=${file}`], {}];
      const { stdout, stderr } = await node([...args, `${directory}/main.cjs`], {
        env: { ...env, ...more },
      });
      assert.deepEqual([stdout, stderr], [`${expected}\n`, ""]);
    });
  }
});

test("no child is lost while oomexec is replaced, by rename and in place", async (t) => {
  const { env, oomexec, directory } = withPrograms(t, ["tool"]);
  const replace = `while :; do cp ${oomexec} ${directory}/new; mv ${directory}/new ${oomexec}
    cat ${directory}/copy >${oomexec}; rm -f ${oomexec}; cp ${directory}/copy ${oomexec}; done`;
  cpSync(oomexec, `${directory}/copy`);
  const counts = await inGateway(
    `const replacing = cp.spawn("sh", ["-c", ${JSON.stringify(replace)}], { stdio: "ignore",
       env: { ...process.env, OPENCLAW_CHILD_OOM_SCORE_ADJ: "0" } });
     const counts = {};
     const count = (result) => (counts[result] = (counts[result] ?? 0) + 1);
     const { promisify } = require("node:util");
     for (let round = 0; round < 30; round++) {
       const { stdout, error, status } = cp.spawnSync("tool", { encoding: "utf8" });
       count(error?.code ?? status + " " + stdout.trim());
       const started = Array.from({ length: 10 }, () => promisify(cp.execFile)("tool"));
       for (const result of await Promise.allSettled(started)) {
         count(result.reason?.message ?? "0 " + result.value.stdout.trim());
       }
     }
     replacing.kill("SIGKILL");
     return counts;`,
    env,
  );
  const { "0 1000": raised = 0, [`0 ${OWN}`]: direct = 0, ...lost } = counts;
  assert.deepEqual([lost, raised + direct], [{}, 330]);
});

describe("settings", () => {
  test("OOMEXEC_SCORE is the score", async (t) => {
    const { env } = withPrograms(t, ["tool"]);
    const starts = [`score("tool")`, `shell("tool")`];
    assert.deepEqual(await scores(starts, { ...env, OOMEXEC_SCORE: "500" }), [500, 500]);
  });

  test("OOMEXEC_LOG tells of each child how it was started, in a file or on stderr", async (t) => {
    const { env } = withPrograms(t, ["tool", "docker", "chromium"]);
    const log = `${newDirectory(t)}/log`;
    const script = `cp.spawnSync("tool", ["secret"]); cp.spawnSync("docker"); cp.spawnSync("gone");
      await new Promise((resolve) => cp.execFile("chromium", resolve));`;
    await inGateway(`${script}; return 0;`, { ...env, OOMEXEC_LOG: log });
    const expected = [
      /^oomexec\/register\[\d+\]: tool: pid \d+, oomexec$/,
      /^oomexec\/register\[\d+\]: docker: pid \d+, direct: exempt$/,
      /^oomexec\/register\[\d+\]: gone: not started, direct: not-found$/,
      /^oomexec\/register\[\d+\]: chromium: pid \d+, oomexec, pinned$/,
    ];
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, expected.length);
    for (const [index, pattern] of expected.entries()) assert.match(lines[index], pattern);

    const args = [`--import=${REGISTER}`, "-e", `require("child_process").spawnSync("tool")`];
    const { stderr } = await node(args, { env: { ...env, OOMEXEC_LOG: "stderr" } });
    assert.match(stderr.trimEnd(), expected[0]);
  });

  test("that are wrong stop the gateway before it starts, with a line that says what", async () => {
    for (const [name, value, message] of [
      ["OOMEXEC_SCORE", "high", "OOMEXEC_SCORE: 'high' is not a whole number from -1000 to 1000"],
      ["OOMEXEC_SCORE", "1001", "OOMEXEC_SCORE: '1001' is not"],
      ["OOMEXEC_LOG", "log", "OOMEXEC_LOG: 'log' is neither stderr nor an absolute path"],
      ["OOMEXEC_EXEMPT", "/bin/ssh", "OOMEXEC_EXEMPT: '/bin/ssh' is not the name of a program"],
      ["OOMEXEC_PIN", "firefox=all", "OOMEXEC_PIN: 'firefox=all'"],
      ["OOMEXEC_EXEMPT", "ssh=write", "OOMEXEC_EXEMPT: 'ssh=write'"],
    ]) {
      const args = [`--import=${REGISTER}`, "-e", "console.log('started')"];
      const { stdout, stderr, code } = await node(args, {
        env: { ...process.env, [name]: value },
      });
      assert.deepEqual([stdout, code], ["", 1]);
      assert.ok(stderr.includes(`Error: ${message}`), stderr);
    }
  });

  test("are printed by register.js as a program", async (t) => {
    const { env, oomexec } = withPrograms(t, []);
    const { stdout, code } = await node([fileURLToPath(REGISTER)], {
      env: { ...env, OOMEXEC_EXEMPT: "own,-ssh", OOMEXEC_PIN: "-*,firefox=write" },
    });
    assert.equal(code, 0);
    assert.deepEqual(stdout.split("\n"), [
      `to use it       node --import=${REGISTER} GATEWAY.js`,
      `or              node --require=${fileURLToPath(REGISTER)} GATEWAY.js`,
      `oomexec         ${oomexec}`,
      "OOMEXEC_EXEMPT  docker kubectl nerdctl podman own",
      "OOMEXEC_PIN     firefox=write",
      "OOMEXEC_SCORE   1000",
      "OOMEXEC_LOG     (none)",
      "",
    ]);
  });
});

describe("the package", () => {
  test("is found as oomexec/register, and two copies of it wrap a child once", async (t) => {
    const { env, directory } = withPrograms(t, ["tool"]);
    for (const copy of ["one", "two"]) {
      const target = `${directory}/${copy}/node_modules/oomexec`;
      mkdirSync(target, { recursive: true });
      for (const part of ["package.json", "index.js", "register.js", "lib"]) {
        cpSync(`${PACKAGE}${part}`, `${target}/${part}`, { recursive: true });
      }
    }
    const second = `--import=file://${directory}/two/node_modules/oomexec/register.js`;
    const script = `console.log(require("child_process").execFileSync("tool", ["x"]) + "")`;
    const { stdout, stderr } = await node(["--import", "oomexec/register", second, "-e", script], {
      cwd: `${directory}/one`,
      env: { ...env, OOMEXEC_LOG: "stderr" },
    });
    assert.equal(stdout, "1000\n\n");
    assert.match(stderr, /^oomexec\/register[^\n]*\n$/);
  });

  test("reaches each Node below the gateway by NODE_OPTIONS", async (t) => {
    const { env } = withPrograms(t, []);
    const log = `${newDirectory(t)}/log`;
    const inner = `require("child_process").execSync("true")`;
    const outer = `const { execFileSync } = require("child_process");
      execFileSync(process.execPath, ["-e", ${JSON.stringify(inner)}]);`;
    const { code } = await node(["-e", outer], {
      env: { ...env, NODE_OPTIONS: `--import=${REGISTER}`, OOMEXEC_LOG: log },
    });
    assert.equal(code, 0);
    assert.equal(readFileSync(log, "utf8").match(/oomexec$/gm).length, 2);
  });

  test("warns of nothing, whatever is asked of Node's warnings", async (t) => {
    const { env } = withPrograms(t, ["tool"]);
    for (const args of [
      ["--pending-deprecation"],
      ["--pending-deprecation", "--throw-deprecation"],
      ["--no-deprecation"],
    ]) {
      assert.deepEqual(await scores([`score("tool")`], env, { args }), [1000]);
    }
  });

  test("raises what is not waited for under the permission model", async (t) => {
    const { env } = withPrograms(t, ["tool"]);
    const permission = ["--permission", "--experimental-permission"].find((option) =>
      process.allowedNodeEnvironmentFlags.has(option),
    );
    // Node 20 warns that it is experimental.
    const options = { args: [permission, "--allow-child-process", "--allow-fs-read=*"] };
    options.args.push("--no-warnings");
    const result = await inGateway(
      `const { promisify } = require("node:util");
       return [cp.execFileSync("tool") + "", (await promisify(cp.execFile)("tool")).stdout];`,
      env,
      options,
    );
    assert.deepEqual(result, [`${OWN}\n`, "1000\n"]);
  });
});
