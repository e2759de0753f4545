/**
 * The Kinesis API, by kinesis-local, as a child process. Two things it can't do by itself are done by a few lines
 * loaded before it: it listens on loopback only, on ports the system gives, and it ends when its parent is gone,
 * however the parent went.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { Fault } from "../../agent/errors.ts";

/** kinesis-local ends at any other name, but serves requests signed for another region as if they were for its own. */
const ITS_REGIONS = new Set(
  [
    ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"],
    ["us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "ca-central-1", "sa-east-1", "me-south-1"],
    ["eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "af-south-1"],
    ["ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"],
    ["ap-southeast-2", "cn-north-1", "cn-northwest-1"],
  ].flat(),
);

/** Names, not numbers, to the lines before it: which server asks to listen. */
const PLAIN = 1;
const TLS = 2;

const PROGRAM = `
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  const [first] = args;
  const asked = Number(typeof first === "object" && first !== null ? first.port : first);
  const done = args.find((arg) => typeof arg === "function");
  this.once("listening", () => process.send?.({ asked, port: this.address().port }));
  return listen.call(this, { host: "127.0.0.1", port: 0 }, done);
};
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});
require(process.argv[1]);
`;

const Listening = z.object({ asked: z.number(), port: z.number() });

export interface KinesisProcess {
  /** `http://127.0.0.1:<port>`. */
  endpoint: string;
  pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts kinesis-local; resolves when it answers. @param region its default region */
export async function startKinesis(region: string, log: Logger): Promise<KinesisProcess> {
  const main = createRequire(import.meta.url).resolve("kinesis-local/main.js");
  const child = spawn(process.execPath, ["-e", PROGRAM, main], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: environment(join(dirname(main), "server.json"), region),
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) =>
      log.debug({ kinesis: chunk.toString().trim() }, "kinesis-local said"),
    );
  }
  const endpoint = `http://127.0.0.1:${await portOf(child, ended)}`;
  log.debug({ endpoint, pid: child.pid }, "kinesis-local listens");
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { endpoint, pid: child.pid ?? 0, ended, stop };
}

function environment(certificate: string, region: string): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    AWS_REGION: ITS_REGIONS.has(region) ? region : "us-east-1",
    KINESIS_MOCK_PLAIN_PORT: String(PLAIN),
    KINESIS_MOCK_TLS_PORT: String(TLS),
    KINESIS_MOCK_CERT_PATH: certificate,
    CREATE_STREAM_DURATION: "10ms",
    LOG_LEVEL: "WARN",
    ROOT_LOG_LEVEL: "ERROR",
  };
}

function portOf(child: ChildProcess, ended: Promise<string>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("message", (message) => {
      const listening = Listening.safeParse(message);
      if (listening.success && listening.data.asked === PLAIN) resolve(listening.data.port);
    });
    ended.then((why) =>
      reject(
        new Fault("cloud.kinesis_ended", `kinesis-local ended before it listened (${why})`, {
          hint: "run again with --log-level debug to see what it says",
          retry: true,
        }),
      ),
    );
  });
}
