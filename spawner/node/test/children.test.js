import assert from "node:assert/strict";
import { spawn as spawnChild, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { prepare, spawn } from "../index.js";
import { end, line, run, scoreOf, start } from "../testenv/child.js";
import { newDirectory } from "../testenv/files.js";
import { OOMEXEC } from "../testenv/oomexec.js";
import { notTestedHere } from "../testenv/skip.js";

const OWN = scoreOf("self");
const WAYS = {
  oomexec: { options: { oomexec: OOMEXEC }, score: 1000 },
  sh: { options: { oomexec: false }, score: 1000 },
  direct: { options: { oomexec: false, shellAvailable: () => false }, score: OWN },
};

test("the tests themselves run below 1000", () => {
  assert.ok(OWN < 1000, "otherwise a raised child looks like the gateway");
});

for (const [via, { options, score }] of Object.entries(WAYS)) {
  describe(`a child started through ${via}`, () => {
    test(`has ${via === "direct" ? "the inherited score" : "score 1000"}, and the gateway keeps its own`, async () => {
      const prepared = prepare("sh", ["-c", "echo ready; exec cat"], options);
      assert.equal(prepared.via, via);
      const child = start(prepared);
      try {
        assert.equal(await line(child), "ready");
        assert.equal(scoreOf(child.pid), score);
        assert.equal(scoreOf("self"), OWN);
      } finally {
        await end(child);
      }
    });

    test("has the pid that spawn returned", async () => {
      const child = start(prepare("sh", ["-c", "echo $$; exec cat"], options));
      try {
        assert.equal(Number(await line(child)), child.pid);
      } finally {
        await end(child);
      }
    });

    test("gets its arguments unchanged", async () => {
      const args = ["--", "", "-n", " a  b ", "ünï ✓", "\n", "$HOME", "*", '"$@"', "-c", "%s"];
      const script = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
      const { stdout } = await run(
        prepare(process.execPath, ["-e", script, "--", ...args], options),
      );
      assert.deepEqual(JSON.parse(stdout), args);
    });

    test("keeps its score when opted out", async () => {
      const env = { ...process.env, OPENCLAW_CHILD_OOM_SCORE_ADJ: " Off" };
      const prepared = prepare("cat", ["/proc/self/oom_score_adj"], { ...options, env });
      assert.equal(Number((await run(prepared)).stdout), OWN);
    });

    test("passes on its exit status, and nothing is added to its output", async () => {
      const end = await run(prepare("sh", ["-c", "exit 7"], options));
      assert.deepEqual(end, { stdout: "", stderr: "", code: 7, signal: null });
    });

    test("passes on the signal that ended it", async () => {
      const { signal } = await run(prepare("sh", ["-c", "kill -TERM $$"], options));
      assert.equal(signal, "SIGTERM");
    });

    test("fails with the native spawn error if it cannot run", async (t) => {
      const directory = newDirectory(t);
      const plain = `${directory}/notes`;
      writeFileSync(plain, "");
      for (const [command, cwd] of [
        ["no-such-command"],
        [`${directory}/gone`],
        [plain],
        ["./notes", directory],
        ["cat", `${directory}/gone`],
      ]) {
        const [error] = await once(
          start(prepare(command, ["x"], { ...options, cwd }), { cwd }),
          "error",
        );
        const [native] = await once(spawnChild(command, ["x"], { cwd }), "error");
        assert.deepEqual(
          { ...error, message: error.message },
          { ...native, message: native.message },
        );
      }
    });

    test("is looked up in its own directory, given as a URL", async (t) => {
      const directory = newDirectory(t);
      writeFileSync(
        `${directory}/score`,
        "#!/bin/sh\nread score </proc/$$/oom_score_adj; echo $score\n",
      );
      chmodSync(`${directory}/score`, 0o755);
      const cwd = new URL(`file://${directory}`);
      const prepared = prepare("./score", [], { ...options, cwd });
      assert.equal(prepared.via, via);
      assert.equal(Number((await run(prepared, { cwd })).stdout), score);
    });
  });
}

test("argv0 reaches the child through oomexec, and directly without oomexec", async () => {
  for (const [options, via, score] of [
    [{ oomexec: OOMEXEC }, "oomexec", 1000],
    [{ oomexec: false }, "direct", OWN],
  ]) {
    const prepared = prepare("cat", ["/proc/self/cmdline", "/proc/self/oom_score_adj"], {
      ...options,
      argv0: "-cat",
    });
    assert.equal(prepared.via, via);
    const { stdout } = await run(prepared);
    assert.equal(stdout, `-cat\0/proc/self/cmdline\0/proc/self/oom_score_adj\0${score}\n`);
  }
});

for (const [pin, option, redirect] of [
  [true, "--pin", ">"],
  ["write", "--pin=write", ">>"],
]) {
  test(`a child with pin ${pin} is held at 1000 if the kernel has Landlock`, async (t) => {
    const lower = `exec 2>/dev/null; echo ${OWN} ${redirect}/proc/self/oom_score_adj`;
    const args = ["-c", `${lower}; cat /proc/self/oom_score_adj`];
    const scoreWith = async (pin) =>
      Number((await run(prepare("sh", args, { oomexec: OOMEXEC, pin }))).stdout);
    assert.equal(await scoreWith(false), OWN);
    const held = spawnSync(OOMEXEC, [option, "--", "sh", ...args], { encoding: "utf8" });
    const isHeld = Number(held.stdout) === 1000;
    if (!isHeld) t.diagnostic("Landlock cannot pin on this kernel: only the launch is tested");
    assert.equal(await scoreWith(pin), isHeld ? 1000 : OWN);
  });
}

test("a child has the score that the caller chose", async () => {
  // The lowest that everybody may choose.
  for (const score of [OWN, (OWN + 1000) >> 1, 999]) {
    for (const { options } of [WAYS.oomexec, WAYS.sh]) {
      const prepared = prepare("cat", ["/proc/self/oom_score_adj"], { ...options, score });
      assert.equal((await run(prepared)).stdout, `${score}\n`);
    }
  }
});

test("a command prepared twice is wrapped once", async () => {
  for (const { options } of [WAYS.oomexec, WAYS.sh]) {
    const once = prepare("cat", ["/proc/self/oom_score_adj"], options);
    const twice = prepare(once.command, once.args, options);
    assert.deepEqual([twice.command, twice.args, twice.wrapped], [once.command, once.args, true]);
    assert.equal(Number((await run(twice)).stdout), 1000);
  }
});

test("the shell reads no startup file from BASH_ENV or ENV", async (t) => {
  const startup = `${newDirectory(t)}/startup`;
  writeFileSync(startup, "echo startup\n");
  const env = { ...process.env, BASH_ENV: startup, ENV: startup };
  const { stdout } = await run(
    prepare("cat", ["/proc/self/oom_score_adj"], { oomexec: false, env }),
  );
  assert.equal(stdout, "1000\n");
});

test("the shim is silent in each shell if the write is refused", async (t) => {
  const [, script] = prepare("true", [], { oomexec: false }).args;
  const readOnly = 'mount --bind /proc /proc && mount -o remount,ro,bind /proc && exec "$@"';
  const unshare = [["-m"], ["-rm"]].find(
    (as) => spawnSync("unshare", [...as, "sh", "-c", readOnly, "sh", "true"]).status === 0,
  );
  if (unshare === undefined) return notTestedHere(t, "/proc cannot be made read-only here");
  const shells = [["/bin/sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"]];
  for (const shell of shells.filter(([name]) => spawnSync(name, ["-c", ":"]).error === undefined)) {
    const shim = [...shell, "-c", script, "cat", "/proc/self/oom_score_adj"];
    const { stdout, stderr } = spawnSync(
      "unshare",
      [...unshare, "sh", "-c", readOnly, "sh", ...shim],
      { encoding: "utf8" },
    );
    assert.deepEqual({ shell, stdout, stderr }, { shell, stdout: `${OWN}\n`, stderr: "" });
  }
});

describe("spawn", () => {
  test("starts a raised child", async () => {
    const child = spawn("cat", ["/proc/self/oom_score_adj"], { oomexec: OOMEXEC });
    assert.equal(Number(await text(child.stdout)), 1000);
  });

  test("works without arguments and options", async () => {
    const [code] = await once(spawn("true"), "exit");
    assert.equal(code, 0);
  });

  test("takes options as its second argument", async () => {
    const child = spawn("env", { oomexec: OOMEXEC, env: { PATH: process.env.PATH, ONLY: "this" } });
    assert.match(await text(child.stdout), /^ONLY=this$/m);
  });

  test("passes on argv0", async () => {
    const child = spawn("cat", ["/proc/self/cmdline"], { oomexec: OOMEXEC, argv0: "-cat" });
    assert.equal(child.spawnargs[0], OOMEXEC, "oomexec keeps its own argv[0]");
    assert.equal(await text(child.stdout), "-cat\0/proc/self/cmdline\0");
  });

  test("raises the shell of the shell option", async () => {
    const child = spawn("cat /proc/self/oom_score_adj;", ["echo", "$0"], {
      oomexec: OOMEXEC,
      shell: true,
    });
    assert.equal(await text(child.stdout), "1000\n/bin/sh\n");
  });

  test("throws what child_process.spawn throws for an invalid command", () => {
    for (const command of ["", undefined, 7, "a\0b"]) {
      const native = errorOf(() => spawnChild(command, []));
      assert.equal(errorOf(() => spawn(command, [])).code, native.code);
    }
  });
});

function errorOf(call) {
  try {
    call().on("error", () => {});
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}
