import t from "tap";
import { FlowMeter } from "../../agent/observe/flow-meter.ts";
import { RateWindow } from "../../agent/observe/rates.ts";

t.test("A rate is known from the second sample on", async (t) => {
  const rates = new RateWindow(10_000);
  t.equal(rates.perSecond("n"), undefined, "nothing is known yet");
  rates.push(0, { n: 100 });
  t.equal(rates.perSecond("n"), undefined, "one sample is no rate");
  rates.push(0, { n: 150 });
  t.equal(rates.perSecond("n"), undefined, "nor are two of the same moment");
  rates.push(2000, { n: 160 });
  t.equal(rates.perSecond("n"), 30);
  t.equal(rates.perSecond("other"), 0, "a counter that nobody named stands still");
});

t.test("What is older than the window is forgotten", async (t) => {
  const rates = new RateWindow(10_000);
  for (let second = 0; second <= 100; second++) {
    rates.push(second * 1000, { n: second < 80 ? second * 50 : 80 * 50 });
  }
  t.equal(rates.perSecond("n"), 0, "twenty seconds of silence leave nothing of the burst before");
});

t.test("Looking often keeps the window and the memory as they are", async (t) => {
  const rates = new RateWindow(10_000);
  for (let ms = 0; ms <= 60_000; ms += 10) rates.push(ms, { n: ms < 30_000 ? 0 : (ms - 30_000) / 10 });
  t.ok(Math.abs((rates.perSecond("n") ?? 0) - 100) < 1, "100 a second for the whole window");
});

t.test("A counter that falls, and a clock that goes back, begin anew", async (t) => {
  const rates = new RateWindow(10_000);
  rates.push(1000, { n: 1000 });
  rates.push(2000, { n: 1010 });
  rates.push(3000, { n: 0 });
  t.equal(rates.perSecond("n"), undefined, "a restart is not a rate of minus a thousand");
  rates.push(4000, { n: 5 });
  t.equal(rates.perSecond("n"), 5);
  rates.push(1000, { n: 6 });
  t.equal(rates.perSecond("n"), undefined);
  rates.push(2000, { n: 8 });
  t.equal(rates.perSecond("n"), 2);
});

t.test("A counter that appears later began at nothing", async (t) => {
  const rates = new RateWindow(10_000);
  rates.push(0, {});
  rates.push(1000, { n: 4 });
  t.equal(rates.perSecond("n"), 4);
});

t.test("The flow meter tells when readings last came, counted from its first look", async (t) => {
  const meter = new FlowMeter();
  t.same(meter.sample(1000, { received: 500, shipped: 500 }), { receivedPerSecond: 0, shippedPerSecond: 0 });
  const moving = meter.sample(3000, { received: 520, shipped: 510 });
  t.same(moving, { receivedPerSecond: 10, shippedPerSecond: 5, lastReceivedMs: 3000 });
  t.equal(meter.sample(9000, { received: 520, shipped: 520 }).lastReceivedMs, 3000, "silence moves nothing");
  t.equal(meter.sample(200_000, { received: 520, shipped: 520 }).receivedPerSecond, 0);
});
