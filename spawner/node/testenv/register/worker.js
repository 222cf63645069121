// A worker thread. It says the scores of children of its own.
import { execFileSync, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { parentPort } from "node:worker_threads";

const file = "/proc/self/oom_score_adj";
const sync = execFileSync("cat", [file], { encoding: "utf8" }).trim();
const async = (await text(spawn("cat", [file]).stdout)).trim();
parentPort.postMessage([`score=${sync}`, `score=${async}`]);
