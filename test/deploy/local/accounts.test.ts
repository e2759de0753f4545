import t from "tap";
import {
  figure,
  liveLine,
  missing,
  type Outcome,
  readSensorSummary,
  summarise,
} from "../../../deploy/local/accounts.ts";

const agent = {
  gateway: "gw-01",
  epoch: "e1",
  sentence: "Delivering.",
  received: 1_010,
  buffered: 0,
  shipped: 1_000,
  rejected: 10,
  dropped: 0,
};
const cloud = {
  deliveredReadings: 1_004,
  lakeReadings: 990,
  lag: { none: true },
  epochs: [{ gateway: "gw-01", epoch: "e1", maxSeq: 1_000, distinct: 1_000 }],
};
const sensors = { made: 990, published: 1_010, acknowledged: 990, unacknowledged: 0, seconds: 60 };
const fine: Outcome = { sensors, agent, cloud, earlier: false, lakeBefore: 0, types: [] };

t.test("When all numbers agree nothing is missing", async (t) => {
  t.strictSame(missing(fine), []);
  const lines = summarise({ ...fine, types: [{ type: "Power Factor", n: 330, mean: 0.97 }] });
  t.match(lines[0], "sensors made 990 readings in 60 s, 990 acknowledged");
  t.match(lines[1], /Power Factor +330 in the lake, mean 0\.970/);
  t.equal(lines[2], "received 1 010 − rejected 10 = in the lake 990 + repetitions removed 10");
});

const WRONG: Record<string, [Partial<Outcome>, RegExp]> = {
  "a reading the agent never acknowledged": [
    { sensors: { ...sensors, acknowledged: 988, unacknowledged: 2 } },
    /^2 readings were made and not acknowledged$/,
  ],
  "a reading still in the buffer": [
    { agent: { ...agent, buffered: 5, shipped: 995 } },
    /^5 readings are still in the buffer/,
  ],
  "a reading lost between agent and raw data": [
    { cloud: { ...cloud, epochs: [{ gateway: "gw-01", epoch: "e1", maxSeq: 1_000, distinct: 997 }] } },
    /^3 readings were shipped and not found in the lake's raw data$/,
  ],
  "nothing from this buffer at all": [
    { cloud: { ...cloud, epochs: [{ gateway: "gw-01", epoch: "other", maxSeq: 1_000, distinct: 1_000 }] } },
    /^1 000 readings were shipped/,
  ],
  "a reading lost between raw data and table": [
    { cloud: { ...cloud, lakeReadings: 989 } },
    /^the lake gained 989 rows; the sensors had 990 acknowledged$/,
  ],
  "a table that is behind": [
    { cloud: { ...cloud, lag: { none: false } } },
    /^the lake has not yet everything that the stream accepted$/,
  ],
  "rows that were there before": [{ lakeBefore: 100 }, /^the lake gained 890 rows; the sensors had 990/],
  "an agent that can't be asked": [{ agent: undefined }, /^the agent's accounts are not known$/],
  "a cloud that can't be asked": [{ cloud: undefined }, /^the lake's accounts are not known$/],
};

for (const [name, [change, sentence]] of Object.entries(WRONG)) {
  t.test(`It is noticed: ${name}`, async (t) => {
    t.match(missing({ ...fine, ...change })[0], sentence);
  });
}

t.test("Readings of other buffers are told apart from this one's", async (t) => {
  const epochs = [...cloud.epochs, { gateway: "gw-01", epoch: "e0", maxSeq: 50, distinct: 50 }];
  const outcome = { ...fine, cloud: { ...cloud, lakeReadings: 1_040, epochs }, lakeBefore: 50 };
  t.strictSame(missing(outcome), []);
  t.match(summarise(outcome).at(-1), "= in the lake 1 040 + repetitions removed 10 (50 of them from earlier");
});

t.test("What this start made is told from what there is in all", async (t) => {
  const lines = summarise({ ...fine, earlier: true, types: [{ type: "Power Factor", n: 330, mean: 0.97 }] });
  t.strictSame(lines.slice(0, 2), [
    "sensors made 990 readings in 60 s, 990 acknowledged",
    "in all, with what earlier starts brought:",
  ]);
  t.notMatch(summarise(fine).join("\n"), /in all/);
});

t.test("One reading is one reading", async (t) => {
  const one = { ...sensors, made: 1, acknowledged: 0, unacknowledged: 1 };
  t.match(summarise({ ...fine, sensors: one })[0], "sensors made 1 reading in 60 s");
  t.match(missing({ ...fine, sensors: one })[0], /^1 reading was made and not acknowledged$/);
});

t.test("Sensors that repeat themselves from run to run need not make the lake grow", async (t) => {
  t.strictSame(missing({ ...fine, lakeBefore: undefined }), []);
});

t.test("The live line shows what is known", async (t) => {
  t.equal(
    liveLine({ ...agent, received: 12_345, rejected: 0, buffered: 3, shipped: 12_342 }, cloud),
    "received 12 345 · buffered 3 · shipped 12 342 · in the lake 990",
  );
  t.equal(liveLine(agent, undefined).includes("in the lake –"), true);
  t.match(liveLine({ ...agent, dropped: 7 }, cloud), /rejected 10 · dropped 7$/);
  t.equal(figure(1_234_567), "1 234 567");
});

t.test("A narrow terminal keeps what is in the lake", async (t) => {
  const long = { ...agent, received: 12_345, buffered: 30, shipped: 12_315, rejected: 0 };
  const lines = [80, 60, 50, 39, 20].map((width) => liveLine(long, cloud, width));
  t.strictSame(lines, [
    "received 12 345 · buffered 30 · shipped 12 315 · in the lake 990",
    "received 12 345 · buffered 30 · in the lake 990",
    "received 12 345 · buffered 30 · in the lake 990",
    "received 12 345 · in the lake 990",
    "in the lake 990",
  ]);
  t.match(
    liveLine({ ...long, dropped: 7 }, cloud, 39),
    /^in the lake 990 · dropped 7$|^received .*in the lake 990 · dropped 7$/,
  );
});

t.test("The simulators' summary is read from their JSON line, and anything else is none", async (t) => {
  t.strictSame(readSensorSummary(JSON.stringify({ ...sensors, lost: 0, faults: {} })), sensors);
  t.equal(readSensorSummary("connected"), undefined);
  t.equal(readSensorSummary("{}"), undefined);
});
