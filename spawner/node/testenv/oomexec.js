// Finds the oomexec to test with.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const inRepository = ["debug", "release"].map((profile) =>
  fileURLToPath(new URL(`../../../target/${profile}/oomexec`, import.meta.url)),
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
