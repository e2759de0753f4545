/** Which deliveries are one reading: the rules of curate.sql, in every order of arrival. */

import t from "tap";
import { encodeShipped, type ShippedReading } from "../../../agent/contract/shipped.ts";
import { lakeFolder, objectName } from "../local/helpers/lake.ts";
import { readingOf } from "../local/helpers/producer.ts";

/** The same words in a delivery of its own; `marks` as they stand at a line's end. */
function said(seq: number, marks: string, fields: Partial<ShippedReading> = {}): string {
  const reading = { ...readingOf(1), seq, received: `2026-11-22T12:00:0${seq}.000Z`, ...fields };
  return encodeShipped(reading).replace("}\n", `${marks}}\n`);
}

const DAY = ',"day":true';
const DUP = ',"dup":true';

/** The seqs that stay of `lines`, each line in an object of its own, for every order of the objects. */
async function staying(data: (order: number) => string, lines: readonly string[]): Promise<string[]> {
  const answers = new Set<string>();
  for (const [number, order] of orders(lines).entries()) {
    const folder = lakeFolder(data(number));
    for (const [hour, line] of order.entries()) folder.put(objectName(hour, "a"), line);
    await folder.refresh();
    const rows = await folder.rows("SELECT gateway, seq, day, dup FROM readings ORDER BY gateway, seq");
    answers.add(
      rows
        .map(([gateway, seq, day, dup]) => `${gateway} ${seq}${day ? " day" : ""}${dup ? " dup" : ""}`)
        .join(", "),
    );
  }
  return [...answers];
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) =>
    orders(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]),
  );
}

const CASES: [name: string, lines: string[], stay: string][] = [
  ["a delivery that came twice counts once", [said(1, ""), said(1, "")], "gw-01 1"],
  [
    "of deliveries that say the same the first received stays",
    [said(1, ""), said(2, ""), said(3, "")],
    "gw-01 1",
  ],
  ["one with DUP is no other", [said(1, DUP), said(2, "")], "gw-01 2"],
  ["of a day only all without DUP stay", [said(1, DAY), said(2, DAY)], "gw-01 1 day, gw-01 2 day"],
  ["but each delivery once", [said(1, DAY), said(1, DAY)], "gw-01 1 day"],
  ["one of a day with DUP is a redelivery", [said(1, DAY), said(2, DAY + DUP)], "gw-01 1 day"],
  ["and stays only while there is none without", [said(1, DAY + DUP), said(2, DAY)], "gw-01 2 day"],
  ["of those with DUP alone one stays", [said(1, DAY + DUP), said(2, DAY + DUP)], "gw-01 1 day dup"],
  [
    "a turbine of the same name behind another gateway is another",
    [said(1, ""), said(1, "", { gateway: "gw-02" })],
    "gw-01 1, gw-02 1",
  ],
  ["a day is not its midnight", [said(1, DAY), said(2, "")], "gw-01 1 day, gw-01 2"],
];

for (const [name, lines, stay] of CASES) {
  t.test(name, async (t) => {
    const root = t.testdir();
    t.same(await staying((order) => `${root}/${order}`, lines), [stay]);
  });
}

t.test("lines with a kind are no readings", async (t) => {
  const folder = lakeFolder(t.testdir());
  const status = { kind: "gateway", gateway: "gw-01", site: "demo", epoch: "e1", first: null, last: 7 };
  const lines = [
    { ...status, sent: "2026-11-22T12:00:00.000Z", received: 7 },
    { ...status, sent: "yesterday" },
    { ...readingOf(1), kind: "other" },
    { ...readingOf(2), kind: 5 },
    { ...readingOf(3), kind: null },
  ];
  folder.put(objectName(3, "a"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { rejects } = await folder.refresh();
  t.same(await folder.rows("SELECT seq FROM readings"), [[3n]]);
  t.same(rejects, { bad_status: 1, unknown_kind: 2 });
});
