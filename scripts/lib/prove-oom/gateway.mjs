// The gateway of a trial. It holds its share of the limit in memory, starts children or a
// browser through the launcher, and reports on stdout, one JSON object a line.
//
// Started as: node gateway.mjs SETTINGS, an object in JSON with
//   limit, share      bytes of the cgroup's limit, the part of it to hold
//   words             the launcher's words in front of the command
//   child             {file, share, every}: start one each `every` milliseconds
//   browser           {file, args, pages}: start it once and open these pages
// It answers a line "ping" on stdin, and ends at the end of stdin.

import { spawn } from "node:child_process";
import { readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

process.title = "gateway"; // its name in the kernel's log

const { limit, share, words, child, browser } = JSON.parse(process.argv[2]);

// Not a stream: the line must be out even if the kernel kills us next.
const tell = (event) => writeSync(1, `${JSON.stringify(event)}\n`);

// Resident anonymous memory, which only the end of this process frees.
const anonymous = () =>
  1024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);

const held = [];
while (anonymous() < limit * share) held.push(Buffer.alloc(Math.ceil(limit / 256), 1));

createInterface({ input: process.stdin })
  .on("line", () => tell({ event: "pong", intact: held.every((buffer) => buffer.at(-1) === 1) }))
  .on("close", () => process.exit());

tell({ event: "ready" });

/** Starts a command through the launcher, and reports how it ends. */
function launch(role, command, stdio) {
  const [file, ...args] = [...words, ...command];
  const started = spawn(file, args, { stdio });
  let last = ""; // the end of its stderr, in case it cannot start
  started.stderr.on("data", (data) => (last = (last + data).slice(-500)));
  started.on("error", (error) =>
    tell({ event: "broken", why: `cannot start ${file}: ${error.message}` }),
  );
  started.on("exit", (code, signal) =>
    tell({ event: "gone", role, pid: started.pid, code, signal, last }),
  );
  if (started.pid) tell({ event: "started", role, pid: started.pid });
  return started;
}

if (child) {
  const command = [process.execPath, child.file, String(limit), String(child.share)];
  setInterval(() => launch("child", command, ["pipe", "ignore", "pipe"]), child.every);
}

if (browser) {
  // The DevTools protocol on descriptors 3 and 4, as browser drivers use it: JSON, ended by NUL.
  const { stdio } = launch(
    "browser",
    [browser.file, ...browser.args],
    ["ignore", "ignore", "pipe", "pipe", "pipe"],
  );
  let id = 0;
  const send = (method, params) =>
    stdio[3].write(`${JSON.stringify({ id: id++, method, params })}\0`);
  stdio[3].on("error", () => {}); // the browser is gone, as 'exit' reports
  stdio[4].on("error", () => {});
  let text = "";
  stdio[4].setEncoding("utf8").on("data", (data) => {
    const messages = (text + data).split("\0");
    text = messages.pop();
    for (const message of messages.map((each) => JSON.parse(each))) {
      if (message.id === 0) for (const url of browser.pages) send("Target.createTarget", { url });
      if (message.id > 0)
        tell(
          message.error
            ? { event: "broken", why: `no page: ${message.error.message}` }
            : { event: "page" },
        );
      if (message.method === "Target.targetCrashed") tell({ event: "crash" });
    }
  });
  send("Target.setDiscoverTargets", { discover: true });
}
