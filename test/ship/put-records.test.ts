import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { pino } from "pino";
import t from "tap";
import { KinesisSink } from "../../agent/ship/kinesis.ts";
import { shipSettings } from "../helpers/ship-rig.ts";

const deps = { log: pino({ level: "silent" }), now: Date.now, monotonicMs: () => 0, env: {} };
const record = (text: string) => ({ key: "aaaaaaaa", data: Buffer.from(text) });

t.test("A request that is given up is closed, and no other", { timeout: 20_000 }, async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((request) => {
    sockets.push(request.socket);
    request.resume().on("end", () => server.emit("whole"));
  }).listen(0, "127.0.0.1");
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sink = new KinesisSink(
    shipSettings(`http://127.0.0.1:${port}`, { requestTimeoutMs: 3_600_000 }),
    deps,
  );
  t.teardown(() => sink.close());
  const stops = [new AbortController(), new AbortController()];
  const puts = [];
  for (const { signal } of stops) {
    const whole = once(server, "whole");
    puts.push(sink.put([record("{}\n")], signal).catch(({ code }) => code));
    await whole;
  }
  const [first, second] = sockets;
  if (first === undefined || second === undefined) throw new Error("two requests were to come");
  const closed = once(first, "close");
  stops[0]?.abort();
  t.equal(await puts[0], "ship.connection_lost");
  await closed;
  t.notOk(second.destroyed);
  stops[1]?.abort();
  t.equal(await puts[1], "ship.connection_lost");
});

t.test("Requests that are under way together carry their own records", async (t) => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      bodies.push(body);
      const { Records } = JSON.parse(body);
      const answers = Records.map(() => ({ SequenceNumber: "1", ShardId: "shardId-000000000000" }));
      response.setHeader("content-type", "application/x-amz-json-1.1");
      response.end(JSON.stringify({ FailedRecordCount: 0, Records: answers }));
    });
  }).listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sink = new KinesisSink(shipSettings(`http://127.0.0.1:${port}`), deps);
  t.teardown(() => sink.close());
  const { signal } = new AbortController();
  const texts = Array.from({ length: 8 }, (_, index) => `{"id":"${index}"}\n`);
  await Promise.all(texts.map((text) => sink.put([record(text)], signal)));
  const arrived = bodies.map((body) => Buffer.from(JSON.parse(body).Records[0].Data, "base64").toString());
  t.strictSame(arrived.sort(), texts);
});
