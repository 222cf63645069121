// The exports of the package.

export { explainExit, readOomKills } from "./lib/exit.js";
export { hold } from "./lib/hold.js";
export { findOomexec } from "./lib/oomexec.js";
export { prepare } from "./lib/prepare.js";
export { spawn } from "./lib/spawn.js";
export {
  prepareOomScoreAdjustedSpawn,
  prepareOomScoreAdjustedSpawnPreservingExecEnv,
} from "./lib/upstream.js";
