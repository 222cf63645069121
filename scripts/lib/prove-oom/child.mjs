// A child that eats memory: it takes `share` of the limit within a second, then grows
// slowly until the kernel kills it.
//
// Started as: node child.mjs LIMIT SHARE

process.title = "growing-child"; // its name in the kernel's log

const [limit, share] = process.argv.slice(2).map(Number);
const STEPS = 10; // ten a second, so that the children grow side by side
const held = [];
let taken = 0;

setInterval(() => {
  const step = (limit * share) / STEPS;
  const size = Math.ceil(taken < limit * share ? step : step / 4);
  held.push(Buffer.alloc(size, 1)); // filled: only touched pages are resident
  taken += size;
}, 1000 / STEPS);

// A child must not outlive its gateway, nor run for ever.
process.stdin.on("end", () => process.exit()).resume();
setTimeout(() => process.exit(), 300_000);
