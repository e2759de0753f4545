import { writeToStream } from "mqtt-packet";
import t from "tap";
import {
  FIRST_AFTER_MS,
  keepMemoryLow,
  LEAST_PAUSE_MS,
  MemoryKeeper,
  QUIET_SHARE,
  WORTH_BYTES,
} from "../../agent/cli/memory.ts";

/** A process of `needed` bytes and as much garbage, which a collection takes away a moment later. */
function process() {
  const state = { needed: 60e6, garbage: 30e6, ms: 0, busy: 0, collections: 0 };
  const keeper = new MemoryKeeper({
    rssBytes: () => state.needed + state.garbage,
    collect: () => {
      state.collections++;
      state.garbage = 0;
    },
    now: () => state.ms,
    busyShare: () => state.busy,
  });
  const pass = (ms: number) => {
    state.ms += ms;
    keeper.look();
  };
  return { state, pass };
}

t.test("The start's garbage goes once the start is over", async (t) => {
  const { state, pass } = process();
  pass(FIRST_AFTER_MS - 1);
  t.equal(state.collections, 0);
  pass(1);
  t.equal(state.collections, 1);
  for (let i = 0; i < 100; i++) pass(LEAST_PAUSE_MS);
  t.equal(state.collections, 1, "a quiet program is left alone");
});

t.test("What grew is collected, but not again and again where it is needed", async (t) => {
  const { state, pass } = process();
  pass(FIRST_AFTER_MS);
  pass(LEAST_PAUSE_MS);
  state.garbage = WORTH_BYTES;
  pass(1);
  t.equal(state.collections, 2);
  pass(1000);
  state.needed += 2 * WORTH_BYTES;
  for (let i = 0; i < 100; i++) pass(LEAST_PAUSE_MS);
  t.equal(state.collections, 3, "once to see that it is needed");
});

t.test("Garbage that comes quickly is collected after a pause", async (t) => {
  const { state, pass } = process();
  pass(FIRST_AFTER_MS);
  for (let ms = 0; ms < 10 * LEAST_PAUSE_MS; ms += 1000) {
    state.garbage += WORTH_BYTES;
    pass(1000);
  }
  t.ok(state.collections <= 11, `${state.collections} collections`);
});

t.test("What a busy time had in use goes once it is quiet, and is looked for once", async (t) => {
  const { state, pass } = process();
  pass(FIRST_AFTER_MS);
  pass(LEAST_PAUSE_MS);
  state.busy = QUIET_SHARE;
  state.needed += 2 * WORTH_BYTES;
  for (let i = 0; i < 100; i++) pass(LEAST_PAUSE_MS);
  t.equal(state.collections, 2, "once to see that it is needed");
  state.needed -= 2 * WORTH_BYTES;
  state.garbage += 2 * WORTH_BYTES;
  pass(LEAST_PAUSE_MS);
  t.equal(state.collections, 2, "nothing has grown, and it is busy");
  state.busy = 0;
  pass(LEAST_PAUSE_MS);
  t.equal(state.garbage, 0);
  state.needed += WORTH_BYTES - 1;
  for (let i = 0; i < 100; i++) pass(LEAST_PAUSE_MS);
  t.equal(state.collections, 3);
});

t.test("What stays in use after a busy time costs one collection", async (t) => {
  const { state, pass } = process();
  pass(FIRST_AFTER_MS);
  pass(LEAST_PAUSE_MS);
  state.busy = 1;
  state.needed += 2 * WORTH_BYTES;
  pass(LEAST_PAUSE_MS);
  pass(LEAST_PAUSE_MS);
  state.busy = 0;
  for (let i = 0; i < 100; i++) pass(LEAST_PAUSE_MS);
  t.equal(state.collections, 3);
});

t.test("No Buffer is kept for every number a packet may hold", async (t) => {
  keepMemoryLow();
  t.equal(writeToStream.cacheNumbers, false);
});
