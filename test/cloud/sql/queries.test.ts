import t from "tap";
import { encodeShipped, type ShippedReading } from "../../../agent/contract/shipped.ts";
import { namedQueries } from "../../../cloud/sql/read.ts";
import { lakeFolder, objectName } from "../local/helpers/lake.ts";
import { readingOf } from "../local/helpers/producer.ts";

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
  celsius(at("05:00:00", "2026-11-21"), 7, { turbine: "T02", gateway: "gw-02", received: at("00:05:00") }),
];

t.test("the named queries answer", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(3, "a"), LINES.join(""));
  await folder.refresh();
  const ask = async (name: string) => {
    const query = namedQueries().find((found) => found.name === name);
    return folder.rows(query?.sql ?? "");
  };
  const T01 = ["T01", "Temperature Battery"];

  t.same(await ask("latest-values"), [
    [...T01, new Date(at("02:24:00")), 23.4, "gw-01", new Date("2026-11-22T02:24:00.100Z")],
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
  t.equal((await ask("hourly-values")).length, 5);
  t.same(await ask("out-of-range-episodes"), [
    [...T01, new Date(at("01:10:00")), new Date(at("01:20:00")), 2n, 90, 95],
    [...T01, new Date(at("01:40:00")), new Date(at("01:40:00")), 1n, -50, -50],
  ]);
  t.same(await ask("stuck-sensors"), [
    [...T01, 23.4, new Date(at("02:00:00")), new Date(at("02:24:00")), 25n],
  ]);
  t.same(
    await ask("silent-or-late-gateways"),
    [
      ["gw-01", new Date(at("03:00:00")), 0n, 32n, 0n, 0n, 0n, 1n].map(asNumber),
      ["gw-02", new Date(at("00:05:00")), 1n, 1n, 1n, 1n, 0n, 0n].map(asNumber),
    ].map((row) => row),
  );
  const [day] = (await ask("daily-completeness")).filter(([dt]) => dt === "2026-11-22");
  t.same(day?.slice(0, 5), ["2026-11-22", ...T01, 31n, 3n]);
  t.equal(day?.at(-1), 1);
  t.same((await ask("data-volume"))[0]?.slice(0, 6), ["2026-11-21", "gw-02", 1n, 1n, 1n, 1 / 86_400]);
});

/** Sums and cases are of differing integer types; their values count. */
function asNumber(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
