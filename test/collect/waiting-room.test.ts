import t from "tap";
import { WaitingRoom } from "../../agent/collect/waiting-room.ts";

t.test("beyond its places the oldest of the most crowded address goes", async (t) => {
  const room = new WaitingRoom<string>(4);
  t.equal(room.enter("good", "sensor"), undefined);
  for (const guest of ["a", "b", "c"]) t.equal(room.enter("bad", guest), undefined);
  t.equal(room.enter("bad", "d"), "a", "the flood crowds out itself");
  t.equal(room.enter("bad", "e"), "b");
  t.notOk(room.leave("bad", "b"), "who had to go has left");
  t.ok(room.leave("good", "sensor"), "who came first from elsewhere is still there");
});

t.test("of many addresses with one guest each the oldest goes", async (t) => {
  const room = new WaitingRoom<number>(3);
  for (const guest of [1, 2, 3]) room.enter(`address ${guest}`, guest);
  t.equal(room.enter("address 4", 4), 1);
});

t.test("who leaves makes a place", async (t) => {
  const room = new WaitingRoom<number>(1);
  room.enter("a", 1);
  t.ok(room.leave("a", 1));
  t.notOk(room.leave("a", 1));
  t.equal(room.enter("b", 2), undefined);
});
