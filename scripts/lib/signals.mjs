// Ends a script by a signal as by its own end, so that its exit handlers clean up.

/** Makes the signals that end a script run its exit handlers; the status is a shell's for them. */
export function exitOnSignals() {
  for (const [signal, number] of [
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ]) {
    process.on(signal, () => process.exit(128 + number));
  }
}
