import { pino } from "pino";
import t from "tap";
import type { Snapshot } from "../../agent/observe/snapshot.ts";
import { QUIET_MS, Warnings } from "../../agent/observe/warnings.ts";
import { NOON_MS, sampleSnapshot } from "./sample-snapshot.ts";

type Counts = Readonly<Record<string, number>>;

/** Warnings over counters that the test moves, and what they said since asked last. */
function watch(mode: Snapshot["collect"]["mode"] = "listen") {
  let now = sampleSnapshot();
  const said: { level: string; msg: string; reason: string; count: number }[] = [];
  const write = (line: string) => said.push(JSON.parse(line));
  const log = pino({ level: "info", formatters: { level: (level) => ({ level }) } }, { write });
  const warnings = new Warnings({ snapshot: () => now, log });
  const look = (
    atMs: number,
    rejected: Counts,
    closedConnections: Counts = {},
    refusedLogins: Counts = {},
  ) => {
    now = sampleSnapshot({ nowMs: NOON_MS + atMs });
    now.validate = { ...now.validate, rejected };
    now.collect = { ...now.collect, mode, closedConnections, refusedLogins };
    warnings.look();
    return said.splice(0).map(({ msg }) => msg);
  };
  return { look, warnings, said };
}

t.test("A reason is told when it first comes up, and then in sums", async (t) => {
  const { look } = watch();
  t.strictSame(look(0, {}), []);
  t.strictSame(look(5000, { topic: 2 }), [
    "2 messages not understood: wrong topic. Kept aside, see windfarm rejects.",
  ]);
  t.strictSame(look(10_000, { topic: 40 }), []);
  t.strictSame(look(15_000, { topic: 90, not_json: 1 }), [
    "1 message not understood: not JSON. Kept aside, see windfarm rejects.",
  ]);
  t.strictSame(look(5000 + QUIET_MS, { topic: 1000, not_json: 1 }), [
    "998 messages not understood: wrong topic. Kept aside, see windfarm rejects.",
  ]);
  t.strictSame(look(5000 + 3 * QUIET_MS, { topic: 1000, not_json: 1 }), [], "nothing new is nothing to tell");
});

t.test("Connections that the agent closed are told likewise, as warnings with the stable name", async (t) => {
  const { look, warnings, said } = watch();
  t.strictSame(look(0, {}, { packet_too_large: 1 }), ["1 connection closed by the agent: packet too large."]);
  t.strictSame(look(5000, {}, { packet_too_large: 3 }), []);
  warnings.stop();
  t.match(said, [{ level: "warn", reason: "packet_too_large", count: 2 }], "the rest is told at the end");
});

t.test("Refused logins are told in sums, by the address they came from", async (t) => {
  const { look, said } = watch();
  t.strictSame(look(0, {}, { refused_login: 3 }, { "10.0.0.7": 2, others: 1 }), [
    "2 logins refused from 10.0.0.7: name, password or certificate refused.",
    "1 login refused from others: name, password or certificate refused.",
  ]);
  t.strictSame(look(5000, {}, { refused_login: 900 }, { "10.0.0.7": 899, others: 1 }), []);
  t.strictSame(look(QUIET_MS, {}, { refused_login: 900 }, { "10.0.0.7": 899, others: 1 }), [
    "897 logins refused from 10.0.0.7: name, password or certificate refused.",
  ]);
  t.strictSame(said, []);
});

t.test("The connection to an existing broker is the subscriber's to tell of", async (t) => {
  t.strictSame(watch("connect").look(0, {}, { refused: 1 }), []);
});

t.test("A clock that goes back does not silence them", async (t) => {
  const { look } = watch();
  look(0, { topic: 1 });
  t.equal(look(-3_600_000, { topic: 2 }).length, 1);
});
