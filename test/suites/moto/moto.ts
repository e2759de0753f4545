/** moto, which plays AWS on loopback, as a child process; and clients that talk to it. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from "@aws-sdk/client-cloudformation";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

export const REGION = "us-east-1";
export const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };
const STACK_SECONDS = 60;

/** Why moto can't be had here, or false. */
export function motoMissing(): string | false {
  const { status } = spawnSync("python3", ["-c", "import moto.server"], { stdio: "ignore" });
  return status === 0 ? false : "needs moto: pip install 'moto[server]==5.2.1'";
}

export class Moto {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async start(): Promise<Moto> {
    const child = spawn("python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    for await (const line of createInterface({ input: child.stderr })) {
      const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (url === undefined) continue;
      // It logs every request; unread, its pipe would fill up and hold it.
      child.stderr.resume();
      const moto = new Moto(url, child);
      await moto.#bootstrap();
      return moto;
    }
    throw new Error("moto ended before it listened");
  }

  get #client() {
    return { endpoint: this.url, region: REGION, credentials: CREDENTIALS };
  }

  cloudFormation(): CloudFormationClient {
    return new CloudFormationClient(this.#client);
  }

  kinesis(): KinesisClient {
    return new KinesisClient({ ...this.#client, requestHandler: new NodeHttpHandler() });
  }

  /** Creates a stack of a template and answers when it stands. */
  async deploy(name: string, template: object): Promise<void> {
    const client = this.cloudFormation();
    const TemplateBody = JSON.stringify(template);
    await client.send(
      new CreateStackCommand({ StackName: name, TemplateBody, Capabilities: ["CAPABILITY_IAM"] }),
    );
    await waitUntilStackCreateComplete({ client, maxWaitTime: STACK_SECONDS }, { StackName: name });
    client.destroy();
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "close");
  }

  /** What `cdk bootstrap` leaves in an account and every template asks for. moto reads no signature, only whom it is for. */
  async #bootstrap(): Promise<void> {
    const scope = `test/20260101/${REGION}/ssm/aws4_request`;
    const response = await fetch(this.url, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AmazonSSM.PutParameter",
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify({ Name: "/cdk-bootstrap/hnb659fds/version", Value: "30", Type: "String" }),
    });
    if (!response.ok)
      throw new Error(`moto refused the bootstrap: ${response.status} ${await response.text()}`);
  }
}
