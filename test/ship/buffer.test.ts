import { join } from "node:path";
import t, { type Test } from "tap";
import { openBuffer } from "../../agent/buffer/open.ts";
import { encodeHead } from "../../agent/contract/shipped.ts";
import { createShipper } from "../../agent/ship/shipper.ts";
import { type StubFault, startKinesisStub } from "../helpers/kinesis-stub.ts";
import { readableLog, shipSettings } from "../helpers/ship-rig.ts";

const MIB = 1024 * 1024;

function open(path: string) {
  const settings = {
    path,
    gateway: "gw-01",
    maxBytes: 64 * MIB,
    onFull: "refuse" as const,
    lingerMs: 1,
    rejectsMaxBytes: MIB,
    ballastBytes: 0,
  };
  return openBuffer(settings, { now: Date.now, log: readableLog().log });
}

/** Resolves once all of them are on disk. */
function append(buffer: ReturnType<typeof open>, count: number): Promise<void> {
  const date = "2026-11-22T12:00:00.000Z";
  return new Promise((resolve, reject) => {
    let left = count;
    for (let each = 0; each < count; each++) {
      const head = encodeHead({ id: `PP_${each}`, data: 0.97, type: "Power Factor", date, turbine: "T07" });
      buffer.append(Buffer.from(head), "T07", Date.now(), 0, (error) => {
        if (error) reject(error);
        else if (--left === 0) resolve();
      });
    }
  });
}

function seqsOf(lines: readonly string[]): number[] {
  const seqs = lines.map((line) => Number(/"seq":(\d+)/.exec(line)?.[1]));
  return [...new Set(seqs)].sort((a, b) => a - b);
}

/** Ships until the buffer is empty. */
async function drain(t: Test, path: string, fault?: (index: number) => StubFault | undefined) {
  const stub = await startKinesisStub(fault === undefined ? {} : { fault: ({ index }) => fault(index) });
  const buffer = open(path);
  const shipper = createShipper(shipSettings(stub.endpoint), buffer, {
    log: readableLog().log,
    backoff: { baseMs: 1, capMs: 5 },
  });
  const total = buffer.accounts().buffered;
  shipper.start();
  await stub.until(() => seqsOf(stub.lines).length === total);
  await shipper.stop(5000);
  await buffer.close();
  await stub.outage();
  t.equal(shipper.stats().readings, total);
  return stub.lines;
}

t.test("a backlog of the real buffer arrives whole, and the buffer's accounts close", async (t) => {
  const path = join(t.testdir(), "buffer.db");
  const buffer = open(path);
  await append(buffer, 5000);
  await buffer.close();
  const lines = await drain(t, path);
  t.strictSame(
    seqsOf(lines),
    Array.from({ length: 5000 }, (_, index) => index + 1),
  );
  t.equal(lines.length, 5000);
  const after = open(path);
  t.match(after.accounts(), { received: 5000, shipped: 5000, buffered: 0 });
  await after.close();
});

t.test("what was not accepted when the agent stopped is shipped by the next one", async (t) => {
  const path = join(t.testdir(), "buffer.db");
  const stub = await startKinesisStub({ fault: () => ({ kind: "lost_reply" }) });
  const buffer = open(path);
  const shipper = createShipper(shipSettings(stub.endpoint), buffer, { log: readableLog().log });
  shipper.start();
  await append(buffer, 1000);
  await stub.until(() => stub.counts.requests > 0);
  await shipper.stop(0);
  await buffer.close();
  await stub.outage();
  const again = open(path);
  t.match(again.accounts(), { received: 1000, shipped: 0, buffered: 1000 });
  await again.close();
  const fault = (index: number): StubFault | undefined =>
    index < 3 ? { kind: "partial", fails: (at) => at % 2 === 0 } : undefined;
  t.equal(seqsOf(await drain(t, path, fault)).length, 1000);
});
