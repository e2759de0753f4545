/** The disk full, failing, or used up, under the real agent: nothing acknowledged is lost, and it recovers by itself. */

import { mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { LEAST_BALLAST_BYTES } from "../../../agent/buffer/ballast.ts";
import { codeOf } from "../../../agent/errors.ts";
import { Injection, mountTmpfs, Rig, recovered, seen, straceMissing, tmpfsMissing } from "./rig.ts";

const QUOTA = "max_size: 1MiB, ballast: 0B, rejects_max_size: 64KiB";

t.test(
  "The quota is reached and the buffer refuses: sensors wait, and go on when there is room",
  async (t) => {
    const rig = await Rig.start(t, { folder: t.testdir(), buffer: QUOTA });
    await rig.stub.outage();
    rig.sensor.start();
    await rig.agent.until(({ buffer }) => buffer.state === "full");
    await seen(t, rig, "full");
    const stuck = rig.sensor.acknowledged.size;
    await rig.agent.until(({ buffer }) => buffer.pending > 0);
    t.ok(rig.sensor.underWay > 0, `${rig.sensor.underWay} PUBACKs are held`);
    t.ok((await rig.agent.status()).received < stuck + rig.sensor.underWay);
    await rig.stub.start();
    await rig.agent.until(({ buffer }) => buffer.state === "storing");
    await rig.acknowledges(1000);
    const { dropped, shipped } = await recovered(t, rig);
    t.equal(dropped, 0);
    t.equal(shipped, rig.sensor.sent);
  },
);

t.test("The quota is reached and the oldest make room: counted, to the reading", async (t) => {
  const rig = await Rig.start(t, { folder: t.testdir(), buffer: `${QUOTA}, on_full: drop_oldest` });
  await rig.stub.outage();
  rig.sensor.start();
  await rig.agent.until(({ dropped }) => dropped > 500);
  // A buffer as small as this one counts as storing for a moment whenever a group was dropped.
  await rig.agent.until(({ buffer, sentence }) => buffer.state === "full" && /dropped so far/.test(sentence));
  while ((await rig.agent.metric('windfarm_buffer_state{state="full"}')) !== 1) t.ok(rig.agent.running);
  t.equal(await rig.agent.readyCode(), 200, "it takes readings all the same");
  await rig.acknowledges(500);
  await rig.stub.start();
  const { dropped } = await recovered(t, rig);
  t.comment(`${rig.sensor.sent} sent, ${dropped} dropped`);
});

t.test("Someone else fills an 8 MB disk", { skip: tmpfsMissing() }, async (t) => {
  const folder = t.testdir();
  const disk = mountTmpfs(t, "40m");
  const bufferFolder = join(disk, "agent");
  mkdirSync(bufferFolder);
  const filler = join(disk, "someone-elses");
  const rig = await Rig.start(t, { folder, bufferFolder, buffer: "max_size: 16MiB" });
  await rig.agent.until(() => ballastBytes(bufferFolder) >= LEAST_BALLAST_BYTES);
  // What is left when all that the agent needs is there: 8 MB.
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - 8_000_000)));
  await rig.stub.outage();
  rig.sensor.start();
  await rig.acknowledges(2000);
  fill(`${filler}-more`);
  await rig.agent.until(({ buffer }) => buffer.state === "disk_full");
  await seen(t, rig, "disk_full");
  const backlog = (await rig.agent.status()).buffered;
  const before = (await rig.agent.status()).shipped;

  await rig.stub.start();
  const after = await rig.agent.until(({ shipped }) => shipped >= before + backlog);
  t.ok(statSync(`${filler}-more`).size > 0, "the disk is as full as before");
  t.ok(
    after.shipped > before,
    `${after.shipped - before} readings were shipped and deleted on the full disk`,
  );

  rmSync(`${filler}-more`);
  await rig.agent.until(({ buffer }) => buffer.state === "storing");
  await rig.acknowledges(1000);
  const { dropped } = await recovered(t, rig);
  t.equal(dropped, 0);
  await rig.agent.until(() => ballastBytes(bufferFolder) >= LEAST_BALLAST_BYTES);
  t.pass("the ballast is whole again");
});

const injected = [
  { calls: "pwrite64", error: "ENOSPC", state: "disk_full" },
  { calls: "pwrite64", error: "EIO", state: "failed" },
  { calls: "fsync,fdatasync", error: "EIO", state: "failed" },
];
for (const { calls, error, state } of injected) {
  t.test(`${calls} answers ${error}`, { skip: straceMissing() }, async (t) => {
    const folder = t.testdir();
    const rig = await Rig.start(t, { folder, buffer: "ballast: 0B" });
    rig.sensor.start();
    await rig.acknowledges(1000);
    const paths = ["buffer.db", "buffer.db-wal"].map((name) => join(folder, name));
    const injection = await Injection.begin(rig.agent.pid, calls, error, paths);
    const states = new Set<string>();
    await rig.agent.until(({ buffer }) => states.add(buffer.state).has(state));
    const acknowledged = rig.sensor.acknowledged.size;
    const { received } = await rig.agent.status();
    await rig.agent.until(({ buffer }) => buffer.pending > 0);
    t.ok(rig.sensor.underWay > 0, `${rig.sensor.underWay} PUBACKs are held`);
    t.ok(acknowledged <= received, "nothing is acknowledged that is not counted");
    await injection.end();
    await rig.agent.until(({ buffer }) => buffer.state === "storing");
    await rig.acknowledges(1000);
    const { dropped } = await recovered(t, rig);
    t.equal(dropped, 0);
  });
}

function ballastBytes(folder: string): number {
  return statSync(join(folder, "buffer.db.ballast"), { throwIfNoEntry: false })?.size ?? 0;
}

/** Writes until the disk takes no more. */
function fill(path: string): void {
  for (const chunk of [1024 * 1024, 64 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(chunk, 1), { flag: "a" });
    } catch (error) {
      if (codeOf(error) !== "ENOSPC") throw error;
    }
  }
}
