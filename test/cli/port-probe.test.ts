import { once } from "node:events";
import { createServer } from "node:net";
import t, { type Test } from "tap";
import { isConnectable, isListenable } from "../../agent/cli/port-probe.ts";

async function takenPort(t: Test): Promise<number> {
  const server = createServer((socket) => socket.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function address(host: string, port: number) {
  return { host, port, tls: false, url: `mqtt://${host}:${port}` };
}

t.test("a free port can be listened on, and is free again afterwards", async (t) => {
  const port = await takenPort(t);
  t.match(await isListenable(address("127.0.0.1", port)), {
    ok: false,
    message: `mqtt://127.0.0.1:${port} is in use.`,
  });
  t.match(await isListenable(address("127.0.0.1", 0)), { ok: true });
});

t.test("an address of another machine can't be listened on", async (t) => {
  t.match(await isListenable(address("192.0.2.1", 1883)), {
    ok: false,
    message: "mqtt://192.0.2.1:1883 is not an address of this machine.",
    hint: /127\.0\.0\.1/,
  });
});

t.test("who answers can be connected to, who doesn't is told from who isn't known", async (t) => {
  const port = await takenPort(t);
  t.match(await isConnectable(`mqtt://127.0.0.1:${port}`, 5_000), { ok: true });
  t.match(await isConnectable("mqtt://127.0.0.1:1", 5_000), {
    ok: false,
    message: "127.0.0.1 refuses connections to port 1.",
  });
  t.match(await isConnectable("mqtt://broker.invalid", 5_000), {
    ok: false,
    message: "No address is known for broker.invalid.",
  });
});
