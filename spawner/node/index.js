// What a gateway imports. Each part is in a file of its own below lib/.
export { prepare, prepare as prepareOomScoreAdjustedSpawn } from "./lib/prepare.js";
export { spawn } from "./lib/spawn.js";
export { findOomexec } from "./lib/oomexec.js";
export { explainExit, readOomKills } from "./lib/exit.js";
export { hold } from "./lib/hold.js";
