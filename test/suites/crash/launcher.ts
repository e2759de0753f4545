/**
 * Runs under strace: the agent as a child, and the stream it ships to. What the stream accepted is written to a file
 * before the answer leaves, so that the trace shows the order of both.
 *
 *   launcher.js <agent.js> <agent.config.yaml> <accepted file>
 *
 * The configuration's ${STREAM_PORT} is the stream's port.
 */

import { spawn } from "node:child_process";
import { openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

const [agent = "", config = "", acceptedFile = ""] = process.argv.slice(2);
const accepted = openSync(acceptedFile, "a");

const stream = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { Records } = JSON.parse(Buffer.concat(chunks).toString()) as { Records: { Data: string }[] };
    const lines = Records.map(({ Data }) => gunzipSync(Buffer.from(Data, "base64")).toString()).join("");
    writeSync(accepted, lines.replace(/^\{"kind":.*\n/gm, ""));
    const entries = Records.map((_, index) => ({
      SequenceNumber: String(index),
      ShardId: "shardId-000000000000",
    }));
    response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify({ FailedRecordCount: 0, Records: entries }));
  });
}).listen(0, "127.0.0.1", () => {
  const child = spawn(process.execPath, [agent, "run", "--config", config], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, STREAM_PORT: String((stream.address() as AddressInfo).port) },
  });
  // strace keeps signals to itself; the end of the input is ours.
  process.stdin.on("end", () => child.kill()).resume();
  child.on("exit", (code) => process.exit(code ?? 1));
});
