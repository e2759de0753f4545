import t from "tap";
import { encodeShipped, type ShippedReading } from "../../../agent/contract/shipped.ts";
import { LAST_DAYS, namedQueries } from "../../../cloud/sql/read.ts";
import { lakeFolder, objectName } from "../local/helpers/lake.ts";
import { readingOf } from "../local/helpers/producer.ts";
import { askedAt } from "./moment.ts";

const at = (time: string, day = "2026-11-22") => `${day}T${time}.000Z`;
let seq = 0;

/** A battery temperature of T01, received 100 ms after it was measured. */
function celsius(date: string, data: number, fields: Partial<ShippedReading> = {}): string {
  seq++;
  const received = new Date(Date.parse(date) + 100).toISOString();
  const battery = { type: "Temperature Battery", turbine: "T01", id: `B_${seq}` } as const;
  return encodeShipped({ ...readingOf(seq, battery), date, data, received, ...fields });
}

const minutes = (count: number) =>
  Array.from({ length: count }, (_, minute) => at(`02:${String(minute).padStart(2, "0")}:00`));

const LINES = [
  celsius(at("00:10:00"), 20),
  celsius(at("00:20:00"), 30),
  celsius(at("01:10:00"), 90),
  celsius(at("01:20:00"), 95),
  celsius(at("01:30:00"), 25),
  celsius(at("01:40:00"), -50),
  ...minutes(25).map((date) => celsius(date, 23.4)),
  celsius(at("12:00:00", "2026-12-30"), 1, { received: at("03:00:00") }),
  celsius(at("02:30:00"), 1e9).replace("Temperature Battery", "Wind Speed"),
  celsius(at("05:00:00", "2026-11-21"), 7, { turbine: "T02", gateway: "gw-02", received: at("00:05:00") }),
];

t.test("the named queries answer", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(3, "a"), LINES.join(""));
  await folder.refresh();
  const ask = async (name: string) => {
    const query = namedQueries().find((found) => found.name === name);
    return folder.rows(askedAt(query?.sql ?? "", "2026-11-22 03:30:00"));
  };
  const T01 = ["T01", "Temperature Battery"];

  t.same(await ask("latest-values"), [
    [...T01, new Date(at("02:24:00")), 23.4, "gw-01", new Date("2026-11-22T02:24:00.100Z")],
    ["T01", "Wind Speed", new Date(at("02:30:00")), 1e9, "gw-01", new Date("2026-11-22T02:30:00.100Z")],
    [
      "T02",
      "Temperature Battery",
      new Date(at("05:00:00", "2026-11-21")),
      7,
      "gw-02",
      new Date(at("00:05:00")),
    ],
  ]);
  t.same((await ask("hourly-values"))[0], [
    "Temperature Battery",
    "T01",
    new Date(at("00:00:00")),
    2n,
    25,
    20,
    30,
  ]);
  t.equal((await ask("hourly-values")).length, 6);
  t.same(await ask("out-of-range-episodes"), [
    [...T01, new Date(at("01:10:00")), new Date(at("01:20:00")), 2n, 90, 95],
    [...T01, new Date(at("01:40:00")), new Date(at("01:40:00")), 1n, -50, -50],
  ]);
  t.notOk(
    (await ask("out-of-range-episodes")).some(([, type]) => type === "Wind Speed"),
    "it has no range",
  );
  t.same(await ask("stuck-sensors"), [
    [...T01, 23.4, new Date(at("02:00:00")), new Date(at("02:24:00")), 25n],
  ]);
  t.same(await ask("silent-or-late-gateways"), [
    ["gw-01", new Date(at("03:00:00")), 0n, 0n, 33n, 0n, 0n, 0n, 1n].map(asNumber),
    ["gw-02", new Date(at("00:05:00")), 1n, 0n, 1n, 1n, 1n, 0n, 0n].map(asNumber),
  ]);
  const [day] = (await ask("daily-completeness")).filter(([dt]) => dt === "2026-11-22");
  t.same(day?.slice(0, 5), ["2026-11-22", ...T01, 31n, 3n]);
  t.equal(day?.at(-1), 1);
  t.same((await ask("data-volume"))[0]?.slice(0, 6), ["2026-11-21", "gw-02", 1n, 1n, 1n, 1 / 86_400]);
});

/** Sums and cases are of differing integer types; their values count. */
function asNumber(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** Receipts of gateways at 2026-11-22, each with one reading a minute before. */
async function silence(data: string, receipts: Record<string, string>, moment: string) {
  const folder = lakeFolder(data);
  const lines = Object.entries(receipts).map(([gateway, received]) =>
    celsius(new Date(Date.parse(received) - 60_000).toISOString(), 20, { gateway, received }),
  );
  folder.put(objectName(3, "a"), lines.join(""));
  await folder.refresh();
  const sql = namedQueries().find(({ name }) => name === "silent-or-late-gateways")?.sql ?? "";
  const rows = await folder.rows(
    `SELECT gateway, silent, clock_ahead FROM (${askedAt(sql, moment)}) AS answer`,
  );
  return Object.fromEntries(
    rows.map(([gateway, silent, ahead]) => [
      gateway,
      `${silent === 1 ? "silent" : ""}${ahead === 1 ? "ahead" : ""}`,
    ]),
  );
}

t.test("a gateway is silent by the others and by the clock", async (t) => {
  const live = { a: at("11:58:00"), b: at("11:59:00"), c: at("10:30:00") };
  const noon = "2026-11-22 12:00:00";
  t.same(await silence(t.testdir(), live, noon), { a: "", b: "", c: "silent" });
  t.same(
    await silence(t.testdir(), { ...live, d: at("12:00:00", "2026-11-25") }, noon),
    { a: "", b: "", c: "silent", d: "ahead" },
    "a clock days ahead silences nobody else",
  );
  t.same(
    await silence(t.testdir(), { ...live, d: at("13:30:00") }, "2026-11-22 14:00:00"),
    { a: "", b: "", c: "silent", d: "" },
    "nor does one ahead by less than the table is behind",
  );
  t.same(
    await silence(t.testdir(), live, "2026-11-22 20:30:00"),
    { a: "silent", b: "silent", c: "silent" },
    "a farm nothing comes from is silent",
  );
  t.same(await silence(t.testdir(), { a: live.a, c: live.c }, noon), { a: "", c: "silent" }, "one of two");
  t.same(await silence(t.testdir(), { a: live.a }, noon), { a: "" }, "one alone");
});

t.test("completeness shows what is missing altogether", async (t) => {
  const folder = lakeFolder(t.testdir());
  const days = ["2026-11-20", "2026-11-22", "2027-01-15"];
  folder.put(
    objectName(3, "a"),
    celsius(at("01:00:00", days[0]), 20) +
      celsius(at("01:00:00", days[0]), 20, { turbine: "T02" }) +
      celsius(at("02:00:00", days[0]), 20, { turbine: "T02" }) +
      celsius(at("01:00:00", days[1]), 20) +
      celsius(at("01:00:00", days[2]), 20),
  );
  await folder.refresh();
  const sql = namedQueries().find(({ name }) => name === "daily-completeness")?.sql ?? "";
  const ask = async (moment: string) => {
    const answer = askedAt(sql.replace(LAST_DAYS, "dt >= '2026-11-01'"), moment);
    return folder.rows(`SELECT dt, turbine, readings, hours_with_readings, share FROM (${answer}) AS answer`);
  };
  t.same(await ask("2026-11-23 12:00:00"), [
    ["2026-11-20", "T01", 1n, 1n, 0.5],
    ["2026-11-20", "T02", 2n, 2n, 1],
    ["2026-11-21", "T01", 0n, 0n, 0],
    ["2026-11-21", "T02", 0n, 0n, 0],
    ["2026-11-22", "T01", 1n, 1n, 1],
    ["2026-11-22", "T02", 0n, 0n, 0],
    ["2026-11-23", "T01", 0n, 0n, 0],
    ["2026-11-23", "T02", 0n, 0n, 0],
    ["2027-01-15", "T01", 1n, 1n, 1],
  ]);
  const later = await ask("2027-02-01 12:00:00");
  t.same(
    later.slice(-4).map((row) => row.slice(0, 3)),
    [
      ["2026-12-23", "T01", 0n],
      ["2026-12-23", "T02", 0n],
      ["2027-01-15", "T01", 1n],
      ["2027-01-15", "T02", 0n],
    ],
  );
});
