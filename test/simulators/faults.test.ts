import t from "tap";
import { DEFAULT_SENSORS } from "../../agent/contract/sensors.ts";
import { describeFaults, FAULTS, type FaultPlan, NO_FAULTS, parseFaults } from "../../simulators/faults.ts";
import { contractForm } from "../../simulators/payload.ts";
import { type Message, Turbine } from "../../simulators/turbine.ts";

const TICKS = 1_000;

function play(faults: Partial<FaultPlan>, name = "T01"): { turbine: Turbine; ticks: Message[][] } {
  const turbine = new Turbine({
    name,
    seed: 5,
    stepSeconds: 1,
    startHour: 8,
    topicPrefix: "windfarm",
    form: contractForm,
    faults: { ...NO_FAULTS, ...faults },
  });
  return { turbine, ticks: Array.from({ length: TICKS }, (_, index) => turbine.tick(index * 1000)) };
}

const readings = (messages: Message[]) =>
  messages.filter(({ kind }) => kind === "reading").map(({ topic, payload }) => `${topic} ${payload}`);

const sound = readings(play({}).ticks.flat());

const same = (some: string[], others: string[]) => some.join("\n") === others.join("\n");

t.test("Without faults each tick is three readings and nothing is counted", async (t) => {
  const { turbine, ticks } = play({});
  t.ok(ticks.every((messages) => messages.length === 3));
  t.ok(Object.values(turbine.counts).every((count) => count === 0));
});

t.test("duplicates: the same payload again, right behind the first", async (t) => {
  const { turbine, ticks } = play({ duplicates: 0.1 });
  const messages = ticks.flat();
  const at = messages.findIndex(({ kind }) => kind === "duplicate");
  t.equal(messages[at]?.payload, messages[at - 1]?.payload);
  t.equal(messages.length - TICKS * 3, turbine.counts.duplicates);
  t.ok(
    turbine.counts.duplicates > TICKS * 0.2 && turbine.counts.duplicates < TICKS * 0.4,
    `${turbine.counts.duplicates}`,
  );
  t.ok(same(readings(messages), sound), "the readings are those without the fault");
});

t.test("bad: extra messages, no reading is lost to them", async (t) => {
  const { turbine, ticks } = play({ bad: 0.5 });
  const messages = ticks.flat();
  t.ok(same(readings(messages), sound));
  t.equal(messages.filter(({ kind }) => kind === "bad").length, turbine.counts.bad);
  t.ok(turbine.counts.bad > TICKS);
});

t.test("skew: each turbine's clock is wrong by its own constant amount", async (t) => {
  const skews = ["T01", "T02", "T03"].map((name) => {
    const dates = play({ skewHours: 3 }, name).ticks.map((messages) =>
      Date.parse(messages[0]?.reading?.date ?? ""),
    );
    const errors = new Set(dates.map((date, index) => date - index * 1000));
    t.equal(errors.size, 1);
    return [...errors][0] ?? Number.NaN;
  });
  t.equal(new Set(skews).size, 3);
  t.ok(
    skews.every((skew) => skew !== 0 && Math.abs(skew) <= 3 * 3_600_000),
    `${skews}`,
  );
});

t.test("bursts: readings are kept back, come at once, in order, and none is lost", async (t) => {
  const { turbine, ticks } = play({ burst: 7 });
  t.equal(ticks[0]?.length, 0);
  t.equal(ticks[6]?.length, 21);
  const rest = turbine.release();
  t.equal(rest.length, (TICKS % 7) * 3);
  t.ok(same(readings([...ticks.flat(), ...rest]).sort(), [...sound].sort()));
  t.strictSame(turbine.release(), []);
});

t.test("silence: a sensor says nothing for a while, then goes on with the values of its time", async (t) => {
  const { turbine, ticks } = play({ silence: 0.005 });
  const messages = ticks.flat();
  t.equal(TICKS * 3 - messages.length, turbine.counts.silenced);
  t.ok(turbine.counts.silenced > 100 && messages.length > TICKS);
  const known = new Set(sound);
  t.ok(readings(messages).every((line) => known.has(line)));
});

t.test("out-of-range: implausible but understood values", async (t) => {
  const { turbine, ticks } = play({ outOfRange: 0.05 });
  const outside = ticks.flat().filter(({ reading }) => {
    if (reading === undefined) return false;
    const { min, max } = DEFAULT_SENSORS[reading.type].plausible;
    return reading.data < min || reading.data > max;
  });
  t.equal(outside.length, turbine.counts.outOfRange);
  t.ok(outside.length > TICKS * 0.1);
});

t.test("stuck: a sensor repeats its last value", async (t) => {
  const { turbine, ticks } = play({ stuck: 0.01 });
  const pressures = ticks.map((messages) => messages[2]?.reading?.data);
  let longest = 0;
  let run = 0;
  for (const [index, value] of pressures.entries()) {
    run = value === pressures[index - 1] ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  t.ok(longest >= 20, `the longest run is ${longest}`);
  t.ok(turbine.counts.stuck > 0);
});

t.test("--fault takes a name with or without a number, several times", async (t) => {
  t.strictSame(parseFaults([]), NO_FAULTS);
  t.strictSame(parseFaults(["duplicates=0.3", "bad", "skew=5", "bursts", "out-of-range=1"]), {
    ...NO_FAULTS,
    duplicates: 0.3,
    bad: FAULTS.bad?.usual,
    skewHours: 5,
    burst: FAULTS.bursts?.usual,
    outOfRange: 1,
  });
  t.ok(Object.keys(FAULTS).every((name) => describeFaults().includes(name)));
});

for (const spec of [
  "nonsense",
  "",
  "toString",
  "bad=2",
  "bad=-0.1",
  "bad=",
  "bad=x",
  "skew=1e9",
  "bad=0.1=2",
]) {
  t.test(`--fault ${spec || '""'} is a usage error that says what is known`, async (t) => {
    t.throws(() => parseFaults([spec]), { code: "simulate.fault", exitCode: 2, hint: /\w/ });
  });
}
