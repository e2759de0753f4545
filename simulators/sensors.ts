/** Which simulator plays which sensor of the contract. */

import type { SensorType } from "../agent/contract/sensors.ts";
import { HydraulicPressureSimulator } from "./hydraulic-pressure.ts";
import { PowerFactorSimulator } from "./power-factor.ts";
import type { SensorSimulator } from "./sensor.ts";
import { TemperatureBatterySimulator } from "./temperature-battery.ts";

type Maker = (seed: number, turbine: string) => SensorSimulator;

export const SIMULATORS: Readonly<Record<SensorType, Maker>> = {
  "Power Factor": (seed, turbine) => new PowerFactorSimulator(seed, turbine),
  "Temperature Battery": (seed, turbine) => new TemperatureBatterySimulator(seed, turbine),
  "Hydraulic Pressure": (seed, turbine) => new HydraulicPressureSimulator(seed, turbine),
};
