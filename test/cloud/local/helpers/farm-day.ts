/** A day of a small farm, for reports: two turbines, one of them sick in every way a report tells of. */

import { encodeShipped } from "../../../../agent/contract/shipped.ts";
import { type LakeFolder, lakeFolder, objectName } from "./lake.ts";

export const DAY = "2026-11-22";
export const START = Date.parse(`${DAY}T00:00:00.000Z`);
export const MINUTE = 60_000;

type Value = (minute: number) => number | undefined;

/** One reading a minute of a day, where `value` has one. */
function lines(
  turbine: string,
  type: "Power Factor" | "Temperature Battery" | "Hydraulic Pressure",
  value: Value,
) {
  return Array.from({ length: 1440 }, (_, minute) => {
    const data = value(minute);
    if (data === undefined) return "";
    const date = new Date(START + minute * MINUTE).toISOString();
    const delivery = { gateway: "gw-<01>", epoch: `${turbine}-${type}`, seq: minute + 1, received: date };
    return encodeShipped({ id: `R_${minute}`, data, type, date, turbine, ...delivery });
  }).join("");
}

const wave =
  (middle: number, height: number): Value =>
  (minute) =>
    middle + height * Math.sin(minute / 180) + height * 0.1 * Math.sin(minute * 2.3);

/** Two turbines: one well, one with a gap, an episode, a stuck sensor, and a name that wants to be markup. */
export const SICK = '<script>alert("T02")</script>';

/** A lake in the folder `data` that holds the day. */
export async function farm(data: string): Promise<LakeFolder> {
  const folder = lakeFolder(data);
  const pressure = wave(76, 2);
  const battery = wave(23, 4);
  folder.put(
    objectName(1, "a"),
    lines("T01", "Power Factor", wave(0.9, 0.06)) +
      lines("T01", "Temperature Battery", battery) +
      lines("T01", "Hydraulic Pressure", pressure) +
      lines(SICK, "Power Factor", (minute) =>
        minute >= 300 && minute < 420 ? undefined : 0.9 + 0.001 * (minute % 7),
      ) +
      lines(SICK, "Temperature Battery", (minute) =>
        minute >= 700 && minute < 760 ? 21.5 : battery(minute),
      ) +
      lines(SICK, "Hydraulic Pressure", (minute) =>
        minute >= 900 && minute < 905 ? 1e300 : pressure(minute),
      ),
  );
  await folder.refresh();
  return folder;
}
