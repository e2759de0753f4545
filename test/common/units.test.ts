import t from "tap";
import { parseDuration, parseSize } from "../../agent/common/units.ts";

t.test("a duration is a number and ms, s, m, h or d", async (t) => {
  const durations: [string, number][] = [
    ["0ms", 0],
    ["20ms", 20],
    ["1s", 1000],
    ["1.5s", 1500],
    [" 5 m ", 300_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
  ];
  for (const [text, ms] of durations) t.equal(parseDuration(text), ms, text);
});

t.test("a size is a number and a decimal or binary unit, in any case", async (t) => {
  const sizes: [string, number][] = [
    ["0B", 0],
    ["64KiB", 65_536],
    ["64kib", 65_536],
    ["64kB", 64_000],
    ["10MB", 10_000_000],
    ["1.5 MiB", 1_572_864],
    ["2GiB", 2_147_483_648],
    ["1TiB", 1_099_511_627_776],
  ];
  for (const [text, bytes] of sizes) t.equal(parseSize(text), bytes, text);
});

t.test("what has no unit, another unit, a sign or no number is neither", async (t) => {
  for (const text of [
    "",
    "5",
    "s",
    "-1s",
    "+1s",
    "1 second",
    "1e3s",
    "1,5s",
    ".5s",
    "5S",
    "1s5ms",
    "999999999999d",
  ]) {
    t.equal(parseDuration(text), undefined, `duration ${JSON.stringify(text)}`);
  }
  for (const text of ["", "64", "KiB", "-1B", "64K", "64M", "1e3B", "64 Ki B", "99999999TiB"]) {
    t.equal(parseSize(text), undefined, `size ${JSON.stringify(text)}`);
  }
});
