// The run: the Node part here, the Rust part by cargo.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { findOomexec, launchers, onPath, repository } from '../launchers.mjs';
import { markdownTable } from '../markdown-table.mjs';
import { difference, ratio, summary } from './summary.mjs';

const SIZES = { '50 MiB': 50 * 2 ** 20, '2 GiB': 2 * 2 ** 30 };

/** What a program in a container has: given in full, so that what is set here takes no part. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/home/node',
  HOSTNAME: '4f1c2a9be07d',
  LANG: 'C.UTF-8',
  TERM: 'xterm-256color',
  USER: 'node',
  SHELL: '/bin/bash',
  PWD: '/home/node',
  NODE_ENV: 'production',
  TZ: 'UTC',
};

const HELP = `Usage: scripts/bench-spawn [--rounds N] [--seed N] [--only node|rust]

Measures what each way of starting a child adds, for a parent of 50 MiB and of
2 GiB, and prints a table for Node and one for Rust. Nothing is asserted of a time.

  --rounds N   each launcher once in each round (default 200)
  --seed N     what the order in the rounds follows from (default 1000)
  --only PART  node or rust (default both)

OOMEXEC names the oomexec to try (default: the one that cargo builds here).
`;

try {
  main();
} catch (error) {
  console.error(`bench-spawn: ${error.message}`);
  process.exitCode = 1;
}

function main() {
  const text = { type: 'string' };
  const options = { rounds: text, seed: text, only: text, help: { type: 'boolean', short: 'h' } };
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const rounds = number('rounds', values.rounds ?? '200', 1);
  const seed = number('seed', values.seed ?? '1000', 0);
  if (values.only && !['node', 'rust'].includes(values.only))
    throw new Error(`--only ${values.only}: it is node or rust`);
  const oomexec = findOomexec();
  if (values.only !== 'rust') console.log(nodeTable(oomexec, rounds, seed));
  if (!values.only) console.log();
  if (values.only !== 'node') rustTable(oomexec, rounds, seed);
}

function number(name, text, least) {
  if (!/^\d+$/.test(text) || Number(text) < least)
    throw new Error(`--${name} ${text}: it is a number of ${least} or more`);
  return Number(text);
}

function nodeTable(oomexec, rounds, seed) {
  const all = launchers(oomexec);
  const names = ['direct', 'shim', 'choom', 'oomexec'].filter((name) => name !== 'choom' || onPath('choom'));
  if (!names.includes('choom')) console.error('bench-spawn: choom is left out, it is not installed');
  const compared = Object.fromEntries(names.map((name) => [name, all[name]]));
  for (const [name, words] of Object.entries(compared)) checkScore(name, words);
  const rows = Object.entries(SIZES).flatMap(([size, resident]) => {
    console.error(`Node, a parent of ${size}: ${rounds} rounds of ${Object.keys(compared).length} launches`);
    const settings = { resident, rounds, seed, launchers: compared, env: ENVIRONMENT };
    const program = join(repository, 'scripts/bench-spawn.d/measure.mjs');
    const output = execFileSync(process.execPath, [program, JSON.stringify(settings)], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return rowsOf(size, JSON.parse(output));
  });
  const columns = [
    'parent',
    'launcher',
    'spawn() blocks, µs',
    'then to exit, µs',
    'together, µs',
    'added, µs',
    '× direct',
  ];
  return [
    '### From spawn to exit in Node\n',
    markdownTable([columns, ...rows], [2, 3, 4, 5, 6]),
    '',
    `\`child_process.spawn\` of \`/bin/true\`: from before the call to its return, from there to the \`exit\` event, and ` +
      `together. Medians of ${rounds} rounds, all launchers in a random order in each round (seed ${seed}). Added: the ` +
      'median together over that of the direct launch; ×: the ratio of the two. ±: the 95 % interval. ' +
      `Node ${process.versions.node}, Linux ${release()}, ${availableParallelism()} processors, transparent huge pages: ${hugePages()}.`,
  ].join('\n');
}

function rowsOf(size, times) {
  const direct = summary(times.direct.exit);
  return Object.entries(times).map(([name, { blocked, exit }]) => {
    const rest = exit.map((time, round) => time - blocked[round]);
    const together = summary(exit);
    const compared =
      name === 'direct'
        ? ['–', '–']
        : [shown(difference(together, direct), 0), shown(ratio(together, direct), 2)];
    return [size, name, shown(summary(blocked), 0), shown(summary(rest), 0), shown(together, 0), ...compared];
  });
}

function shown({ median, noise }, digits) {
  return `${median.toFixed(digits)} ± ${noise.toFixed(digits)}`;
}

/** Throws unless the launcher does its work: the time of one that does not is worth nothing. */
function checkScore(name, words) {
  const [file, ...args] = [...words, '/bin/cat', '/proc/self/oom_score_adj'];
  const score = execFileSync(file, args, { encoding: 'utf8', env: ENVIRONMENT }).trim();
  if (name !== 'direct' && score !== '1000')
    throw new Error(`${name} started a child at ${score}, not at 1000`);
}

function hugePages() {
  try {
    return /\[(\w+)\]/.exec(readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8'))[1];
  } catch {
    return 'none';
  }
}

function rustTable(oomexec, rounds, seed) {
  if (!onPath('cargo')) throw new Error('no cargo on PATH for the Rust part: install it, or use --only node');
  const env = {
    ...process.env,
    OOMEXEC: oomexec,
    OOMEXEC_BENCH_ROUNDS: String(rounds),
    OOMEXEC_BENCH_SEED: String(seed),
  };
  const args = ['bench', '--quiet', '--locked', '--package', 'oomexec-spawner', '--bench', 'spawn'];
  const { status } = spawnSync('cargo', args, { cwd: repository, env, stdio: 'inherit' });
  if (status !== 0) throw new Error('cargo bench failed: see above');
}
