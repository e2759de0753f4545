import t from "tap";
import { GatewayLine } from "../../agent/observe/gateway-line.ts";
import { NOON_MS, sampleSnapshot } from "./sample-snapshot.ts";

t.test("the gateway's state is one line, with these keys in this order", async (t) => {
  const line = new GatewayLine(NOON_MS - 60_000);
  const { buffer, health } = sampleSnapshot();
  const disk = { totalBytes: 9000, todayBytes: 8000 };
  const text = line.of(
    sampleSnapshot({
      buffer: { ...buffer, firstSeq: 48_101, lastSeq: 48_213 },
      health: { ...health, cpuSeconds: 0.3, clockSynchronised: true },
      usage: { link: disk, disk },
    }),
  );
  t.equal(
    text,
    `{"kind":"gateway","gateway":"gw-01","site":"demo","epoch":"t8k2q1","first":48101,"last":48213,"sent":"2026-11-22T12:00:00.000Z","version":"0.2.0","state":"delivering","received":48213,"buffered":113,"shipped":48095,"rejected":5,"dropped":0,"cpu":0.005,"memory":${71 * 1024 ** 2},"temperature":48,"disk_free":${21 * 1024 ** 3},"clock_synced":true,"written_today":8000}\n`,
  );
  const later = line.of(sampleSnapshot({ nowMs: NOON_MS + 60_000, health: { ...health, cpuSeconds: 60.3 } }));
  t.match(JSON.parse(later), { cpu: 1 }, "the share of a core since the line before");
});

t.test("what isn't known is null", async (t) => {
  const { buffer } = sampleSnapshot();
  const health = { rssBytes: 1, cpuSeconds: 0, load1: 0 };
  const text = new GatewayLine(NOON_MS).of(sampleSnapshot({ buffer: { ...buffer, lastSeq: 0 }, health }));
  t.match(JSON.parse(text), {
    first: null,
    last: null,
    cpu: null,
    temperature: null,
    disk_free: null,
    clock_synced: null,
    written_today: null,
  });
});
