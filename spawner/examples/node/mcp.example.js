// Starts an MCP server on stdio and lists its tools.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  getDefaultEnvironment,
  StdioClientTransport,
} from "@modelcontextprotocol/sdk/client/stdio.js";
import { prepare } from "oomexec";

const scoreOf = (pid) => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim();

const server = fileURLToPath(new URL("node_modules/.bin/mcp-server-everything", import.meta.url));
// Always pass env: without it prepare() assumes the gateway's whole environment, which the SDK does
// not give to servers.
const { command, args, env, via } = prepare(server, ["stdio"], { env: getDefaultEnvironment() });
const transport = new StdioClientTransport({ command, args, env, stderr: "ignore" });
const client = new Client({ name: "gateway", version: "1.0.0" });
await client.connect(transport);

const { tools } = await client.listTools();
const { content } = await client.callTool({ name: "echo", arguments: { message: "hello" } });
console.log(`${tools.length} tools; echo says: ${content[0].text}`);
console.log(`gateway ${process.pid}: ${scoreOf("self")}`);
console.log(`child ${transport.pid}: ${scoreOf(transport.pid)}, by ${via}`);
await client.close();
