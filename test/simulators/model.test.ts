import t from "tap";
import { SENSOR_TYPES } from "../../agent/contract/sensors.ts";
import { HydraulicPressureSimulator } from "../../simulators/hydraulic-pressure.ts";
import { powerCurve, TurbineModel } from "../../simulators/model.ts";
import { PowerFactorSimulator } from "../../simulators/power-factor.ts";
import { Random } from "../../simulators/random.ts";
import { SIMULATORS } from "../../simulators/sensors.ts";
import { TemperatureBatterySimulator } from "../../simulators/temperature-battery.ts";

const FIRST_OF_42 = [0.6961033507250249, 0.23720125714316964, 0.8159858223516494];
const FIRST_OF_7 = [
  [0.986, 0.9828, 0.9819],
  [22.76, 22.86, 22.88],
  [75.12, 75.05, 75.17],
];

interface Values {
  powerFactor: number[];
  temperature: number[];
  pressure: number[];
}

function measure(seed: number, turbine: string, stepSeconds: number, steps: number): Values {
  const model = new TurbineModel(seed, turbine, stepSeconds);
  const powerFactor = new PowerFactorSimulator(seed, turbine);
  const temperature = new TemperatureBatterySimulator(seed, turbine);
  const pressure = new HydraulicPressureSimulator(seed, turbine);
  const values: Values = { powerFactor: [], temperature: [], pressure: [] };
  for (let step = 0; step < steps; step++) {
    const state = model.advance();
    values.powerFactor.push(powerFactor.measure(state));
    values.temperature.push(temperature.measure(state));
    values.pressure.push(pressure.measure(state));
  }
  return values;
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

t.test("The random numbers of a seed are uniform, and the same on every machine", async (t) => {
  const random = new Random(42, "T01", "weather");
  t.strictSame([random.next(), random.next(), random.next()], FIRST_OF_42);
  const many = Array.from({ length: 20_000 }, () => random.next());
  t.ok(many.every((value) => value >= 0 && value < 1));
  t.ok(Math.abs(mean(many) - 0.5) < 0.01, `mean ${mean(many)}`);
  const normal = Array.from({ length: 20_000 }, () => random.normal());
  t.ok(Math.abs(mean(normal)) < 0.03, `mean ${mean(normal)}`);
  t.ok(Math.abs(mean(normal.map((value) => value ** 2)) - 1) < 0.05);
});

t.test("The same seed gives the same values, another seed or turbine gives others", async (t) => {
  const values = measure(7, "T01", 1, 500);
  t.strictSame(measure(7, "T01", 1, 500), values);
  t.notSame(measure(8, "T01", 1, 500), values);
  t.notSame(measure(7, "T02", 1, 500), values);
  t.strictSame(
    [values.powerFactor.slice(0, 3), values.temperature.slice(0, 3), values.pressure.slice(0, 3)],
    FIRST_OF_7,
    "also in the next version",
  );
});

for (const [name, stepSeconds, steps] of [
  ["ten readings a second for two hours", 0.1, 72_000],
  ["a reading a second for a day", 1, 86_400],
  ["a reading a minute for thirty days", 60, 43_200],
] as const) {
  t.test(`Values are plausible and near nominal: ${name}`, async (t) => {
    const { powerFactor, temperature, pressure } = measure(3, "T05", stepSeconds, steps);
    t.ok(
      powerFactor.every((value) => value > 0.8 && value <= 1),
      `${Math.min(...powerFactor.slice(0, 50_000))}`,
    );
    t.ok(mean(powerFactor) > 0.95, `mean power factor ${mean(powerFactor)}`);
    t.ok(Math.abs(mean(temperature) - 23) < 2.5, `mean temperature ${mean(temperature)}`);
    t.ok(temperature.every((value) => value > 17 && value < 30));
    t.ok(Math.abs(mean(pressure) - 76) < 1.5, `mean pressure ${mean(pressure)}`);
    t.ok(pressure.every((value) => value > 70 && value < 82));
    t.ok(new Set(pressure).size > 100, "it moves");
  });
}

t.test("The battery is warmer in the afternoon than at night", async (t) => {
  const { temperature } = measure(3, "T01", 60, 1440);
  const at = (hour: number) =>
    mean(temperature.slice((((hour - 8 + 24) % 24) - 0.5) * 60, (((hour - 8 + 24) % 24) + 0.5) * 60));
  t.ok(at(15) > at(3) + 3, `${at(15)} at 15:00, ${at(3)} at 3:00`);
});

t.test("The power curve rises from cut-in to rated wind and is zero outside", async (t) => {
  t.strictSame([0, 2.9, 25, 40].map(powerCurve), [0, 0, 0, 0]);
  t.strictSame([12, 24.9].map(powerCurve), [1, 1]);
  t.ok(powerCurve(6) > 0 && powerCurve(6) < powerCurve(9) && powerCurve(9) < 1);
});

t.test("Each simulator makes the values of the sensor it stands for", async (t) => {
  for (const type of SENSOR_TYPES) t.equal(SIMULATORS[type](1, "T").type, type);
});
