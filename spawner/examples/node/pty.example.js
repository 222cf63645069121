// Starts a login shell on a terminal, as a gateway does for a user.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import pty from "node-pty";
import { prepare } from "oomexec";

const scoreOf = (pid) => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim();

/**
 * A shell is a login shell if its argv[0] begins with `-`. node-pty cannot set argv[0], but oomexec
 * can.
 */
function loginShell(shell, env) {
  const byName = prepare(shell, [], { env, argv0: `-${basename(shell)}` });
  return byName.via === "oomexec" ? byName : prepare(shell, ["-l"], { env });
}

const { command, args, env, via } = loginShell("bash", process.env);
const terminal = pty.spawn(command, args, { name: "xterm-256color", cols: 100, rows: 30, env });

let output = "";
const login = new Promise((resolve) => {
  terminal.onData((data) => {
    output += data;
    // The terminal echoes the input, so the input must not match the answer.
    const answer = /login_shell[ \t]+(on|off)/.exec(output);
    if (answer !== null) resolve(answer[1]);
  });
});
terminal.write("shopt login_shell\r");
console.log(`login shell: ${await login}`);
console.log(`gateway ${process.pid}: ${scoreOf("self")}`);
console.log(`child ${terminal.pid}: ${scoreOf(terminal.pid)}, by ${via}`);

const end = new Promise((resolve) => terminal.onExit(resolve));
terminal.write("exit\r");
console.log(`ended with status ${(await end).exitCode}`);
