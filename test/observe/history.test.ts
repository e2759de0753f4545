import t from "tap";
import { HISTORY_SAMPLES, History } from "../../agent/observe/history.ts";
import { sampleSnapshot } from "./sample-snapshot.ts";

t.test("The history holds an hour and not more", async (t) => {
  const history = new History();
  for (let index = 0; index < HISTORY_SAMPLES + 100; index++)
    history.add(sampleSnapshot({ nowMs: 5000 * index }));
  const samples = history.since(-1);
  t.equal(samples.length, HISTORY_SAMPLES);
  t.equal(samples[0]?.[0], 500_000, "the oldest went");
  t.equal(samples.at(-1)?.[0], 5000 * (HISTORY_SAMPLES + 99));
});

t.test("Asked for what is new, it gives only that", async (t) => {
  const history = new History();
  for (const nowMs of [1000, 2000, 3000]) history.add(sampleSnapshot({ nowMs }));
  t.same(history.since(2000), [[3000, 48_213, 48_095, 5, 0, 113]]);
  t.same(history.since(3000), []);
});

t.test("A clock that goes back begins a new history", async (t) => {
  const history = new History();
  for (const nowMs of [5000, 6000, 1000, 2000]) history.add(sampleSnapshot({ nowMs }));
  t.same(
    history.since(0).map(([atMs]) => atMs),
    [1000, 2000],
  );
});
