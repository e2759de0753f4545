import { readFileSync } from "node:fs";
import t from "tap";
import { CLOSE_REASONS } from "../../agent/collect/closing.ts";
import { REJECTION_REASONS } from "../../agent/contract/rejection.ts";
import { spoken } from "../../agent/observe/reasons.ts";

t.test("Every reason of a rejection has words of its own", async (t) => {
  t.equal(spoken("topic"), "wrong topic");
  for (const reason of REJECTION_REASONS) t.notMatch(spoken(reason), "_");
});

t.test("Every reason a connection is closed for is told in words, and stands in the runbook", async (t) => {
  const runbook = readFileSync("deploy/RUNBOOK.md", "utf8");
  for (const reason of CLOSE_REASONS) {
    t.notMatch(spoken(reason), "_");
    t.match(runbook, new RegExp(`^\\| (\`[a-z_]+\` )*\`${reason}\``, "m"), reason);
  }
});

t.test("Another name is read as it stands", async (t) => {
  t.equal(spoken("packet_too_large"), "packet too large");
  t.equal(spoken("constructor"), "constructor");
});
