import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { describe, test } from "node:test";
import { prepare } from "oomexec";
import { OWN, scoreOf, WAYS } from "../testenv/oomexec.js";
import { programOf, runs, statOf, until } from "../testenv/process.js";
import { COLUMNS, environmentOf, ROWS, Terminal } from "../testenv/terminal.js";

for (const [via, { how, score }] of Object.entries(WAYS)) {
  const bash = (t, args = ["--norc"]) => {
    const prepared = prepare("bash", args, { ...how, env: environmentOf(t) });
    assert.equal(prepared.via, via);
    return new Terminal(t, prepared);
  };

  describe(`bash on a terminal, started through ${via}`, () => {
    test("has the pid that spawn returned and its score, and the gateway keeps its own score", async (t) => {
      const terminal = bash(t);
      terminal.type('echo "pid=<$$>"\r');
      const [, pid] = await terminal.shows(/pid=<(\d+)>/);
      assert.equal(Number(pid), terminal.pid);
      assert.equal(basename(programOf(terminal.pid)), "bash");
      assert.equal(scoreOf(terminal.pid), score);
      assert.equal(scoreOf("self"), OWN);
      // A gateway shows this as the terminal's title.
      assert.equal(terminal.pty.process, "bash");
    });

    test("leads its own session, with this controlling terminal", async (t) => {
      const terminal = bash(t);
      terminal.type('echo "tty=<$(tty)>"\r');
      const [, tty] = await terminal.shows(/tty=<(\/.*)>/);
      const { session, group, terminal: device, foreground } = statOf(terminal.pid);
      assert.equal(session, terminal.pid);
      assert.equal(group, terminal.pid);
      assert.equal(foreground, terminal.pid);
      assert.equal(device, statSync(tty).rdev);
      terminal.type('echo "works=<$(sh -c "echo yes >/dev/tty; echo written")>"\r');
      await terminal.shows(/yes\r\n/);
      await terminal.shows(/works=<written>/);
    });

    test("controls jobs: Ctrl-Z stops a job, fg resumes it, Ctrl-C ends it but not the shell", async (t) => {
      const terminal = bash(t);
      terminal.type('echo "flags=<$->"\r');
      assert.match((await terminal.shows(/flags=<(\w+)>/))[1], /m/);

      terminal.type("cat\r");
      const job = await terminal.job("cat");
      assert.equal(scoreOf(job), score);
      assert.equal(statOf(job).session, terminal.pid);

      terminal.type("\x1a");
      await until("cat is stopped, the shell has the keyboard", () => {
        return statOf(job).state === "T" && terminal.foreground === terminal.pid;
      });
      terminal.type("fg\r");
      await until(
        "cat has the keyboard again",
        () => terminal.foreground === job && statOf(job).state !== "T",
      );
      terminal.type("hello\r");
      await terminal.shows(/hello\r\nhello\r\n/);

      terminal.type("\x03");
      await until("cat is gone, the shell has the keyboard", () => {
        return !runs(job) && terminal.foreground === terminal.pid;
      });
      terminal.type('echo "status=<$?>"\r');
      assert.equal((await terminal.shows(/status=<(\d+)>/))[1], "130");
    });

    test("knows the size of its window, and notices a change", async (t) => {
      const terminal = bash(t);
      terminal.type('echo "size=<$(stty size)>"\r');
      assert.equal((await terminal.shows(/size=<(\d.*)>/))[1], `${ROWS} ${COLUMNS}`);
      // On SIGWINCH, Node reads the new size.
      const script =
        "process.stdout.on('resize', () => console.log('now ' + process.stdout.columns));" +
        "process.stdin.resume(); console.log('wait' + 'ing')";
      terminal.type(`'${process.execPath}' -e "${script}"\r`);
      await terminal.shows(/waiting\r\n/);
      terminal.pty.resize(117, 43);
      await terminal.shows(/now 117\r\n/);
      terminal.type("\x04");
      await until("the shell has the keyboard", () => terminal.foreground === terminal.pid);
      terminal.type('echo "size=<$(stty size)>"\r');
      assert.equal((await terminal.shows(/size=<(\d.*)>/))[1], "43 117");
    });

    test("passes on its exit status", async (t) => {
      const terminal = bash(t);
      terminal.type("exit 7\r");
      assert.deepEqual(await terminal.end, { exitCode: 7, signal: 0 });
    });

    test("ends with its job when the terminal is closed", async (t) => {
      const terminal = bash(t);
      terminal.type("cat\r");
      const job = await terminal.job("cat");
      terminal.pty.destroy();
      const { signal, exitCode } = await terminal.end;
      // bash passes SIGHUP on to its jobs, and then ends by it or exits with 128 + 1.
      assert.ok(signal === 1 || exitCode === 129, `signal ${signal}, exit status ${exitCode}`);
      await until("cat is gone", () => !runs(job));
    });
  });
}

describe("a login shell", () => {
  const asked = async (terminal) => {
    terminal.type("shopt login_shell\r");
    return (await terminal.shows(/login_shell[ \t]+(on|off)/))[1];
  };

  test("starts through oomexec by argv[0], which node-pty itself cannot set", async (t) => {
    const terminal = new Terminal(
      t,
      prepare("bash", [], { ...WAYS.oomexec.how, argv0: "-bash", env: environmentOf(t) }),
    );
    assert.equal(await asked(terminal), "on");
    assert.equal(readFileSync(`/proc/${terminal.pid}/cmdline`, "utf8"), "-bash\0");
    assert.equal(scoreOf(terminal.pid), 1000);
  });

  test("by argv[0] is not possible without oomexec: prepare() returns direct, and the reason", async (t) => {
    const prepared = prepare("bash", [], { ...WAYS.sh.how, argv0: "-bash", env: environmentOf(t) });
    assert.deepEqual([prepared.via, prepared.why, prepared.argv0], ["direct", "argv0", "-bash"]);
    // node-pty drops argv0: the gateway must use -l instead.
    assert.equal(await asked(new Terminal(t, prepared)), "off");
  });

  for (const [via, { how, score }] of Object.entries(WAYS)) {
    test(`starts through ${via} by -l`, async (t) => {
      const prepared = prepare("bash", ["-l"], { ...how, env: environmentOf(t) });
      assert.equal(prepared.via, via);
      const terminal = new Terminal(t, prepared);
      assert.equal(await asked(terminal), "on");
      assert.equal(scoreOf(terminal.pid), score);
    });
  }
});
