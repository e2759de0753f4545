import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, Server } from "node:http";
import { pino } from "pino";
import t, { type Test } from "tap";
import { FailureServer } from "../../agent/observe/failure-server.ts";

/** A failure server on a free port, with what it logs. */
async function begin(t: Test) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const answer = () => ({ status: 503, type: "text/plain", body: "not ready\n" });
  const server = new FailureServer({ routes: new Map([["/", answer]]), log });
  await server.listen({ host: "127.0.0.1", port: 0 });
  t.teardown(() => server.stop());
  return { server, lines, ask: () => fetch(`http://127.0.0.1:${server.port}/`) };
}

t.test("a connection that can't be taken is logged, and the page goes on", async (t) => {
  const { lines, ask } = await begin(t);
  const servers: unknown[] = [];
  const keep = (message: unknown) => {
    if (typeof message === "object" && message !== null && "server" in message) servers.push(message.server);
  };
  // Node.js tells here which server a request came to.
  subscribe("http.server.request.start", keep);
  t.teardown(() => unsubscribe("http.server.request.start", keep));
  await ask();
  const [inner] = servers;
  if (!(inner instanceof Server)) return t.fail("no request was seen");
  inner.emit("error", new Error("accept EMFILE"));
  t.match(lines, [
    { level: 40, reason: "accept EMFILE", msg: "the failure page could not take a connection" },
  ]);
  t.equal((await ask()).status, 503);
});

t.test("a port that is taken is told once for all tries", async (t) => {
  const { server, lines } = await begin(t);
  const other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  t.teardown(() => other.close());
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await server.listen({ host: "127.0.0.1", port });
  await server.listen({ host: "127.0.0.1", port });
  t.match(lines, [{ level: 40, msg: "the failure page can't be shown" }]);
  t.equal(lines.length, 1);
});
