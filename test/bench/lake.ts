/** What an analyst waits for: a day of a million readings becomes a table, and an hourly average is asked of it. */

import { availableParallelism } from "node:os";
import { lakeFolder } from "../cloud/local/helpers/lake.ts";
import { columnBytes, curate, orderlyDay, writeObjects } from "../helpers/large-day.ts";
import type { Bench } from "./report.ts";

/** The columns an hourly average per type and turbine names. */
const AVERAGED = ["type", "turbine", "date", "data"];

export const lake: Bench = {
  name: "lake",
  about: "a day of a million readings, raw JSON to Parquet, and what an hourly average reads of it",
  async run(folder, { quick }) {
    const readings = quick ? 100_000 : 1_000_000;
    const folders = lakeFolder(folder);
    const { plain } = writeObjects(folders.raw, orderlyDay(readings));
    const { lake, ms, cpuMs } = await curate(folders.raw, folders.lake);
    await lake.stop();
    const read = await columnBytes(folders.lake, AVERAGED);
    return [
      {
        what: `a day of ${readings.toLocaleString("en-US").replaceAll(",", " ")} readings, raw to Parquet`,
        value: ms / 1000,
        unit: "s",
        goal: 5,
        better: "less",
      },
      { what: `… of CPU, on ${availableParallelism()} cores`, value: cpuMs / 1000, unit: "s" },
      {
        what: "raw bytes for one byte an hourly average reads",
        value: plain / read,
        unit: "×",
        goal: 20,
        better: "more",
      },
    ];
  },
};
