import { join } from "node:path";
import t from "tap";
import { boardOf } from "../../agent/observe/board.ts";

const firmware = (answer: string) => ({
  sys: { devices: { platform: { soc: { "soc:firmware": { get_throttled: `${answer}\n` } } } } },
});

t.test("A Raspberry Pi says why it is held back, and not why it once was", async (t) => {
  const now = await boardOf({ root: t.testdir(firmware("50005")) });
  t.strictSame(now.throttled, ["the supply's voltage is too low", "throttled"]);
  const before = await boardOf({ root: t.testdir(firmware("50000")) });
  t.strictSame(before.throttled, []);
});

t.test("The clock is synchronised, or not yet, or nobody can tell", async (t) => {
  const root = (systemd: Record<string, Record<string, string>>) => t.testdir({ run: { systemd } });
  t.equal((await boardOf({ root: root({ timesync: { synchronized: "" } }) })).clockSynchronised, true);
  t.equal((await boardOf({ root: root({ timesync: {} }) })).clockSynchronised, false);
  t.notOk("clockSynchronised" in (await boardOf({ root: root({}) })));
});

t.test("Memory is what programs could still have", async (t) => {
  const meminfo = "MemTotal:        948304 kB\nMemFree:          20000 kB\nMemAvailable:    512000 kB\n";
  const root = t.testdir({ proc: { meminfo } });
  t.match(await boardOf({ root }), { memoryTotalBytes: 948_304 * 1024, memoryFreeBytes: 512_000 * 1024 });
});

t.test("A certificate's end is told; one that can't be read costs only itself", async (t) => {
  const certificates = [
    { use: "AWS IoT", file: "test/ship/fixtures/device.pem" },
    { use: "MQTT", file: join(t.testdir(), "missing.pem") },
  ];
  const { certificates: ends = [] } = await boardOf({ certificates });
  t.match(ends, [{ use: "AWS IoT", endsMs: Number }]);
  t.ok((ends[0]?.endsMs ?? 0) > Date.parse("2026-01-01"));
});

t.test("A machine that tells nothing has nothing told", async (t) => {
  t.strictSame(await boardOf({ root: t.testdir() }), {});
});
