/** The check of `windfarm check --online` on a real mosquitto. */

import t from "tap";
import { probeBroker } from "../../../agent/collect/probe.ts";
import { settingsFor } from "../../collect/subscriber-helpers.ts";
import { findMosquitto, Mosquitto, RECOMMENDED } from "./mosquitto.ts";

const found = findMosquitto();
const options = { skip: "reason" in found ? found.reason : false, timeout: 110_000 };
const path = "path" in found ? found.path : "";

t.test("the check tells a broker whose queue loses readings from one that keeps them", options, async (t) => {
  const folder = t.testdir();
  const asInstalled = await Mosquitto.start(path, folder, []);
  const checks = await probeBroker(settingsFor(asInstalled.port));
  t.match(checks.at(-1), { ok: false, message: /keeps only \d+ of 2000/, hint: /max_queued_messages 0/ });
  t.comment(checks.at(-1)?.message);
  await asInstalled.stop();
  const recommended = await Mosquitto.start(path, folder, RECOMMENDED);
  t.strictSame(
    (await probeBroker(settingsFor(recommended.port))).map(({ ok }) => ok),
    [true, true, true, true],
  );
  await recommended.stop();
});
