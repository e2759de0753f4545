import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import t from "tap";
import { z } from "zod";
import { FolderLock } from "../../../cloud/local/folder-lock.ts";
import { queryLake } from "../../../cloud/local/lake-reader.ts";
import { type RunningCloud, startCloud } from "./helpers/cloud-process.ts";
import { linesOf, packed, putUntilAccepted } from "./helpers/producer.ts";

/** The sockets on which a process listens, as the kernel lists them: local address in hex and port. */
function listening(pid: number): string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ["tcp", "tcp6"].flatMap((family) =>
    readFileSync(`/proc/net/${family}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && sockets.has(fields[9] ?? ""))
      .map((fields) => fields[1] ?? ""),
  );
}

/** Resolves when the process is gone; a zombie is. */
async function gone(pid: number): Promise<void> {
  const state = () => {
    try {
      return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    } catch {
      return undefined;
    }
  };
  while (!["Z", "X", undefined].includes(state())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function lakeSeqs(data: string): Promise<number[]> {
  const { rows } = await queryLake(`${data}/lake`, "SELECT seq FROM readings ORDER BY seq");
  return rows.map(([seq]) => Number(seq));
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** Puts readings from `first` on, 50 a record, until told to stop; the last seq that was accepted. */
function load(cloud: () => RunningCloud, first: number): () => Promise<number> {
  let going = true;
  const run = async () => {
    let seq = first;
    for (; going; seq += 100) {
      const records = [seq, seq + 50].map((from) => packed(linesOf(from, from + 49)));
      await putUntilAccepted(() => cloud().kinesis, records);
    }
    return seq - 1;
  };
  const done = run();
  return () => {
    going = false;
    return done;
  };
}

t.test("whatever is killed, the cloud loses nothing it accepted and doubles nothing", async (t) => {
  const data = t.testdir();
  const start = () => startCloud(t, data, "--buffer-interval", "300ms");
  let cloud = await start();
  const { kinesisPid } = await cloud.status();

  for (const pid of [cloud.process.pid ?? 0, kinesisPid]) {
    const sockets = listening(pid);
    t.equal(sockets.length, 2, `process ${pid} listens on two ports`);
    for (const socket of sockets) t.match(socket, /^0100007F:/, "on 127.0.0.1 only");
  }

  const finish = load(() => cloud, 1);
  const delivered = async (goal: number) => {
    while ((await cloud.status()).deliveredReadings < goal)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await delivered(200);
  await cloud.kill();
  await gone(kinesisPid);
  t.pass("kinesis-local ends with the cloud that was killed");

  cloud = await start();
  const second = await cloud.status();
  await delivered(second.deliveredReadings + 200);
  process.kill(second.kinesisPid, "SIGKILL");
  await gone(second.kinesisPid);
  const last = await finish();
  // A process is gone a moment before its parent hears of it.
  while ((await cloud.status()).kinesisPid === second.kinesisPid)
    await new Promise((resolve) => setTimeout(resolve, 20));
  t.pass("kinesis-local that was killed is replaced");
  const status = await cloud.flush();
  t.same(await lakeSeqs(data), upTo(last), "every reading once");
  t.same(status.epochs, [{ gateway: "gw-01", epoch: "e1", maxSeq: last, distinct: last, gaps: [] }]);

  await putUntilAccepted(() => cloud.kinesis, [packed(linesOf(last + 1, last + 100))]);
  t.equal(await cloud.stop(), 0);
  t.same(await lakeSeqs(data), upTo(last + 100), "stopped in order right after a put, it has it in the lake");
  t.same(readdirSync(`${data}/delivery`), [], "and nothing is left to be delivered");
});

t.test("a second cloud on the same folder or port says so", async (t) => {
  const data = t.testdir({ a: {}, b: {} });
  const lock = new FolderLock(`${data}/a`);
  lock.take();
  await t.rejects(startCloud(t, `${data}/a`), /ended with 1 .*in use by another local cloud/);
  lock.release();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.teardown(() => taken.close());
  const { port } = z.object({ port: z.number() }).parse(taken.address());
  await t.rejects(
    startCloud(t, `${data}/b`, "--port", String(port)),
    /ended with 1 .*is in use by another program/,
  );
  await t.rejects(
    startCloud(t, `${data}/b`, "--shards", "0"),
    /ended with 2 .*--shards must be a whole number/,
  );
  await t.rejects(startCloud(t, `${data}/b`, "--buffer-size", "5"), /ended with 2 .*a size with its unit/);
});
