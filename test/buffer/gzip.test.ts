import t from "tap";
import { packLines, unpackGroups } from "../../agent/buffer/gzip.ts";

function groupsOf(counts: readonly number[]) {
  return counts.map((count, group) => {
    const lines = Buffer.from(
      Array.from({ length: count }, (_, at) => `{"seq":${group * 100 + at}}\n`).join(""),
    );
    return { lines, count, body: packLines(lines) };
  });
}

t.test("groups are unpacked together as they would be one by one", async (t) => {
  const groups = groupsOf([3, 1, 50]);
  t.same(
    unpackGroups(groups).map((lines) => lines?.toString()),
    groups.map(({ lines }) => lines.toString()),
  );
  t.same(unpackGroups([]), []);
});

t.test("a damaged group is found among others, and costs none of them", async (t) => {
  const damages: [string, (group: { body: Buffer; count: number }) => void][] = [
    ["its head", ({ body }) => body.fill(0, 0, 4)],
    ["its content", ({ body }) => body.fill(0, 12, 20)],
    ["its checksum", ({ body }) => body.subarray(-8, -4).fill(0)],
    ["its length", ({ body }) => body.subarray(-4).fill(0xff)],
    ["cut short", (group) => Object.assign(group, { body: group.body.subarray(0, 2) })],
    ["another's lines", (group) => Object.assign(group, { body: packLines(Buffer.from("{}\n")) })],
  ];
  for (const [what, damage] of damages) {
    const groups = groupsOf([3, 4, 5]);
    for (const group of groups.slice(1, 2)) damage(group);
    const [first, second, third] = unpackGroups(groups);
    t.equal(first?.toString(), groups[0]?.lines.toString(), what);
    t.equal(second, undefined, what);
    t.equal(third?.toString(), groups[2]?.lines.toString(), what);
  }
  const swapped = groupsOf([3, 4]);
  for (const [at, group] of swapped.entries()) group.count = at === 0 ? 4 : 3;
  t.same(unpackGroups(swapped), [undefined, undefined], "each has the other's count");
});
