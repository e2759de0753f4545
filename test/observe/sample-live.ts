/** The last readings of two turbines as the page's sampler sees them: the real memory, filled by hand. */

import { DEFAULT_SENSORS, SENSOR_TYPES } from "../../agent/contract/sensors.ts";
import { LastProblems } from "../../agent/observe/last-problems.ts";
import { LiveSampler } from "../../agent/observe/live.ts";
import { LastSeen } from "../../agent/validate/last-seen.ts";
import { NOON_MS } from "./sample-snapshot.ts";

export const LIVE_TYPES = SENSOR_TYPES.map((type) => {
  const { unit, plausible } = DEFAULT_SENSORS[type];
  return { type, unit, ...plausible };
});

export function liveOf(seen: LastSeen, now = () => NOON_MS, problems = new LastProblems()): LiveSampler {
  return new LiveSampler({ seen: () => seen, types: LIVE_TYPES, problems: () => problems.all, now });
}

/** A sampler that has seen one refused message and `seconds` values of each sensor of two turbines. */
export function sampleLive(seconds = 30): LiveSampler {
  const seen = new LastSeen();
  const live = liveOf(seen);
  const payload = Buffer.from('{"id":"PP_7"');
  seen.refuse(
    { reason: "not_json", detail: `the payload is not JSON: ${payload}` },
    "windfarm/T01/power-factor",
    payload,
  );
  for (let second = 0; second < seconds; second++) {
    for (const turbine of ["T01", "T02"]) {
      seen.take(turbine, "Power Factor", 0.98 + 0.01 * Math.sin(second / 5), true);
      seen.take(turbine, "Temperature Battery", 23 + second / 60, true);
      const pressure = turbine === "T02" && second === 20 ? 450 : 76 + Math.sin(second / 3);
      seen.take(turbine, "Hydraulic Pressure", pressure, pressure <= 400);
    }
    live.sample();
  }
  return live;
}
