/**
 * A million readings that are anything but orderly: late by twenty days, dated ahead, doubled, with bad lines between; and
 * what an analyst's query reads of an orderly day. How long it takes is for `npm run bench -- lake` to say.
 */

import t from "tap";
import { tableFiles } from "../../../cloud/local/catalog.ts";
import { lakeFolder } from "../../cloud/local/helpers/lake.ts";
import {
  columnBytes,
  curate,
  DAY,
  DAY_MS,
  line,
  orderlyDay,
  random,
  writeObjects,
} from "../../helpers/large-day.ts";

const READINGS = 1_000_000;

t.test("an hourly average over a day reads less than a twentieth of its raw bytes", async (t) => {
  const folder = lakeFolder(t.testdir());
  const { plain } = writeObjects(folder.raw, orderlyDay(READINGS));
  const { lake } = await curate(folder.raw, folder.lake);
  t.equal(lake.catalog.sums().rows, READINGS);
  await lake.stop();
  const read = await columnBytes(folder.lake, ["type", "turbine", "date", "data"]);
  t.comment(`${read} bytes of the table, 1/${Math.round(plain / read)} of the raw JSON`);
  t.ok(plain / read > 20);
});

t.test(
  "late, future-dated, doubled and bad lines: each reading once, and again nothing changes",
  async (t) => {
    const folder = lakeFolder(t.testdir());
    const next = random(11);
    const expected = { readings: 0, bad: 0, again: 0, days: new Set<string>() };
    const lines = function* () {
      for (let seq = 1; seq <= READINGS; seq++) {
        const kind = next();
        let dateMs = DAY + Math.floor((seq / READINGS) * DAY_MS);
        // An outage of twenty days, a clock that runs ahead a day with each message, dates that are days.
        if (kind < 0.2) dateMs -= Math.floor(next() * 20 * DAY_MS);
        else if (kind < 0.2002) dateMs += Math.floor(next() * 400) * DAY_MS;
        else if (kind < 0.25) dateMs = DAY;
        const text = line(seq, dateMs, 23 + next());
        if (kind > 0.999) {
          expected.bad++;
          yield ["not json\n", "{}\n", text.replace(/"date":"[^"]*"/, '"date":"22/11"')][seq % 3] ?? "";
          continue;
        }
        expected.readings++;
        expected.days.add(new Date(dateMs).toISOString().slice(0, 10));
        yield text;
        if (kind > 0.9) {
          expected.again++;
          yield text;
        }
      }
    };
    writeObjects(folder.raw, lines());
    const first = await curate(folder.raw, folder.lake);
    const rejects = Object.values(first.lake.catalog.rejects()).reduce((sum, count) => sum + count, 0);
    const { rows, readings } = first.lake.catalog.sums();
    t.comment(`${expected.days.size} days in ${first.ms} ms, ${first.cpuMs} ms of processor time`);
    t.equal(rows, expected.readings);
    t.equal(readings - rows, expected.again);
    t.equal(rejects, expected.bad);
    await first.lake.stop();
    const [counted] = await folder.rows(
      "SELECT count(DISTINCT seq), count(DISTINCT dt), sum(CASE WHEN dt = substr(CAST(date AS varchar(30)), 1, 10) THEN 0 ELSE 1 END) FROM readings",
    );
    t.same(counted, [expected.readings, expected.days.size, 0]);

    const files = tableFiles(folder.lake);
    const second = await curate(folder.raw, folder.lake);
    await second.lake.stop();
    t.same(tableFiles(folder.lake), files, "running it again changes nothing");
  },
);
