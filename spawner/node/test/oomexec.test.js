import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findOomexec, prepare } from "../index.js";
import { run } from "../testenv/child.js";
import { makeFile, newDirectory } from "../testenv/files.js";
import { OOMEXEC } from "../testenv/oomexec.js";
import { notTestedHere } from "../testenv/skip.js";

describe("a gateway notices that oomexec is replaced", () => {
  for (const [how, replace] of [
    [
      "by another file",
      (path, kind) => {
        makeFile(`${path}.new`, kind);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      "by other contents",
      (path, kind) => {
        makeFile(`${path}.new`, kind);
        writeFileSync(path, readFileSync(`${path}.new`));
      },
    ],
  ]) {
    test(how, (t) => {
      const path = `${newDirectory(t)}/oomexec`;
      const via = () => prepare("sh", [], { oomexec: path, shellAvailable: () => false }).via;
      makeFile(path, "oomexec");
      assert.equal(via(), "oomexec");
      assert.equal(via(), "oomexec");
      replace(path, "other-machine");
      assert.equal(via(), "direct");
      replace(path, "oomexec");
      assert.equal(via(), "oomexec");
    });
  }
});

test("a file that hangs is rejected and leaves no process", { timeout: 60_000 }, (t) => {
  const path = `${newDirectory(t)}/oomexec`;
  makeFile(path, "hanging");
  const { rejected } = findOomexec(path);
  assert.deepEqual(rejected[0], { path, why: "no-answer" });
  assert.equal(prepare("sh", [], { oomexec: path }).command === path, false);
  assert.deepEqual(processesOf(path), []);
});

test("findOomexec returns each rejected file with the reason", (t) => {
  const directory = newDirectory(t);
  const kinds = {
    plain: "not-executable",
    directory: "not-executable",
    "other-machine": "other-machine",
    "other-class": "other-machine",
    "other-order": "other-machine",
    script: "other-machine",
    "other-program": "wrong-answer",
  };
  for (const [kind, why] of Object.entries(kinds)) {
    const path = `${directory}/${kind}`;
    makeFile(path, kind);
    assert.deepEqual(findOomexec(path).rejected[0], { path, why });
  }
  assert.deepEqual(findOomexec("oomexec").rejected[0], { path: "oomexec", why: "not-absolute" });
  const gone = `${directory}/gone`;
  assert.deepEqual(findOomexec(gone).rejected[0], { path: gone, why: "not-found" });
  assert.deepEqual(findOomexec(false), { rejected: [] });
  assert.deepEqual(findOomexec(OOMEXEC), { path: OOMEXEC, pinsWrite: true, rejected: [] });
});

test("an oomexec on PATH of another owner is not used, unless it is named", (t) => {
  if (process.geteuid() !== 0) return notTestedHere(t, "only root can give a file away");
  const directory = newDirectory(t);
  const path = `${directory}/oomexec`;
  makeFile(path, "oomexec");
  const own = process.env.PATH;
  t.after(() => {
    process.env.PATH = own;
  });
  process.env.PATH = directory;
  assert.equal(findOomexec().path, path);
  chownSync(path, 12345, 0);
  assert.deepEqual(findOomexec(), { rejected: [{ path, why: "other-owner" }] });
  assert.equal(findOomexec(path).path, path);
  // The owner of the file counts, not that of a link to it.
  const linked = `${directory}/links`;
  mkdirSync(linked);
  symlinkSync(OOMEXEC, `${linked}/oomexec`);
  lchownSync(`${linked}/oomexec`, 12345, 0);
  process.env.PATH = linked;
  assert.equal(findOomexec().path, `${linked}/oomexec`);
});

test("the gateway of another user uses its own oomexec on PATH, and root's", async (t) => {
  if (process.geteuid() !== 0)
    return notTestedHere(t, "only root can start a gateway of another user");
  const directory = newDirectory(t);
  chmodSync(directory, 0o755);
  const path = `${directory}/oomexec`;
  makeFile(path, "oomexec");
  const index = new URL("../index.js", import.meta.url);
  const script = `import { findOomexec } from "${index}"; console.log(findOomexec().path)`;
  const gateway = { command: process.execPath, args: ["--input-type=module", "-e", script] };
  for (const [owner, found] of [
    [0, path],
    [65534, path],
    [12345, undefined],
  ]) {
    chownSync(path, owner, 0);
    const env = { PATH: directory };
    const { stdout } = await run({ ...gateway, env }, { uid: 65534, gid: 65534 });
    assert.equal(stdout, `${found}\n`);
  }
});

test("the package for this platform is used if it is installed", async (t) => {
  const directory = newDirectory(t);
  const modules = `${directory}/node_modules`;
  for (const part of ["package.json", "index.js", "lib"]) {
    cpSync(fileURLToPath(new URL(`../${part}`, import.meta.url)), `${modules}/oomexec/${part}`, {
      recursive: true,
    });
  }
  const packaged = `${modules}/@oomexec/linux-${process.arch}/bin/oomexec`;
  makeFile(packaged, "oomexec");
  const script = 'import { prepare } from "oomexec"; console.log(prepare("sh").command)';
  writeFileSync(`${directory}/gateway.mjs`, script);
  const gateway = {
    command: process.execPath,
    args: [`${directory}/gateway.mjs`],
    env: { PATH: process.env.PATH },
  };
  assert.equal((await run(gateway)).stdout, `${packaged}\n`);

  gateway.env.OOMEXEC_PATH = OOMEXEC;
  assert.equal((await run(gateway)).stdout, `${OOMEXEC}\n`);
});

function processesOf(path) {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/exe`).startsWith(path);
    } catch {
      return false;
    }
  });
}
