// Finds the oomexec to test with, and lists the three ways to start a child.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const inRepository = ["debug", "release"].map((profile) =>
  fileURLToPath(new URL(`../../../../target/${profile}/oomexec`, import.meta.url)),
);
const places = process.env.OOMEXEC_TEST_BINARY ? [process.env.OOMEXEC_TEST_BINARY] : inRepository;

export const OOMEXEC = places.find((place) => existsSync(place));
if (OOMEXEC === undefined) {
  throw new Error(
    `no oomexec to test with (cargo build, or set OOMEXEC_TEST_BINARY): not at ${places.join(", ")}`,
  );
}

// The environment of whoever runs the tests must not change the results.
delete process.env.OPENCLAW_CHILD_OOM_SCORE_ADJ;
delete process.env.OOMEXEC_PATH;

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

export { notTestedHere as notTested } from "../../../node/testenv/skip.js";
