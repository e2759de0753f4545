// Writes readings into the buffer at argv[2] until argv[3] of them are acknowledged; prints each acknowledged id.
// With `early` as argv[4] it acknowledges before the commit: the control that must be found out.
import { writeSync } from "node:fs";
import pino from "pino";
import { openBuffer } from "../../../agent/buffer/open.ts";
import { encodeHead } from "../../../agent/contract/shipped.ts";
import { codeOf } from "../../../agent/errors.ts";

const [path = "", count = "0", early] = process.argv.slice(2);
const wanted = Number(count);
const limits = { maxBytes: 1e8, lingerMs: 0, rejectsMaxBytes: 1e6, ballastBytes: 0 };
const buffer = openBuffer(
  { path, gateway: "gw-01", onFull: "refuse", ...limits },
  { now: Date.now, log: pino({ level: "info" }, pino.destination(2)) },
);
let sent = 0;
let acknowledged = 0;
buffer.onState((state) => writeSync(1, `state ${state}\n`));

function acknowledge(id: string): void {
  // Straight to the descriptor: what is printed has been said, however the process ends.
  for (;;) {
    try {
      writeSync(1, `${id}\n`);
      return;
    } catch (error) {
      // The reader is behind.
      if (codeOf(error) !== "EAGAIN") throw error;
    }
  }
}

function send(): void {
  const number = sent++;
  const id = `PP_${number}`;
  const reading = {
    id,
    data: number,
    type: "Power Factor",
    date: "2026-11-22T12:00:00.000Z",
    turbine: "T07",
  } as const;
  if (early !== undefined) acknowledge(id);
  buffer.append(Buffer.from(encodeHead(reading)), "T07", Date.now(), 0, (error) => {
    if (error != null) return;
    if (early === undefined) acknowledge(id);
    acknowledged++;
    if (acknowledged === wanted) void buffer.close().then(() => process.exit(0));
    else if (sent < wanted) send();
  });
}

for (let sender = 0; sender < 20; sender++) send();
// Deliveries, so that there is something to delete while the disk is in trouble.
setInterval(() => {
  const groups = buffer.lease(500).slice(0, 1);
  for (const { groupKey } of groups) buffer.settle(groupKey, { outcome: "again" });
}, 5);
