// A stub of a model: an OpenAI-compatible server on loopback. It calls tools one after the
// other, and says "done" when it has the last one's result.

import { createServer } from "node:http";
import { text } from "node:stream/consumers";

export const MODEL = "stub";

/**
 * Starts it on a free port. `calls` are `{ tool, input, expected }`: the end of a tool's name, what
 * it gets, and a part of its result. Calls `onEnd` when the last result arrives, before it answers:
 * the agent's turn still runs then.
 */
export async function startStubModel(calls, onEnd) {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    console.error(`stub model: ${request.method} ${request.url}`);
    if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
      response.writeHead(404).end();
      return;
    }
    const { messages, tools = [] } = JSON.parse(body);
    const names = tools.map((tool) => tool.function.name);
    const results = messages.filter(({ role }) => role === "tool");
    response.writeHead(200, { "content-type": "text/event-stream" });
    const done = () => say(response, { content: "done" }, "stop");

    if (results.length > 0) {
      const { tool, expected } = calls[results.length - 1];
      const result = JSON.stringify(results.at(-1).content);
      console.error(`stub model: the result of ${tool}: ${result.slice(0, 500)}`);
      if (!result.includes(expected)) {
        console.error(`stub model: without ${expected}: giving up`);
        return done();
      }
    }
    if (results.length === calls.length) {
      await onEnd();
      return done();
    }
    const { tool, input } = calls[results.length];
    const name = names.find((name) => name === tool || name.endsWith(`_${tool}`));
    if (name === undefined) {
      console.error(`stub model: no ${tool} among the tools: ${names.join(" ")}`);
      return done();
    }
    const call = { name, arguments: JSON.stringify(input) };
    const id = `call_${results.length}`;
    say(
      response,
      { tool_calls: [{ index: 0, id, type: "function", function: call }] },
      "tool_calls",
    );
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
