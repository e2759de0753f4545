/** The named queries delivery-gaps and fleet: what is missing, what is only late, who is silent. */

import t from "tap";
import { askNamed } from "./duck.ts";

const E1 = { gateway: "gw-01", epoch: "e1" };

function run(object: string, first: number, last: number, more: object = {}) {
  return { object, ...E1, first, last, lines: last - first + 1, dup: 0, ...more };
}

/** A status line sent and arrived at `time`. */
function status(time: string, first: number | null, last: number | null, more: object = {}) {
  const at = `2026-11-22 ${time}`;
  return { ...E1, first, last, received: last, sent: at, arrived: `${at.slice(0, 13)}:00:00`, ...more };
}

const rowOf = (seq: number, more: object = {}) => ({ ...E1, seq, ...more });

/** What delivery-gaps says of each epoch: counts, and the missing ranges. */
async function gaps(deliveries: object[], gateways: object[] = [], readings: object[] = []) {
  const tables = { deliveries, gateways, readings };
  const rows = await askNamed("delivery-gaps", JSON.parse(JSON.stringify(tables)));
  return rows.map(
    (row) =>
      `${row.gateway} ${row.epoch} ${row.arrived}/${row.expected} pending ${row.pending} missing ${row.missing}` +
      (row.missing_first === null ? "" : ` ${row.missing_first}-${row.missing_last}`) +
      (Number(row.again) > 0 ? ` again ${row.again}` : "") +
      (Number(row.doubled) > 0 ? ` doubled ${row.doubled}` : ""),
  );
}

t.test("a hole is named to the reading", async (t) => {
  t.same(await gaps([run("a", 1, 10), run("b", 14, 20), run("c", 12, 12)]), [
    "gw-01 e1 18/20 pending 0 missing 2 11-11",
    "gw-01 e1 18/20 pending 0 missing 2 13-13",
  ]);
});

t.test("what an object holds twice, or two objects, arrived once", async (t) => {
  const twice = [run("a", 1, 10), run("a", 1, 10), run("b", 5, 12), run("c", 6, 7, { lines: 5 })];
  t.same(
    await gaps(twice),
    ["gw-01 e1 12/12 pending 0 missing 0 again 11"],
    "a row of the ledger that is there twice is one",
  );
});

t.test("what a gateway still holds is pending, and missing when it has let go of it", async (t) => {
  const came = [run("a", 1, 10), run("b", 31, 40)];
  const holding = [status("10:00:00", 11, 40), status("10:30:00", 11, 60)];
  t.same(await gaps(came, holding), ["gw-01 e1 20/60 pending 40 missing 0"]);
  t.same(await gaps(came, [...holding, status("11:00:00", 21, 60), status("11:30:00", 31, 60)]), [
    "gw-01 e1 20/60 pending 30 missing 10 11-20",
  ]);
  t.same(await gaps(came, [...holding, status("11:00:00", null, 60), status("11:30:00", null, 60)]), [
    "gw-01 e1 20/60 pending 0 missing 40 11-30",
    "gw-01 e1 20/60 pending 0 missing 40 41-60",
  ]);
});

t.test("the last line is not believed yet: what it says was shipped may be on its way", async (t) => {
  const told = [status("10:00:00", 11, 20), status("10:10:00", null, 20)];
  t.same(await gaps([run("a", 1, 10)], told), ["gw-01 e1 10/20 pending 10 missing 0"]);
});

t.test("an epoch that another one followed owes all it took", async (t) => {
  const told = [status("10:00:00", 11, 20), status("11:00:00", 1, 5, { epoch: "e2", received: 5 })];
  t.same(await gaps([run("a", 1, 10)], told), [
    "gw-01 e1 10/20 pending 0 missing 10 11-20",
    "gw-01 e2 0/5 pending 5 missing 0",
  ]);
});

t.test("a gateway of which nothing but its status came is not complete", async (t) => {
  const told = [status("10:00:00", null, 3), status("11:00:00", null, 3)];
  t.same(await gaps([], told), ["gw-01 e1 0/3 pending 0 missing 3 1-3"]);
});

t.test("equal deliveries and doubled rows are counted", async (t) => {
  const readings = [rowOf(1), rowOf(2), rowOf(2), rowOf(4, { dup: true })];
  const [epoch] = await askNamed("delivery-gaps", {
    deliveries: [run("a", 1, 6, { dup: 2 })],
    gateways: [],
    readings,
  });
  t.match(epoch, { arrived: 6, equal: 3, equal_dup: 1, doubled: 1, missing: 0 });
});

t.test("the fleet: silent by the lake's clock, whatever the gateway's own says", async (t) => {
  const gateways = [
    status("08:59:00", 1, 9, { gateway: "quiet", buffered: 5, disk_free: 7e9, version: "0.2.0" }),
    status("11:50:00", null, 9, { gateway: "well" }),
    { ...status("11:50:00", null, 9), gateway: "ahead", sent: "2026-12-24 00:00:00" },
    { ...status("11:50:00", null, 9), gateway: "ahead", sent: "2026-11-22 11:51:00", received: 1 },
    { ...status("11:50:00", null, 9), gateway: "of old", arrived: "2026-10-01 00:00:00" },
  ];
  const tables = { deliveries: [], gateways, readings: [] };
  const said = (rows: Record<string, unknown>[]) =>
    rows.map(({ gateway, silent, clock_off }) => `${gateway} ${silent} ${clock_off}`);
  const rows = await askNamed("fleet", tables);
  t.same(said(rows), ["quiet 1 0", "ahead 0 1", "well 0 0"]);
  t.match(rows[0], { behind: 5, disk_free: 7e9, version: "0.2.0" });
  t.same(said(await askNamed("fleet", tables, "2026-11-22 20:30:00")), [
    "ahead 1 1",
    "quiet 1 0",
    "well 1 0",
  ]);
});
