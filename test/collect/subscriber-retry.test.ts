import t from "tap";
import { type Attempt, RetryPolicy } from "../../agent/collect/subscriber-retry.ts";

const failed: Attempt = { reason: "unreachable", explained: false, subscribed: false, livedMs: 1 };
const full = () => new RetryPolicy(() => 1);

t.test("delays double up to ten seconds while the broker is away", async (t) => {
  const policy = full();
  const delays = Array.from({ length: 8 }, () => policy.next(failed).delayMs);
  t.strictSame(delays, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

t.test("chance takes up to half of a delay away", async (t) => {
  t.equal(new RetryPolicy(() => 0).next(failed).delayMs, 125);
});

t.test("what only a human can cure is tried once a minute", async (t) => {
  const policy = full();
  let delay = 0;
  for (let times = 0; times < 12; times++) delay = policy.next({ ...failed, reason: "refused" }).delayMs;
  t.equal(delay, 60_000);
});

t.test("a connection that lasted starts the delays again", async (t) => {
  const policy = full();
  for (let times = 0; times < 5; times++) policy.next(failed);
  t.equal(
    policy.next({ ...failed, reason: "closed_by_broker", subscribed: true, livedMs: 40_000 }).delayMs,
    250,
  );
});

t.test("a rival is certain at the third takeover, told once, and slows us down to a minute", async (t) => {
  const policy = full();
  const taken: Attempt = { reason: "taken_over", explained: true, subscribed: true, livedMs: 35_000 };
  const retries = Array.from({ length: 12 }, () => policy.next(taken));
  t.strictSame(
    retries.map(({ rival }) => rival),
    [undefined, undefined, "certain", ...Array(9).fill(undefined)],
  );
  t.equal(retries.at(-1)?.delayMs, 60_000, "though every connection lasted more than half a minute");
});

t.test("closed five times without a word makes a rival likely", async (t) => {
  const policy = full();
  const closed: Attempt = { reason: "closed_by_broker", explained: false, subscribed: true, livedMs: 20 };
  t.strictSame(
    [1, 2, 3, 4, 5].map(() => policy.next(closed).rival),
    [undefined, undefined, undefined, undefined, "likely"],
  );
});

t.test("a broker being restarted is no rival", async (t) => {
  const policy = full();
  const closed: Attempt = { reason: "closed_by_broker", explained: false, subscribed: true, livedMs: 20 };
  for (let times = 0; times < 6; times++) {
    t.equal(policy.next(closed).rival, undefined);
    policy.next(failed);
  }
});

t.test("nor is one that says why it closes", async (t) => {
  const policy = full();
  const closed: Attempt = { reason: "closed_by_broker", explained: true, subscribed: true, livedMs: 20 };
  for (let times = 0; times < 10; times++) t.equal(policy.next(closed).rival, undefined);
});

t.test("five minutes of peace end a fight, and the next one is told again", async (t) => {
  const policy = full();
  const taken: Attempt = { reason: "taken_over", explained: true, subscribed: true, livedMs: 10 };
  for (let times = 0; times < 5; times++) policy.next(taken);
  const peace = policy.next({ ...taken, livedMs: 6 * 60_000 });
  t.equal(peace.delayMs, 250);
  t.equal(policy.next(taken).rival, undefined);
  t.equal(policy.next(taken).rival, "certain");
});
