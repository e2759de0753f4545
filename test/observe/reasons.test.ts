import t from "tap";
import { REJECTION_REASONS } from "../../agent/contract/rejection.ts";
import { spoken } from "../../agent/observe/reasons.ts";

t.test("Every reason of a rejection has words of its own", async (t) => {
  t.equal(spoken("topic"), "wrong topic");
  for (const reason of REJECTION_REASONS) t.notMatch(spoken(reason), "_");
});

t.test("Another name is read as it stands", async (t) => {
  t.equal(spoken("packet_too_large"), "packet too large");
  t.equal(spoken("constructor"), "constructor");
});
