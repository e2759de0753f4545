import t from "tap";
import { readings, rig } from "../helpers/ship-rig.ts";

const LINE = '{"kind":"gateway","gateway":"gw-01"}\n';

t.test("the gateway's state travels with a request that leaves anyway, and not with each", async (t) => {
  const { stub, source, shipper } = await rig(t, {}, {}, { stateLine: () => LINE, stateEveryMs: 3_600_000 });
  shipper.start();
  for (let at = 0; at < 5; at++) {
    source.add(readings(3, at * 3));
    await source.empty();
  }
  t.strictSame(stub.states, [LINE]);
  t.equal(stub.counts.requests, 5, "no request of its own");
  t.equal(stub.lines.length, 15);
});

t.test("where nothing leaves, it travels alone", async (t) => {
  let count = 0;
  const stateLine = () => `{"kind":"gateway","count":${++count}}\n`;
  const { stub, shipper } = await rig(t, {}, {}, { stateLine, stateEveryMs: 20 });
  shipper.start();
  await stub.until(() => stub.states.length === 3);
  t.strictSame(
    stub.states,
    [1, 2, 3].map((each) => `{"kind":"gateway","count":${each}}\n`),
  );
  t.equal(shipper.stats().readings, 0);
});

t.test("one that did not arrive is not kept: the next request takes the newest", async (t) => {
  let count = 0;
  const stateLine = () => `{"kind":"gateway","count":${++count}}\n`;
  const { stub, source, shipper } = await rig(
    t,
    {
      fault: ({ index }) =>
        index < 3 ? { kind: "exception", status: 500, type: "InternalFailure" } : undefined,
    },
    {},
    { stateLine, stateEveryMs: 3_600_000 },
  );
  source.add(readings(3));
  shipper.start();
  await source.empty();
  t.strictSame(stub.states, ['{"kind":"gateway","count":4}\n']);
  t.equal(stub.records[0]?.data.length, stub.seen[3] && Buffer.from(stub.seen[3].data, "base64").length);
  t.equal(stub.lines.length, 3);
});
