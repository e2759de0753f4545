/** What nine readings a second take on the link: the simulators, the agent with its defaults, and a stub behind TLS. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { type KinesisStub, startKinesisStub } from "../helpers/kinesis-stub.ts";
import { AgentProgram, Program } from "./programs.ts";
import type { Bench, Figure } from "./report.ts";

const FIXTURES = "test/ship/fixtures";
/** As long as those that AWS gives. */
const TOKEN = "FwoGZXIvYXdzE".padEnd(945, "x0Y1");
/** Heads of IPv4 and TCP with timestamps; each packet with data is acknowledged by another, now and then together. */
const PACKET_BYTES = 52;

/** A relay to the stub, with the bytes and packets that went through it. */
async function relay(port: number) {
  const seen = { bytes: 0, packets: 0 };
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (chunk) => {
        seen.bytes += chunk.length;
        seen.packets += 2 * Math.ceil(chunk.length / 1448);
        to.write(chunk);
      });
      from.on("error", () => {}).on("close", () => to.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { seen, server, port: (server.address() as AddressInfo).port };
}

async function measure(
  folder: string,
  stub: KinesisStub,
  credentials: string,
  seconds: number,
): Promise<number> {
  const way = await relay(Number(new URL(stub.endpoint).port));
  const agent = await AgentProgram.start({
    folder,
    endpoint: `https://localhost:${way.port}`,
    kinesis: `credentials: { static: { access_key_id: AKIA0000000000000000, secret_access_key: secret${credentials} } }`,
    env: { NODE_EXTRA_CA_CERTS: resolve(FIXTURES, "ca.pem") },
  });
  const sensors = new Program("simulate.js", [
    "--turbines",
    "3",
    "--rate",
    "1",
    "--broker",
    `mqtt://127.0.0.1:${agent.port}`,
  ]);
  sensors.child.stdout?.resume();
  await stub.until(() => stub.counts.readings > 0);
  const before = { readings: stub.counts.readings, ...way.seen };
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const readings = stub.counts.readings - before.readings;
  const bytes = way.seen.bytes - before.bytes + (way.seen.packets - before.packets) * PACKET_BYTES;
  await sensors.stop();
  await agent.stop();
  way.server.close();
  return bytes / readings;
}

export const link: Bench = {
  name: "link",
  about: "bytes on the link at 9 readings a second over TLS, heads of TCP/IP included",
  async run(folder, { quick }) {
    const seconds = quick ? 60 : 300;
    const tls = {
      cert: readFileSync(join(FIXTURES, "server.pem")),
      key: readFileSync(join(FIXTURES, "server.key")),
    };
    const figures: Figure[] = [];
    for (const [what, credentials, goal] of [
      ["with a session token", `, session_token: ${TOKEN}`, 60],
      ["with static keys", "", 50],
    ] as const) {
      const stub = await startKinesisStub({ keep: false, tls });
      const value = await measure(join(folder, what.replaceAll(" ", "-")), stub, credentials, seconds);
      await stub.outage();
      figures.push({ what: `on the link a reading, ${what}`, value, unit: "B", goal, better: "less" });
    }
    return figures;
  },
};
