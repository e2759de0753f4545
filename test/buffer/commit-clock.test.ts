// When groups are committed, with the event loop played by hand.
import t, { type Test } from "tap";
import { head, NOW, openIn } from "./setup.ts";

/** An event loop that stands still: `tick` runs what is due. */
class PlayedLoop {
  nowMs = NOW;
  #due: { atMs: number; run: () => void }[] = [];

  soon(run: () => void): () => void {
    return this.later(run, 0);
  }

  later(run: () => void, ms: number): () => void {
    const entry = { atMs: this.nowMs + ms, run };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((each) => each !== entry);
    };
  }

  tick(ms: number): void {
    this.nowMs += ms;
    const due = this.#due.filter(({ atMs }) => atMs <= this.nowMs);
    this.#due = this.#due.filter(({ atMs }) => atMs > this.nowMs);
    for (const { run } of due) run();
  }
}

function play(t: Test) {
  const loop = new PlayedLoop();
  const { buffer } = openIn(t, { lingerMs: 100 }, { timers: loop, now: () => loop.nowMs });
  const told: string[] = [];
  const send = (id: string) => buffer.append(head(id), "T07", loop.nowMs, 0, () => told.push(id));
  return { loop, send, told, buffer };
}

t.test("after an idle while, a reading waits for company as long as the linger and no longer", async (t) => {
  const { loop, send, told, buffer } = play(t);
  send("first");
  loop.tick(60);
  send("company");
  loop.tick(39);
  t.same(told, []);
  loop.tick(1);
  t.same(told, ["first", "company"]);
  t.equal(buffer.status().commits, 1);
});

t.test("a sender that waits for each acknowledgement is slowed once only", async (t) => {
  const { loop, send, told } = play(t);
  send("0");
  loop.tick(100);
  for (let number = 1; number < 20; number++) {
    loop.tick(5);
    send(String(number));
    t.equal(told.length, number);
    loop.tick(0);
    t.equal(told.length, number + 1, "committed as soon as nothing more is readable");
  }
});

t.test("readings of one turn of the event loop share a commit", async (t) => {
  const { loop, send, told, buffer } = play(t);
  send("0");
  loop.tick(100);
  for (let number = 1; number < 500; number++) send(String(number));
  loop.tick(0);
  t.equal(told.length, 500);
  t.equal(buffer.status().commits, 2);
});

t.test("a clock set back is an idle while, not a reason to wait for ever", async (t) => {
  const { loop, send, told } = play(t);
  send("before");
  loop.tick(100);
  loop.tick(-3_600_000);
  send("after");
  loop.tick(100);
  t.same(told, ["before", "after"]);
});
