import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { after, describe, test } from "node:test";
import "../testenv/oomexec.js";
import { explainExit, prepare } from "../index.js";
import { makeFile, newDirectory } from "../testenv/files.js";

const { rule, exits, shim } = JSON.parse(
  readFileSync(new URL("../../cases.json", import.meta.url), "utf8"),
);

describe("prepare", () => {
  const own = { ...process.env };
  const start = process.cwd();
  after(() => {
    process.chdir(start);
    setEnvironment(own);
  });

  for (const { name, ...inCase } of rule) {
    test(name, (t) => {
      const directory = newDirectory(t);
      t.after(() => process.chdir(start));
      const oomexec = `${directory}/opt/oomexec`;
      const c = fill(inCase, { $DIR: directory, $OOMEXEC: oomexec, $SHIM: shim });

      makeFile(`${directory}/bin/tool`, "executable");
      makeFile(oomexec, "oomexec");
      for (const [path, kind] of Object.entries(c.files ?? {}))
        makeFile(`${directory}/${path}`, kind);
      chmodSync(directory, 0o755);
      for (const [path, mode] of Object.entries(c.modes ?? {}))
        chmodSync(`${directory}/${path}`, Number.parseInt(mode, 8));
      process.chdir(directory);
      setEnvironment(c.gateway ?? { PATH: `${directory}/bin` });

      const env =
        c.env && Object.fromEntries(Object.entries(c.env).map(([k, v]) => [k, v ?? undefined]));
      const options = {
        env,
        cwd: c.cwd,
        argv0: c.argv0,
        pin: c.pin,
        score: c.score,
        exactEnv: c.exactEnv,
        uid: c.uid,
        gid: c.gid,
        exempt: c.exempt,
        platform: c.platform ?? "linux",
        oomexec: c.oomexec === undefined ? oomexec : (c.oomexec ?? undefined),
        shellAvailable: () => c.shell ?? true,
      };
      const given = { ...env };
      const args = Object.freeze([...(c.args ?? [])]);
      const got = prepare(c.command, args, options);

      const { via, why, removed } = c.expect;
      const isOurs = c.expect.command !== undefined;
      const argv0 = isOurs ? c.expect.argv0 : c.argv0;
      assert.deepEqual(
        { ...got, env: undefined },
        {
          command: isOurs ? c.expect.command : c.command,
          args: isOurs ? c.expect.args : args,
          env: undefined,
          ...(argv0 === undefined ? {} : { argv0 }),
          wrapped: via !== "direct",
          via,
          why,
        },
      );
      if (removed === undefined) {
        assert.equal(got.env, env, "env is the caller's own object");
      } else {
        const kept = { ...(env ?? process.env) };
        for (const variable of removed) {
          assert.ok(variable in kept, `${variable} was in the environment`);
          delete kept[variable];
        }
        assert.deepEqual(got.env, kept);
      }
      assert.deepEqual({ ...env }, given, "the caller's object is not changed");
    });
  }
});

describe("explainExit", () => {
  for (const { name, code = null, signal = null, wrapped, before, after, kind, text } of exits) {
    test(name, () => {
      assert.ok(signal === null || signal in constants.signals);
      const count = (kills) => (kills === undefined ? undefined : { file: "memory.events", kills });
      const got = explainExit({
        code,
        signal,
        wrapped,
        before: count(before),
        after: count(after),
      });
      assert.deepEqual(got, { kind, text });
    });
  }

  test("does not compare the counts of two cgroups", () => {
    const before = { file: "a/memory.events", kills: 0 };
    const after = { file: "b/memory.events", kills: 1 };
    assert.equal(
      explainExit({ code: null, signal: "SIGKILL", before, after }).kind,
      "killed-unknown",
    );
  });
});

function fill(value, places) {
  if (typeof value === "string")
    return value.replace(/\$(DIR|OOMEXEC|SHIM)\b/g, (place) => places[place]);
  if (Array.isArray(value)) return value.map((item) => fill(item, places));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v, places)]));
}

function setEnvironment(variables) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, variables);
}
