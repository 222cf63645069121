// Finds the oomexec to test with, and lists the three ways to start a child.
import { readFileSync } from "node:fs";
import { OOMEXEC } from "../../../node/testenv/oomexec.js";

export { notTestedHere as notTested } from "../../../node/testenv/skip.js";
export { OOMEXEC };

export function scoreOf(pid) {
  return Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
}

/** The gateway's own score. These tests are the gateway. */
export const OWN = scoreOf("self");
if (OWN >= 1000)
  throw new Error(
    "these tests need a score below 1000: a raised child must differ from the gateway",
  );

/** The options that make prepare() choose each way, and the child's score then. */
export const WAYS = {
  oomexec: { how: { oomexec: OOMEXEC }, score: 1000 },
  sh: { how: { oomexec: false }, score: 1000 },
  direct: { how: { oomexec: false, shellAvailable: () => false }, score: OWN },
};
