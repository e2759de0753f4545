import t from "tap";
import { Acknowledgements } from "../../agent/collect/acknowledgements.ts";

t.test("what is stored is acknowledged in the order received, in one piece, and only once", async (t) => {
  const acks = new Acknowledgements(4, 100);
  for (let id = 1; id <= 3; id++) acks.take(1, id, 10);
  t.equal(acks.flush().length, 0, "the first isn't on disk");
  acks.stored();
  acks.stored();
  t.equal(acks.flush().toString("hex"), "4002000140020002");
  t.equal(acks.flush().length, 0);
  t.equal(acks.open, 1);
});

t.test("QoS 2 is answered by PUBREC, QoS 0 by nothing", async (t) => {
  const acks = new Acknowledgements(4, 100);
  acks.take(0, 0, 5);
  acks.take(2, 0x0102, 5);
  acks.take(1, 0xffff, 5);
  for (let i = 0; i < 3; i++) acks.stored();
  t.equal(acks.flush().toString("hex"), "500201024002ffff");
});

t.test(
  "it is full by number until acknowledged, by bytes until stored, and its slots are used again",
  async (t) => {
    const acks = new Acknowledgements(4, 100);
    for (let id = 1; id <= 4; id++) acks.take(1, id, 1);
    t.ok(acks.full);
    acks.stored();
    t.ok(acks.full, "its acknowledgement still needs the slot");
    acks.flush();
    t.notOk(acks.full);
    acks.take(1, 5, 1);
    for (let i = 0; i < 4; i++) acks.stored();
    t.equal(acks.flush().toString("hex"), "40020002400200034002000440020005");
    acks.take(1, 6, 100);
    t.ok(acks.full);
    acks.stored();
    t.notOk(acks.full);
  },
);
