// The functions of openclaw's src/process/linux-oom-score.ts, by the same names.

import { prepare } from "./prepare.js";

/** `prepare`, with the result's own keys not enumerable: a strict comparison sees upstream's. */
export function prepareOomScoreAdjustedSpawn(command, args, options) {
  const { via, why, ...upstream } = prepare(command, args, options);
  return Object.defineProperties(upstream, { via: { value: via }, why: { value: why } });
}

/** The same with `exactEnv`. */
export function prepareOomScoreAdjustedSpawnPreservingExecEnv(command, args, options) {
  return prepareOomScoreAdjustedSpawn(command, args, { ...options, exactEnv: true });
}
