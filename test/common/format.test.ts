import t from "tap";
import {
  countOf,
  formatBytes,
  formatCount,
  formatLatency,
  formatRate,
  formatSeconds,
  formatShare,
} from "../../agent/common/format.ts";

type Case<T> = readonly [input: T, text: string];

function cases(name: string, format: (value: number) => string, table: readonly Case<number>[]) {
  t.test(name, async (t) => {
    for (const [input, text] of table) t.equal(format(input), text, `${input} is "${text}"`);
    t.equal(format(Number.NaN), "–", "what is no number is a dash");
    t.equal(format(Number.POSITIVE_INFINITY), "–", "nor is infinity one");
  });
}

cases("A count is written in groups of three", formatCount, [
  [0, "0"],
  [7, "7"],
  [999, "999"],
  [1000, "1 000"],
  [43_120, "43 120"],
  [10_000_000, "10 000 000"],
  [1234.6, "1 235"],
  [-1500, "−1 500"],
  [Number.MAX_SAFE_INTEGER, "9 007 199 254 740 991"],
]);

cases("Bytes are written in the binary unit that fits", formatBytes, [
  [0, "0 B"],
  [512, "512 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1536, "1.5 KiB"],
  [1_048_575, "1.0 MiB"],
  [150 * 1024 ** 2, "150 MiB"],
  [2 * 1024 ** 3, "2.0 GiB"],
  [5000 * 1024 ** 4, "5000 TiB"],
  [-1, "0 B"],
]);

cases("A length of time is written in the unit a person would use", formatSeconds, [
  [0, "0 s"],
  [0.9, "0 s"],
  [119.9, "119 s"],
  [120, "2 min"],
  [720, "12 min"],
  [7199, "119 min"],
  [7200, "2 h"],
  [11_100, "3 h 5 min"],
  [172_799, "47 h"],
  [172_800, "2 days"],
  [9.9 * 86_400, "9 days"],
  [-3, "0 s"],
]);

cases("A latency is written in milliseconds until it is a second", formatLatency, [
  [0, "0.0 ms"],
  [0.0004, "0.4 ms"],
  [0.012, "12 ms"],
  [0.9994, "999 ms"],
  [1.5, "1.50 s"],
  [12.34, "12.3 s"],
]);

cases("A rate is as exact as its size deserves", formatRate, [
  [0, "0/s"],
  [0.001, "<0.01/s"],
  [0.05, "0.05/s"],
  [3, "3/s"],
  [29.83, "29.8/s"],
  [1204.4, "1 204/s"],
  [-1, "0/s"],
]);

cases("A share is written in percent", formatShare, [
  [0, "0 %"],
  [0.0001, "<0.1 %"],
  [0.004, "0.4 %"],
  [0.713, "71 %"],
  [1, "100 %"],
]);

t.test("A noun follows its number", async (t) => {
  t.equal(countOf(0, "reading"), "0 readings");
  t.equal(countOf(1, "reading"), "1 reading");
  t.equal(countOf(43_120, "reading"), "43 120 readings");
});
