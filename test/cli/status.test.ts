import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import t, { type Test } from "tap";
import { askStatus } from "../../agent/cli/status-client.ts";

async function answering(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

t.test("nobody there is a clear failure that says how to start the agent", async (t) => {
  await t.rejects(askStatus("http://127.0.0.1:1"), {
    code: "status.not_running",
    message: "no agent answers at http://127.0.0.1:1: nothing listens there",
    hint: /systemctl start windfarm/,
    exitCode: 1,
  });
});

t.test("who is no agent is told from one", async (t) => {
  const others: RequestListener[] = [
    (_, response) => response.end("<h1>It works!</h1>"),
    (_, response) => response.end('{"gateway":"gw-01"}'),
    (_, response) => response.writeHead(404).end("{}"),
    (_, response) => response.end("x".repeat(2_000_000)),
  ];
  for (const other of others) {
    await t.rejects(askStatus(await answering(t, other)), {
      code: "status.not_an_agent",
      hint: /status\.listen/,
    });
  }
});

t.test("a connection that is cut is no answer", async (t) => {
  const page = await answering(t, (request) => request.socket.destroy());
  await t.rejects(askStatus(page), { code: "status.not_running" });
});
