import t from "tap";
import { probeStream } from "../../agent/ship/probe.ts";
import { type StubOptions, startKinesisStub } from "../helpers/kinesis-stub.ts";
import { readableLog, shipSettings } from "../helpers/ship-rig.ts";

const deps = { log: readableLog().log, now: Date.now, monotonicMs: () => performance.now(), env: {} };

async function probe(options: StubOptions) {
  const stub = await startKinesisStub(options);
  const found = await probeStream(shipSettings(stub.endpoint, { requestTimeoutMs: 300 }), deps);
  await stub.outage();
  return found;
}

t.test("an active stream is well", async (t) => {
  t.match(await probe({}), {
    ok: true,
    message: "Stream windfarm-readings in us-east-1: ACTIVE, 2 open shards",
  });
});

t.test("a stream that is being made is not ready", async (t) => {
  t.match(await probe({ status: "CREATING" }), { ok: false, message: "CREATING", hint: String });
});

t.test("an identity that may only put records is fine, and it says what stays open", async (t) => {
  const fault = () => ({ kind: "exception", status: 400, type: "AccessDeniedException" }) as const;
  t.match(await probe({ fault }), {
    ok: true,
    message: "may not look",
    hint: "kinesis:DescribeStreamSummary",
  });
});

t.test("what is wrong is said with what to try", async (t) => {
  const exception = (type: string) => () => ({ kind: "exception", status: 400, type }) as const;
  t.match(await probe({ fault: exception("ResourceNotFoundException") }), {
    ok: false,
    code: "ship.stream_missing",
    hint: "kinesis.stream",
  });
  t.match(await probe({ fault: exception("UnrecognizedClientException") }), {
    code: "ship.credentials_invalid",
  });
  const stub = await startKinesisStub();
  await stub.outage();
  t.match(await probeStream(shipSettings(stub.endpoint), deps), { ok: false, code: "ship.refused" });
});

t.test("an endpoint that does not answer is told within the time limit", async (t) => {
  const stub = await startKinesisStub({ fault: () => ({ kind: "hang" }) });
  const found = await probeStream(shipSettings(stub.endpoint, { requestTimeoutMs: 200 }), deps);
  await stub.outage();
  t.match(found, { ok: false, code: "ship.timeout" });
});
