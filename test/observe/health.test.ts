import { statfsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { HealthSampler } from "../../agent/observe/health.ts";

t.test("Disk, memory, load and CPU time are those of this machine", async (t) => {
  const folder = t.testdir();
  const health = new HealthSampler({ folder });
  t.equal(health.current().diskFreeBytes, undefined, "not known before the first look");
  await health.start();
  const { diskFreeBytes, diskTotalBytes, rssBytes, cpuSeconds, load1 } = health.current();
  health.stop();
  const { blocks, bsize } = statfsSync(folder);
  t.equal(diskTotalBytes, blocks * bsize);
  t.ok(diskFreeBytes !== undefined && diskFreeBytes >= 0 && diskFreeBytes <= blocks * bsize);
  t.ok(rssBytes > 10e6 && cpuSeconds > 0 && load1 >= 0);
});

t.test("The temperature is the processor's, not the hottest thing's around", async (t) => {
  const thermalFolder = t.testdir({
    thermal_zone0: { type: "wifi\n", temp: "71000\n" },
    thermal_zone1: { type: "cpu-thermal\n", temp: "48312\n" },
    thermal_zone2: { type: "cpu-thermal\n", temp: "not a number\n" },
    thermal_zone3: { type: "cpu-thermal\n" },
    cooling_device0: { type: "fan\n" },
  });
  const health = new HealthSampler({ folder: thermalFolder, thermalFolder });
  await health.sample();
  t.equal(health.current().temperatureCelsius, 48.312);
});

t.test("Where no sensor is the processor's, the hottest counts", async (t) => {
  const thermalFolder = t.testdir({
    thermal_zone0: { type: "acpitz\n", temp: "27800\n" },
    thermal_zone1: { type: "board\n", temp: "31500\n" },
  });
  const health = new HealthSampler({ folder: thermalFolder, thermalFolder });
  await health.sample();
  t.equal(health.current().temperatureCelsius, 31.5);
});

t.test("A machine without sensors and a folder that is gone cost nothing but their figures", async (t) => {
  const missing = join(t.testdir(), "missing");
  const health = new HealthSampler({ folder: missing, thermalFolder: missing, board: { root: missing } });
  await health.start();
  health.stop();
  t.same(Object.keys(health.current()), ["rssBytes", "cpuSeconds", "load1"]);
});

t.test("It goes on looking", async (t) => {
  const thermalFolder = t.testdir({ thermal_zone0: { type: "cpu\n", temp: "1000\n" } });
  const health = new HealthSampler({ folder: thermalFolder, thermalFolder, everyMs: 5 });
  await health.start();
  t.equal(health.current().temperatureCelsius, 1);
  t.testdir({ thermal_zone0: { type: "cpu\n", temp: "2000\n" } });
  // The sampler's timer keeps no process alive; waiting for its effect does.
  while (health.current().temperatureCelsius !== 2) await new Promise((resolve) => setImmediate(resolve));
  health.stop();
});
