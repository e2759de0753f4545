import { join } from "node:path";
import t from "tap";
import { UseMeter, writtenBytes } from "../../agent/observe/use-meter.ts";

const HOUR_MS = 3_600_000;
const MIDNIGHT_MS = Date.UTC(2026, 10, 22);

t.test("what is used counts from midnight, and a month is told at the rate of the last hour", async (t) => {
  const meter = new UseMeter();
  let use = meter.sample(MIDNIGHT_MS - 2 * HOUR_MS, 0);
  t.same(use, { totalBytes: 0, todayBytes: 0 }, "nothing is told of a month at once");
  for (let minute = 1; minute <= 180; minute++) {
    use = meter.sample(MIDNIGHT_MS - 2 * HOUR_MS + minute * 60_000, minute * 1000);
  }
  t.equal(use.totalBytes, 180_000);
  t.equal(use.todayBytes, 60_000 + 1000, "since the last sample before midnight");
  t.equal(Math.round(use.monthBytes ?? 0), 1000 * 60 * 24 * 30);
});

t.test("what this process wrote is the kernel's figure, and nothing where there is none", async (t) => {
  const folder = t.testdir({
    io: "rchar: 9\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n",
    none: "rchar: 9\n",
  });
  t.equal(writtenBytes(join(folder, "io")), 4096);
  t.equal(writtenBytes(join(folder, "none")), undefined);
  t.equal(writtenBytes(join(folder, "missing")), undefined);
});
