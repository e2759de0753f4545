/** The rate against streams with the service's real limits, on a clock that only the test moves. */

import { createHash } from "node:crypto";
import t from "tap";
import { createKeys } from "../../agent/ship/keys.ts";
import { StreamRate } from "../../agent/ship/rate.ts";

const RECORD = 50 * 1024;
const SHARD_BYTES = 1e6;
const IN_FLIGHT = 4;
const RECORDS = 5;

interface Stream {
  /** Whether the record with this key is taken at this moment, ms. */
  takes(key: string, nowMs: number): boolean;
}

/** Shards of 1 MB a second each, as a bucket that holds a second's worth. */
function shards(count: number, hot?: number): Stream {
  const all = Array.from({ length: count }, () => ({ bytes: SHARD_BYTES, atMs: 0 }));
  return {
    takes(key, nowMs) {
      const hash = createHash("md5").update(key).digest().readUInt32BE(0) / 2 ** 32;
      const index = Math.floor(hash * count);
      const shard = all[index];
      if (shard === undefined || index === hot) return false;
      shard.bytes = Math.min(SHARD_BYTES, shard.bytes + ((nowMs - shard.atMs) / 1000) * SHARD_BYTES);
      shard.atMs = nowMs;
      if (shard.bytes < RECORD) return false;
      shard.bytes -= RECORD;
      return true;
    },
  };
}

/** ms to write a request, and until it is answered. */
const ORDINARY = { sendMs: 6, answerMs: 20 };

/** Sends as much as the rate allows; bytes accepted a second, and the share that was not. */
function play(stream: Stream, seconds: number, { sendMs, answerMs } = ORDINARY) {
  let nowMs = 0;
  const rate = new StreamRate(1000, () => nowMs);
  const newKey = createKeys();
  const underWay: { atMs: number; sent: number; records: number }[] = [];
  let accepted = 0;
  let refused = 0;
  while (nowMs < seconds * 1000) {
    if (underWay.length < IN_FLIGHT && rate.waitMs === 0) {
      const records = Math.max(1, Math.min(RECORDS, Math.floor(rate.burstBytes / RECORD)));
      underWay.push({ atMs: nowMs + sendMs + answerMs, sent: rate.sent(records * RECORD), records });
      nowMs += sendMs;
      continue;
    }
    const untilSend =
      underWay.length < IN_FLIGHT ? nowMs + Math.max(1, rate.waitMs) : Number.POSITIVE_INFINITY;
    const next = underWay[0];
    if (next === undefined || next.atMs > untilSend) {
      nowMs = untilSend;
      continue;
    }
    nowMs = Math.max(nowMs, next.atMs);
    underWay.shift();
    const taken = Array.from({ length: next.records }, newKey).filter((key) =>
      stream.takes(key, nowMs),
    ).length;
    accepted += taken * RECORD;
    refused += (next.records - taken) * RECORD;
    rate.answered(next.sent, taken * RECORD, (next.records - taken) * RECORD);
  }
  return { perSecond: accepted / seconds, refused: refused / (accepted + refused) };
}

t.test("against two shards: nine tenths of what they take, and hardly anything refused", async (t) => {
  const { perSecond, refused } = play(shards(2), 60);
  t.ok(perSecond >= 0.9 * 2 * SHARD_BYTES, `${perSecond} bytes a second`);
  t.ok(refused <= 0.05, `${refused} refused`);
});

t.test("one shard, and many", async (t) => {
  for (const count of [1, 4, 8]) {
    const { perSecond, refused } = play(shards(count), 40);
    t.ok(perSecond >= 0.85 * count * SHARD_BYTES, `${count}: ${perSecond} bytes a second`);
    t.ok(refused <= 0.06, `${count}: ${refused} refused`);
  }
});

t.test("whatever the sender's own pace and the way to the stream", async (t) => {
  for (const sendMs of [1, 3, 15])
    for (const answerMs of [2, 20, 100])
      for (const count of [1, 2, 4, 8]) {
        const { perSecond, refused } = play(shards(count), 30, { sendMs, answerMs });
        const most = Math.min(
          count * SHARD_BYTES,
          (RECORDS * RECORD * 1000) / sendMs,
          (IN_FLIGHT * RECORDS * RECORD * 1000) / (sendMs + answerMs),
        );
        const which = `${count} shards, ${sendMs} ms to send, ${answerMs} to answer`;
        t.ok(perSecond >= 0.9 * most, `${which}: ${perSecond} bytes a second of ${most}`);
        t.ok(refused <= 0.12, `${which}: ${refused} refused, the start included`);
      }
});

t.test("a tenth refused whatever we send costs that tenth and little more", async (t) => {
  const all = play({ takes: () => true }, 10);
  let record = 0;
  const most = play({ takes: () => ++record % 10 !== 0 }, 10);
  t.equal(all.refused, 0);
  t.ok(most.perSecond >= 0.8 * all.perSecond, `${most.perSecond / all.perSecond} of the speed`);
});

t.test("a hot shard of eight does not hold up the other seven", async (t) => {
  const { perSecond } = play(shards(8, 3), 30);
  t.ok(perSecond >= 0.7 * 7 * SHARD_BYTES, `${perSecond} bytes a second of ${7 * SHARD_BYTES}`);
});

t.test("after a pause of hours what is refused is not spread over it", async (t) => {
  let nowMs = 0;
  const rate = new StreamRate(1000, () => nowMs);
  const send = (accepted: number, throttled: number) =>
    rate.answered(rate.sent(accepted + throttled), accepted, throttled);
  send(RECORD, 0);
  nowMs += 3_600_000;
  for (let request = 0; request < 40; request++, nowMs += 10) send(SHARD_BYTES / 20, 0);
  for (let request = 0; !rate.limited && request < 100; request++, nowMs += 10) send(0, SHARD_BYTES / 20);
  t.ok(rate.limited);
  t.ok(rate.burstBytes * 4 >= SHARD_BYTES, `${rate.burstBytes * 4} bytes a second`);
});
