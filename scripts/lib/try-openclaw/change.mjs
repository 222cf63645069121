// Makes the change that openclaw's maintainers would make, in its built files:
//
//   change.mjs DIST OUT
//
// package.json: one more dependency. src/process/linux-oom-score.ts: its two functions come from
// the package. The browser's launch: `pin: true`. OUT gets the changed files; prints the lines.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const [dist, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });

// A build adds a hash to the name.
change("linux-oom-score", (text) => {
  const [line] = /^export \{.*\};$/m.exec(text) ?? fail("linux-oom-score has no export");
  return [text, line.replace(/;$/, ' from "oomexec";\n'), line];
});
change("chrome", (text) => {
  const line = "prepareOomScoreAdjustedSpawn(exe.path, args, { env })";
  if (text.split(line).length !== 2) fail(`chrome has not one ${line}`);
  const changed = line.replace("{ env }", "{ env, pin: true }");
  return [line, changed, line];
});

function change(name, edit) {
  const pattern = new RegExp(`^${name}-[\\w-]{8}\\.mjs$`);
  const files = readdirSync(dist).filter((file) => pattern.test(file));
  for (const file of files) {
    const text = readFileSync(`${dist}/${file}`, "utf8");
    if (!text.includes("prepareOomScoreAdjustedSpawn")) continue;
    const [from, to, line] = edit(text);
    writeFileSync(
      `${out}/${file}`,
      text.replace(from, () => to),
    );
    console.error(`dist/${file}\n- ${line}\n+ ${to.trim()}`);
    return;
  }
  fail(`no file ${name}-*.mjs that prepares a spawn in ${dist}`);
}

function fail(message) {
  console.error(`change.mjs: ${message}: another openclaw?`);
  process.exit(1);
}
