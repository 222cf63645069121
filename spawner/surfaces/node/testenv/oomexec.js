// The binary that the tests start children with, and the three ways to start one.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const inRepository = ["debug", "release"].map((profile) =>
  fileURLToPath(new URL(`../../../../target/${profile}/oomexec`, import.meta.url)),
);
const places = process.env.OOMEXEC_TEST_BINARY ? [process.env.OOMEXEC_TEST_BINARY] : inRepository;

export const OOMEXEC = places.find((place) => existsSync(place));
if (OOMEXEC === undefined) {
  throw new Error(`no oomexec to test with (cargo build, or set OOMEXEC_TEST_BINARY): not at ${places.join(", ")}`);
}

// What the shell that runs the tests has set must not decide them.
delete process.env.OPENCLAW_CHILD_OOM_SCORE_ADJ;
delete process.env.OOMEXEC_PATH;

export function scoreOf(pid) {
  return Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
}

/** The gateway's own score: these tests are the gateway. */
export const OWN = scoreOf("self");
if (OWN >= 1000) throw new Error("at 1000 themselves, these tests cannot tell a raised child from the gateway");

/** What makes prepare() choose each way, and the score of a child that is started so. */
export const WAYS = {
  oomexec: { how: { oomexec: OOMEXEC }, score: 1000 },
  sh: { how: { oomexec: false }, score: 1000 },
  direct: { how: { oomexec: false, shellAvailable: () => false }, score: OWN },
};

/** For a test that cannot run here. Where all of them must, it fails. */
export function notTested(t, why) {
  if (process.env.CI) throw new Error(`not tested: ${why}`);
  t.skip(why);
}
