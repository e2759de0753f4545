/**
 * Credentials for a device: its certificate, shown over mutual TLS, is exchanged for those of a role.
 *
 *   GET https://<endpoint>/role-aliases/<alias>/credentials      x-amzn-iot-thingname: <thing>
 *   200 {"credentials":{"accessKeyId","secretAccessKey","sessionToken","expiration"}}     400 403 404 {"message"}
 *
 * Source: AWS IoT Core developer guide, "Authorizing direct calls to AWS services". Their life is measured between the
 * provider's own clock and their expiry, and counted down on a clock that never steps: a gateway without a real-time
 * clock renews in time whatever it believes the date to be.
 */

import { readFile } from "node:fs/promises";
import { type Agent, type RequestOptions, request } from "node:https";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import { z } from "zod";
import { parseJson } from "../common/json.ts";
import { codeOf, type Fault, messageOf } from "../errors.ts";
import { meaningOf, shipFault } from "./errors.ts";
import type { CredentialSettings, StreamSettings } from "./settings.ts";

/** What signs a request; the AWS client's own shape. */
export interface Identity {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Asked for again once this has passed. */
  expiration?: Date;
}

type IotSettings = Extract<CredentialSettings, { kind: "iot" }>;

export interface IotDeps {
  /** Whose connections the exchange goes over. */
  agent: Agent;
  log: Logger;
  now: () => number;
  monotonicMs: () => number;
}

/** Renewed when this much of their life is left, or a quarter of it where that is shorter, ms. */
const RENEW_BEFORE_MS = 10 * 60_000;
/** A failed renewal is not tried again sooner than this while the old ones still hold, ms. */
const RENEW_AGAIN_MS = 30_000;
/** Longest answer read, bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

const Answer = z.object({
  credentials: z.object({
    accessKeyId: z.string().min(1),
    secretAccessKey: z.string().min(1),
    sessionToken: z.string().min(1),
    expiration: z.string().refine((text) => !Number.isNaN(Date.parse(text)), "not a date"),
  }),
});
const Refusal = z.object({ message: z.string() });

interface Held {
  identity: Identity;
  renewAtMs: number;
  endsAtMs: number;
}

export class IotCredentials {
  readonly #iot: IotSettings;
  readonly #place: StreamSettings;
  readonly #deps: IotDeps;
  #held: Held | undefined;
  #asking: Promise<Held> | undefined;
  #failed = false;

  constructor(iot: IotSettings, place: StreamSettings, deps: IotDeps) {
    this.#iot = iot;
    this.#place = place;
    this.#deps = deps;
  }

  /** How long the present ones still hold; undefined before the first. */
  get secondsLeft(): number | undefined {
    if (this.#held === undefined) return undefined;
    return Math.max(0, (this.#held.endsAtMs - this.#deps.monotonicMs()) / 1000);
  }

  /** Credentials that still hold; throws a Fault where there are none to be had. */
  async identity(): Promise<Identity> {
    const held = this.#held;
    const nowMs = this.#deps.monotonicMs();
    if (held !== undefined && nowMs < held.renewAtMs) return held.identity;
    try {
      return (await this.#ask()).identity;
    } catch (error) {
      if (held === undefined || nowMs >= held.endsAtMs) throw error;
      held.renewAtMs = nowMs + RENEW_AGAIN_MS;
      if (!this.#failed)
        this.#deps.log.warn(
          { err: error },
          "AWS credentials could not be renewed yet; the old ones still hold",
        );
      this.#failed = true;
      return held.identity;
    }
  }

  /** One exchange at a time, however many requests wait for it. */
  #ask(): Promise<Held> {
    this.#asking ??= this.#exchange().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #exchange(): Promise<Held> {
    const files = await this.#readFiles();
    const { status, dateMs, text } = await this.#get(files);
    const answer = Answer.safeParse(parseJson(text));
    if (status !== 200 || !answer.success) throw this.#refusal(status, text, answer.error);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = answer.data.credentials;
    const lifeMs = Math.max(0, Date.parse(expiration) - dateMs);
    const nowMs = this.#deps.monotonicMs();
    // An expiry in the past makes the client ask here before every request: only we know when they really end.
    const identity = { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(0) };
    this.#held = {
      identity,
      renewAtMs: nowMs + Math.max(lifeMs - RENEW_BEFORE_MS, lifeMs * 0.75),
      endsAtMs: nowMs + lifeMs,
    };
    this.#failed = false;
    const { thingName, roleAlias } = this.#iot;
    this.#deps.log.info(
      { thingName, roleAlias, lifeSeconds: Math.round(lifeMs / 1000) },
      "AWS credentials received for the device",
    );
    return this.#held;
  }

  async #readFiles(): Promise<Pick<RequestOptions, "cert" | "key" | "ca">> {
    const read = async (file: string) => {
      try {
        return await readFile(file);
      } catch (error) {
        throw shipFault("ship.credentials_file", `${file}: ${messageOf(error)}`, this.#place, error);
      }
    };
    const { certFile, keyFile, caFile } = this.#iot;
    const [cert, key] = [await read(certFile), await read(keyFile)];
    const files = caFile === undefined ? { cert, key } : { cert, key, ca: await read(caFile) };
    try {
      createSecureContext(files);
    } catch (error) {
      const detail = `${certFile}, ${keyFile}: ${messageOf(error)}`;
      throw shipFault("ship.credentials_file", detail, this.#place, error);
    }
    return files;
  }

  #get(files: Pick<RequestOptions, "cert" | "key" | "ca">) {
    const { endpoint, roleAlias, thingName } = this.#iot;
    const url = `https://${endpoint}/role-aliases/${encodeURIComponent(roleAlias)}/credentials`;
    return new Promise<{ status: number; dateMs: number; text: string }>((resolve, reject) => {
      const fail = (error: unknown) => reject(this.#exchangeFault(error));
      const options = {
        ...files,
        agent: this.#deps.agent,
        signal: AbortSignal.timeout(this.#place.requestTimeoutMs),
        headers: { "x-amzn-iot-thingname": thingName, connection: "close" },
      };
      const asked = request(url, options, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > MAX_ANSWER_BYTES) answer.destroy(new RangeError("the answer is too long"));
        });
        answer.on("error", fail);
        answer.on("end", () => {
          const said = Date.parse(answer.headers.date ?? "");
          const dateMs = Number.isNaN(said) ? this.#deps.now() : said;
          resolve({ status: answer.statusCode ?? 0, dateMs, text });
        });
      });
      asked.on("error", fail);
      asked.end();
    });
  }

  #exchangeFault(error: unknown): Fault {
    const detail = `credentials provider ${this.#iot.endpoint}: ${messageOf(error)}`;
    // A provider that does not know the certificate ends the handshake.
    const isAlert = codeOf(error)?.startsWith("ERR_SSL_") === true;
    return shipFault(isAlert ? "ship.iot_refused" : meaningOf(error), detail, this.#place, error);
  }

  #refusal(status: number, text: string, problem: z.ZodError | undefined): Fault {
    const { endpoint, roleAlias } = this.#iot;
    if (status >= 500)
      return shipFault("ship.service", `credentials provider ${endpoint}: HTTP ${status}`, this.#place);
    const said = Refusal.safeParse(parseJson(text)).data?.message ?? text;
    const why = status === 200 && problem !== undefined ? z.prettifyError(problem) : said;
    const code = status === 404 ? "ship.role_alias_missing" : "ship.iot_refused";
    return shipFault(code, `role alias ${roleAlias}: HTTP ${status} ${why}`, this.#place);
  }
}
