import t from "tap";
import { encodeShipped } from "../../../agent/contract/shipped.ts";
import { lakeFolder, objectName } from "../local/helpers/lake.ts";
import { readingOf } from "../local/helpers/producer.ts";

/** The reading of `seq` as JSON, with fields put in as they stand. */
function lineWith(seq: number, fields: Record<string, unknown>): string {
  return `${JSON.stringify({ ...JSON.parse(encodeShipped(readingOf(seq))), ...fields })}\n`;
}

t.test("texts that an engine by itself might take for a number or a date are told apart", async (t) => {
  const cases: [field: string, value: unknown, taken: unknown][] = [
    ["data", 1e5, 100_000],
    ["data", "1e5", 100_000],
    ["data", "-0.0", 0],
    ["data", ".5", 0.5],
    ["data", "+5.", 5],
    ["data", "1e-400", 0],
    ["data", "1d", "bad_value"],
    ["data", "0x1p3", "bad_value"],
    ["data", "1_000", "bad_value"],
    ["data", " 1", "bad_value"],
    ["data", "1\n", "bad_value"],
    ["data", "", "bad_value"],
    ["data", "NaN", "bad_value"],
    ["data", "Infinity", "bad_value"],
    ["data", "1e400", "bad_value"],
    ["data", null, "bad_value"],
    ["data", true, "bad_value"],
    ["data", { a: 1 }, "bad_value"],
    ["date", "2026-11-22T23:59:59.999Z", new Date("2026-11-22T23:59:59.999Z")],
    ["date", "2026-11-22", new Date("2026-11-22T00:00:00.000Z")],
    ["date", "0001-01-01T00:00:00.000Z", new Date("0001-01-01T00:00:00.000Z")],
    ["date", "9999-12-31T23:59:59.999Z", new Date("9999-12-31T23:59:59.999Z")],
    ["date", "2026-02-30T00:00:00.000Z", "bad_date"],
    ["date", "2026-11-22T24:00:00.000Z", "bad_date"],
    ["date", "2026-11-22T23:59:60.000Z", "bad_date"],
    ["date", "2026-11-22T12:00:00.000+01:00", "bad_date"],
    ["date", "2026-11-22T12:00:00.12NZ", "bad_date"],
    ["date", "0000-01-01T00:00:00.000Z", "bad_date"],
    ["date", "2026", "bad_date"],
    ["date", "epoch", "bad_date"],
    ["date", "22/11/2026", "bad_date"],
    ["date", 20261122, "bad_date"],
    ["seq", "12", 12n],
    ["seq", "999999999999999", 999999999999999n],
    ["seq", "1.5", "no_delivery"],
    ["seq", "9007199254740993", "no_delivery"],
    ["seq", -1, "no_delivery"],
    ["seq", "", "no_delivery"],
    ["id", "7", "7"],
    ["id", 7, "no_id"],
    ["id", true, "no_id"],
    ["id", ["a"], "no_id"],
    ["type", 1.5, "no_type"],
    ["date", { a: 1 }, "bad_date"],
    ["turbine", 7, "no_turbine"],
    ["gateway", 1, "no_delivery"],
    ["epoch", 2, "no_delivery"],
    ["received", 0, "bad_received"],
    ["id", "", "no_id"],
    ["id", null, "no_id"],
    ["type", "", "no_type"],
    ["turbine", null, "no_turbine"],
    ["gateway", "", "no_delivery"],
    ["received", "2026-11-22", "bad_received"],
    ["received", "soon", "bad_received"],
  ];
  const folder = lakeFolder(t.testdir());
  for (const [index, [field, value]] of cases.entries()) {
    folder.put(
      objectName(index % 24, `case-${index}`),
      lineWith(index, { turbine: `C${index}`, [field]: value }),
    );
  }
  const { rejects } = await folder.refresh();
  const delivered = new Set((await folder.rows("SELECT object FROM deliveries")).map(([object]) => object));
  const fields = "id, data, type, date, turbine, gateway, epoch, seq, received";
  const rows = new Map(
    (await folder.rows(`SELECT ${fields} FROM readings`)).map((row) => [String(row[4]), row]),
  );
  for (const [index, [field, value, taken]] of cases.entries()) {
    const name = `${field} ${JSON.stringify(value)}`;
    const row = rows.get(`C${index}`);
    const column = fields.split(", ").indexOf(field);
    const object = objectName(index % 24, `case-${index}`);
    if (row !== undefined) t.same(row[column], taken, `${name} is taken`);
    else t.notOk(delivered.has(object), `${name} is no delivery`);
  }
  const refused = cases.flatMap(([, , taken]) => (/^(bad|no)_/.test(String(taken)) ? [String(taken)] : []));
  const counts: Record<string, number> = {};
  for (const reason of refused) counts[reason] = (counts[reason] ?? 0) + 1;
  t.same(rejects, counts, "and each of the others has its reason");
  t.equal(rows.size, cases.filter(([, , taken]) => !/^(bad|no)_/.test(String(taken))).length);
});
