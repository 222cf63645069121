import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  getDefaultEnvironment,
  StdioClientTransport,
} from "@modelcontextprotocol/sdk/client/stdio.js";
import { prepare } from "oomexec";
import { newDirectory } from "../testenv/child.js";
import { OWN, scoreOf, WAYS } from "../testenv/oomexec.js";
import { programOf, runs, statOf } from "../testenv/process.js";

const SERVER = fileURLToPath(
  new URL("../node_modules/.bin/mcp-server-everything", import.meta.url),
);
const GATEWAY = { name: "oomexec-examples", version: "1.0.0" };

// The SDK does not pass this to servers by default.
process.env.GATEWAY_TOKEN = "a secret";

for (const [via, { how, score }] of Object.entries(WAYS)) {
  const newTransport = (t, command, args, more) => {
    const { env, ...prepared } = prepare(command, args, {
      ...how,
      env: { ...getDefaultEnvironment(), ...more },
    });
    const transport = new StdioClientTransport({
      command: prepared.command,
      args: prepared.args,
      env,
      stderr: "pipe",
    });
    transport.stderr.resume();
    t.after(() => transport.close());
    return { ...prepared, transport };
  };

  const connect = async (t, more) => {
    const { via: chosen, transport } = newTransport(t, SERVER, ["stdio"], more);
    assert.equal(chosen, via);
    const client = new Client(GATEWAY);
    t.after(() => client.close());
    const stdout = await tee(() => client.connect(transport));
    return { client, pid: transport.pid, stdout };
  };

  describe(`an MCP server started through ${via}`, () => {
    test("initializes, lists its tools, runs one, and closes", async (t) => {
      const { client, pid, stdout } = await connect(t);
      assert.match(client.getServerVersion().name, /everything/);
      const { tools } = await client.listTools();
      assert.ok(tools.some(({ name }) => name === "echo"));
      const { content } = await client.callTool({ name: "echo", arguments: { message: "ünï ✓" } });
      assert.deepEqual(content, [{ type: "text", text: "Echo: ünï ✓" }]);

      assert.equal(statOf(pid).parent, process.pid);
      assert.equal(programOf(pid), process.execPath);
      assert.equal(scoreOf(pid), score);
      assert.equal(scoreOf("self"), OWN);

      await client.close();
      await stdout.ended;
      assert.ok(!runs(pid));
      // The answers to initialize, tools/list and tools/call, with notifications in between.
      const messages = stdout.lines().map((line) => JSON.parse(line));
      for (const message of messages) assert.equal(message.jsonrpc, "2.0");
      assert.deepEqual(
        messages.map(({ id }) => id).filter((id) => id !== undefined),
        [0, 1, 2],
      );
    });

    test("has the given environment, and none of the gateway's secrets", async (t) => {
      const { client } = await connect(t, { SERVER_TOKEN: "its own", HOME: newDirectory(t) });
      const { content } = await client.callTool({ name: "get-env", arguments: {} });
      const environment = JSON.parse(content[0].text);
      assert.equal(environment.SERVER_TOKEN, "its own");
      assert.equal(environment.GATEWAY_TOKEN, undefined);
    });

    test("fails with the native spawn error if it does not exist", async (t) => {
      const { transport, ...prepared } = newTransport(t, "no-such-mcp-server", ["stdio"]);
      assert.deepEqual([prepared.via, prepared.why], ["direct", "not-found"]);
      const client = new Client(GATEWAY);
      // ENOENT, or EACCES if a directory of PATH may not be searched.
      const [{ code, syscall }] = await once(spawn("no-such-mcp-server"), "error");
      await assert.rejects(client.connect(transport), { code, syscall });
    });
  });
}

/** Records the stdout of the child that `start` starts. */
async function tee(start) {
  const chunks = [];
  let ended;
  // The SDK does not expose the process. Node's diagnostics channel announces each new one.
  const listen = ({ process: child }) => {
    ended = new Promise((resolve) => child.once("close", resolve));
    // Listens before anything is read.
    child.once("spawn", () => child.stdout.on("data", (chunk) => chunks.push(chunk)));
  };
  diagnostics.subscribe("child_process", listen);
  try {
    await start();
  } finally {
    diagnostics.unsubscribe("child_process", listen);
  }
  const lines = () => {
    const text = Buffer.concat(chunks).toString();
    assert.ok(text.endsWith("\n"), "the last line is whole");
    return text.slice(0, -1).split("\n");
  };
  return { ended, lines };
}
