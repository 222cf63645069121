import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { describe, test } from "node:test";
import { prepare } from "oomexec";
import { end, kill, lines, newDirectory, start } from "../testenv/child.js";
import { OWN, scoreOf, WAYS } from "../testenv/oomexec.js";
import { processes, programOf, statOf, until } from "../testenv/process.js";

// The children in these tests read a pipe from the gateway, so they end when the gateway does.

const which = (name) =>
  realpathSync(execFileSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim());

for (const [via, { how, score }] of Object.entries(WAYS)) {
  const startHere = (t, command, args, options) => {
    const prepared = prepare(command, args, how);
    assert.equal(prepared.via, via);
    return start(t, prepared, options);
  };

  describe(`a supervisor's child started through ${via}`, () => {
    test("has the pid that spawn returned and its score, and the gateway keeps its own score", async (t) => {
      const child = startHere(t, "cat");
      const line = lines(child.stdout);
      child.stdin.write("ready\n");
      assert.equal(await line(), "ready");
      assert.equal(programOf(child.pid), which("cat"));
      assert.equal(statOf(child.pid).name, "cat");
      assert.equal(statOf(child.pid).parent, process.pid);
      assert.equal(scoreOf(child.pid), score);
      assert.equal(scoreOf("self"), OWN);

      const ended = end(child);
      child.stdin.end();
      assert.equal(await ended, 0);
      assert.equal(await line(), undefined);
    });

    test("has the same descriptors as after a plain spawn", async (t) => {
      const file = `${newDirectory(t)}/log`;
      const log = openSync(file, "w");
      t.after(() => closeSync(log));
      const stdio = ["pipe", "pipe", "pipe", "pipe", log];
      const descriptorsOf = async (child) => {
        const line = lines(child.stdout);
        child.stdin.write("ready\n");
        assert.equal(await line(), "ready");
        const names = readdirSync(`/proc/${child.pid}/fd`).sort();
        assert.equal(readlinkSync(`/proc/${child.pid}/fd/4`), file);
        child.stdin.end();
        return names;
      };
      const plain = await descriptorsOf(start(t, { command: "cat", args: [] }, { stdio }));
      assert.deepEqual(await descriptorsOf(startHere(t, "cat", [], { stdio })), plain);
    });

    test("reads and writes an extra descriptor", async (t) => {
      const script = 'read word <&3; echo "got $word" >&3';
      const child = startHere(t, "sh", ["-c", script], {
        stdio: ["ignore", "inherit", "inherit", "pipe"],
      });
      const line = lines(child.stdio[3]);
      child.stdio[3].write("extra\n");
      assert.equal(await line(), "got extra");
      assert.equal(await line(), undefined);
    });

    test("leads its own group, and a signal to the group ends every process in it", async (t) => {
      const script =
        "cat <&3 >/dev/null & (cat <&3 >/dev/null & cat <&3 >/dev/null) & cat <&3 >/dev/null";
      const child = startHere(t, "sh", ["-c", script], {
        stdio: ["ignore", "ignore", "inherit", "pipe"],
      });
      const line = lines(child.stdio[3]);
      const inGroup = () => processes().filter(({ group }) => group === child.pid);
      await until(
        "four cats run",
        () => inGroup().filter(({ name }) => name === "cat").length === 4,
      );
      const group = inGroup();
      assert.ok(group.some(({ pid }) => pid === child.pid));
      for (const { pid, name, session } of group) {
        assert.equal(session, child.pid, `the session of ${name}`);
        assert.equal(scoreOf(pid), score, `the score of ${name}`);
      }

      const ended = end(child);
      kill(child, "SIGTERM");
      assert.equal(await ended, "SIGTERM");
      assert.equal(await line(), undefined);
      await until("all have ended", () => inGroup().length === 0);
    });

    test("passes on its exit status", async (t) => {
      for (const code of [0, 1, 7, 125, 126, 127, 255]) {
        assert.equal(await end(startHere(t, "sh", ["-c", `exit ${code}`])), code);
      }
    });

    test("ends by the signal it is sent", async (t) => {
      for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGPIPE", "SIGKILL"]) {
        // SIGQUIT would leave a core file.
        const child = startHere(t, "sh", ["-c", "ulimit -c 0; exec cat"]);
        const line = lines(child.stdout);
        child.stdin.write("ready\n");
        await line();
        const ended = end(child);
        child.kill(signal);
        assert.equal(await ended, signal);
      }
    });

    test("receives the signals that it handles", async (t) => {
      const script =
        "process.on('SIGTERM', () => process.exit(42)); process.stdin.resume(); console.log('ready')";
      const child = startHere(t, process.execPath, ["-e", script]);
      assert.equal(await lines(child.stdout)(), "ready");
      const ended = end(child);
      child.kill("SIGTERM");
      assert.equal(await ended, 42);
    });

    test("exchanges messages over Node's IPC channel", async (t) => {
      const script =
        "process.on('message', (message) => process.send({ message, pid: process.pid }))";
      const child = startHere(t, process.execPath, ["-e", script], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      const answer = new Promise((resolve) => child.once("message", resolve));
      child.send("hello");
      assert.deepEqual(await answer, { message: "hello", pid: child.pid });
      const ended = end(child);
      child.disconnect();
      assert.equal(await ended, 0);
    });

    test("keeps an inherited descriptor open until its last descendant exits", async (t) => {
      // The descendant leaves the group too, so only the descriptor shows that it still runs.
      const script =
        "setsid sh -c 'echo started >&3; read word <&3; echo \"$word $(cat /proc/self/oom_score_adj)\" >&3' & exit 5";
      const child = startHere(t, "sh", ["-c", script], {
        stdio: ["ignore", "ignore", "inherit", "pipe"],
      });
      const line = lines(child.stdio[3]);
      assert.equal(await end(child), 5);
      assert.equal(await line(), "started");
      child.stdio[3].write("still-here\n");
      assert.equal(await line(), `still-here ${score}`);
      assert.equal(await line(), undefined);
    });
  });
}
