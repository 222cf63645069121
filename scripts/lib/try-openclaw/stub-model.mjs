// A stub of a model: an OpenAI-compatible server on loopback. It calls the tool `echo` of
// the MCP server when that is offered, and says "done" when it has the result.

import { createServer } from "node:http";
import { text } from "node:stream/consumers";

export const MODEL = "stub";
const MESSAGE = "hello from the stub model";

/**
 * Starts it on a free port. Calls `onEcho` when the tool's result arrives, before it
 * answers: the agent's turn still runs then.
 */
export async function startStubModel(onEcho) {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    console.error(`stub model: ${request.method} ${request.url}`);
    if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
      response.writeHead(404).end();
      return;
    }
    const { messages, tools = [] } = JSON.parse(body);
    const names = tools.map((tool) => tool.function.name);
    const echo = names.find((name) => /(^|_)echo$/.test(name));
    const results = messages.filter(({ role }) => role === "tool");
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (results.length > 0) {
      const result = JSON.stringify(results.at(-1).content);
      console.error(`stub model: the tool's result: ${result}`);
      if (result.includes(MESSAGE)) onEcho();
      say(response, { content: "done" }, "stop");
    } else if (echo) {
      const call = { name: echo, arguments: JSON.stringify({ message: MESSAGE }) };
      const calls = [{ index: 0, id: "call_1", type: "function", function: call }];
      say(response, { tool_calls: calls }, "tool_calls");
    } else {
      console.error(`stub model: no echo among the tools: ${names.join(" ")}`);
      say(response, { content: "done" }, "stop");
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${server.address().port}/v1`;
}

/** Streams the whole answer as two chunks. */
function say(response, delta, reason) {
  for (const choice of [
    { index: 0, delta: { role: "assistant", ...delta }, finish_reason: null },
    { index: 0, delta: {}, finish_reason: reason },
  ]) {
    const chunk = {
      id: "stub",
      object: "chat.completion.chunk",
      created: 0,
      model: MODEL,
      choices: [choice],
    };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  response.end("data: [DONE]\n\n");
}
