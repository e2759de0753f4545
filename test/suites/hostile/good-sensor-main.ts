/** The good sensor as a process: `good-sensor-main.ts PORT USER`. Told "serve" and then "enough", it tells how it was served. */

import { GoodSensor } from "./good-sensor.ts";

const [port, username = ""] = process.argv.slice(2);
const sensor = await GoodSensor.open(Number(port), username);
let enough = new AbortController();
process.on("message", (told) => {
  if (told === "enough") return enough.abort();
  enough = new AbortController();
  void sensor.serve(enough.signal).then((service) => process.send?.(service));
});
process.on("disconnect", () => process.exit(0));
process.send?.("in");
