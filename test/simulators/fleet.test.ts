import t from "tap";
import type { Reading } from "../../agent/contract/reading.ts";
import { type FaultPlan, NO_FAULTS } from "../../simulators/faults.ts";
import { type Clock, Fleet, type FleetSettings } from "../../simulators/fleet.ts";
import { contractForm } from "../../simulators/payload.ts";
import { Turbine } from "../../simulators/turbine.ts";
import { TestBroker } from "../helpers/test-broker.ts";

const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

interface FleetOptions extends Partial<FleetSettings> {
  turbines?: number;
  faults?: Partial<FaultPlan>;
  outboxMessages?: number;
}

function fleet(url: string, options: FleetOptions = {}) {
  const { turbines = 2, faults = {}, outboxMessages = 100_000, ...settings } = options;
  const acknowledged: Reading[] = [];
  const reached: boolean[] = [];
  const made = new Fleet(
    Array.from({ length: turbines }, (_, index) => {
      const name = `T0${index + 1}`;
      const settings = {
        name,
        seed: 1,
        stepSeconds: 1,
        startHour: 8,
        topicPrefix: "windfarm",
        form: contractForm,
      };
      return new Turbine({ ...settings, faults: { ...NO_FAULTS, ...faults } });
    }),
    {
      connection: { url, access: {}, outboxMessages },
      clientPrefix: "sensors",
      seed: 1,
      rate: 500,
      countPerSensor: Number.POSITIVE_INFINITY,
      forMs: Number.POSITIVE_INFINITY,
      ...settings,
    },
    { acknowledged: (reading) => acknowledged.push(reading), reach: (is) => reached.push(is) },
    realClock,
  );
  return { fleet: made, acknowledged, reached };
}

t.beforeEach(async (t) => {
  const broker = new TestBroker();
  await broker.start();
  t.context.broker = broker;
  t.teardown(() => broker.stop());
});

const brokerOf = (t: { context: { broker?: unknown } }): TestBroker => {
  if (t.context.broker instanceof TestBroker) return t.context.broker;
  throw new TypeError("no broker");
};

const identity = ({ turbine, type, id, date, data }: Reading) => `${turbine} ${type} ${id} ${date} ${data}`;

t.test("--count makes exactly so many readings of each sensor, all acknowledged", async (t) => {
  const broker = brokerOf(t);
  const { fleet: farm, acknowledged, reached } = fleet(broker.url, { countPerSensor: 100 });
  farm.start();
  await farm.made;
  const summary = await farm.stop(10_000);
  t.match(summary, {
    made: 600,
    published: 600,
    acknowledged: 600,
    unacknowledged: 0,
    lost: 0,
    extraAcknowledged: 0,
  });
  t.equal(broker.received.length, 600);
  t.equal(new Set(acknowledged.map(identity)).size, 600);
  t.strictSame(reached, [true]);
});

t.test("--for makes rate × seconds readings of each sensor", async (t) => {
  const { fleet: farm } = fleet(brokerOf(t).url, { rate: 100, forMs: 500 });
  farm.start();
  await farm.made;
  t.match(await farm.stop(10_000), { made: 300, acknowledged: 300 });
});

t.test("Turbines are not in step, and a sensor's dates are evenly spaced", async (t) => {
  const { fleet: farm, acknowledged } = fleet(brokerOf(t).url, { rate: 50, countPerSensor: 20 });
  farm.start();
  await farm.made;
  await farm.stop(10_000);
  const dates = (turbine: string) =>
    acknowledged
      .filter((reading) => reading.turbine === turbine && reading.type === "Power Factor")
      .map(({ date }) => Date.parse(date));
  const [first = [], second = []] = [dates("T01"), dates("T02")];
  t.ok(
    first.slice(1).every((date, index) => date - (first[index] ?? 0) === 20),
    `${first}`,
  );
  t.equal((second[0] ?? 0) - (first[0] ?? 0), 10);
});

t.test("A past comes first, up to now and at once, and the present goes on where it ended", async (t) => {
  const beforeMs = Date.now();
  const { fleet: farm, acknowledged } = fleet(brokerOf(t).url, {
    past: { count: 1500, stepMs: 30_000 },
    countPerSensor: 20,
  });
  farm.start();
  await farm.made;
  t.match(await farm.stop(10_000), { made: 2 * 3 * 1520, acknowledged: 2 * 3 * 1520, lost: 0 });
  const one = acknowledged.filter(({ turbine, type }) => turbine === "T01" && type === "Power Factor");
  t.strictSame(
    one.map(({ id }) => id),
    Array.from({ length: 1520 }, (_, index) => `PP_${index}`),
    "ids go on",
  );
  const dates = one.map(({ date }) => Date.parse(date));
  const steps = dates.slice(1).map((date, index) => date - (dates[index] ?? 0));
  t.ok(steps.slice(0, 1499).every((step) => step === 30_000));
  t.ok((dates[1499] ?? 0) >= beforeMs - 30_000 && (dates[1499] ?? 0) < (dates[1500] ?? 0));
  t.ok(steps.slice(1500).every((step) => step === 2));
});

t.test("A history has the dates asked for, and waits for room instead of giving readings up", async (t) => {
  const fromMs = Date.parse("2026-11-22T00:00:00.000Z");
  const history = { fromMs, stepMs: 60_000 };
  const { fleet: farm, acknowledged } = fleet(brokerOf(t).url, {
    turbines: 1,
    rate: 100_000,
    countPerSensor: 1_440,
    history,
    outboxMessages: 60,
  });
  farm.start();
  await farm.made;
  t.match(await farm.stop(10_000), { made: 4_320, acknowledged: 4_320, lost: 0 });
  const days = new Set(acknowledged.map(({ date }) => date.slice(0, 10)));
  t.strictSame([...days], ["2026-11-22"]);
  t.equal(acknowledged.at(-1)?.date, "2026-11-22T23:59:00.000Z");
});

t.test("Faults are counted, and what they add is no reading", async (t) => {
  const broker = brokerOf(t);
  const faults = { duplicates: 0.2, bad: 0.2, burst: 7 };
  const { fleet: farm } = fleet(broker.url, { countPerSensor: 100, faults });
  farm.start();
  await farm.made;
  const summary = await farm.stop(10_000);
  const extra = summary.faults.duplicates + summary.faults.bad;
  t.ok(extra > 100);
  t.match(summary, { made: 600, acknowledged: 600, extraAcknowledged: extra, published: 600 + extra });
  t.equal(broker.received.length, 600 + extra);
});

t.test(
  "A broker cut and restarted in the middle loses nothing that is acknowledged, and all arrives",
  async (t) => {
    const broker = brokerOf(t);
    const { fleet: farm, acknowledged, reached } = fleet(broker.url, { rate: 200, countPerSensor: 150 });
    broker.cutAfter = 200;
    farm.start();
    await broker.until(() => broker.received.length > 400);
    await broker.stop();
    await broker.start();
    await farm.made;
    const summary = await farm.stop(10_000);
    t.match(summary, { made: 900, acknowledged: 900, unacknowledged: 0 });
    t.ok(summary.published > 900);
    const arrived = new Set(broker.received.map(({ payload, topic }) => `${topic} ${payload}`));
    t.equal(arrived.size, 900);
    t.equal(new Set(acknowledged.map(identity)).size, 900);
    t.ok(reached.includes(false) && reached.at(-1) === true, `${reached}`);
  },
);

t.test("What is not acknowledged by the deadline is counted as such", async (t) => {
  const broker = brokerOf(t);
  broker.acknowledging = false;
  const { fleet: farm } = fleet(broker.url, { turbines: 1, countPerSensor: 10 });
  farm.start();
  await farm.made;
  await broker.until(() => broker.received.length > 0);
  t.match(await farm.stop(20), { made: 30, acknowledged: 0, unacknowledged: 30 });
});
