// A process that owns a buffer until it is killed: argv[2] is the buffer's path. Bundled and started by open.test.ts.
import pino from "pino";
import { openBuffer } from "../../agent/buffer/open.ts";
import { encodeHead } from "../../agent/contract/shipped.ts";

const path = process.argv[2] ?? "";
const limits = { maxBytes: 1e8, lingerMs: 0, rejectsMaxBytes: 1e6, ballastBytes: 0 };
try {
  const buffer = openBuffer(
    { path, gateway: "gw-01", onFull: "refuse", ...limits },
    { now: Date.now, log: pino({ level: "silent" }) },
  );
  const reading = {
    id: "PP_1",
    data: 1,
    type: "Power Factor",
    date: "2026-11-22T12:00:00.000Z",
    turbine: "T07",
  } as const;
  buffer.append(Buffer.from(encodeHead(reading)), "T07", Date.now(), 0, () =>
    process.stdout.write("stored\n"),
  );
  setInterval(() => {}, 1000);
} catch (error) {
  const { code, message } =
    error instanceof Error ? { code: "", ...error, message: error.message } : { code: "", message: "" };
  process.stdout.write(`${JSON.stringify({ code, message })}\n`);
}
