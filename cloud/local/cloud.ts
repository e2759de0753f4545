/**
 * The cloud in a box: the same path as the real one, from parts that others keep well.
 *
 *   producers ─▶ Stream (Kinesis) ─▶ Delivery (Firehose) ─▶ RawStore (S3) ─▶ Lake (Glue, Data Catalog) ─▶ query (Athena)
 *
 * It is for trying things. What it accepts is on disk before its producer hears so, and an orderly stop or restart loses
 * nothing; catalog and table are made from the raw objects.
 */

import { mkdir, rm } from "node:fs/promises";
import type http from "node:http";
import type { Logger } from "pino";
import type { Arrivals } from "./catalog.ts";
import { controlServer } from "./control.ts";
import { Delivery, type DeliverySettings } from "./delivery.ts";
import { writeDurably } from "./durable-files.ts";
import { FolderLock } from "./folder-lock.ts";
import { endServer, listenOnLoopback } from "./http.ts";
import { Lake } from "./lake.ts";
import { type CloudFolders, cloudFolders } from "./places.ts";
import { RawStore } from "./raw-store.ts";
import { Stream, type StreamSettings } from "./stream.ts";

export interface CloudSettings extends DeliverySettings, StreamSettings {
  /** Everything is kept below it. */
  data: string;
  /** Of the Kinesis endpoint; 0 lets the system choose. */
  port: number;
  controlPort: number;
  /** Least time between two makings of the table, ms. */
  curateEveryMs: number;
  /** Of the engine. */
  threads?: number | undefined;
}

/** What `GET /_local/status` answers. */
export interface CloudStatus {
  stream: string;
  /** The process id of kinesis-local. */
  kinesisPid: number;
  /** Lines that are readings, duplicates among them, of the raw objects that are in the table. */
  deliveredReadings: number;
  rawObjects: number;
  /** Rows of the table. */
  lakeReadings: number;
  /** Delivered readings the table has already. */
  duplicates: number;
  /** Lines of raw objects that are neither readings nor gateways' states, in all and by reason. */
  rejects: number;
  rejectReasons: Record<string, number>;
  /** What arrived of each gateway's epochs; nothing is missing where distinct = maxSeq. */
  epochs: Arrivals[];
  lag: {
    /** Bytes accepted by the stream and not yet in a raw object. */
    undeliveredBytes: number;
    /** True where the table has everything the stream accepted. */
    none: boolean;
  };
}

export class LocalCloud {
  readonly #settings: CloudSettings;
  readonly #folders: CloudFolders;
  readonly #log: Logger;
  readonly #lock: FolderLock;
  readonly #raw: RawStore;
  readonly #delivery: Delivery;
  readonly #stream: Stream;
  readonly #control: http.Server;
  #lake: Lake | undefined;
  /** Set by `start()`. */
  port = 0;
  controlPort = 0;

  constructor(settings: CloudSettings, log: Logger) {
    this.#settings = settings;
    this.#folders = cloudFolders(settings.data);
    this.#log = log;
    this.#lock = new FolderLock(settings.data);
    this.#raw = new RawStore(this.#folders.raw);
    const delivered = (object: string) => this.#lake?.add(object);
    this.#delivery = new Delivery(settings, this.#folders.delivery, this.#raw, log, delivered);
    this.#stream = new Stream(settings, (records) => this.#delivery.append(records), log);
    const questions = {
      "GET /_local/status": () => this.status(),
      "POST /_local/flush": () => this.flush(),
    };
    this.#control = controlServer(questions, log);
  }

  async start(): Promise<void> {
    const { port, controlPort, stream, region, threads, curateEveryMs: everyMs } = this.#settings;
    this.#lock.take();
    await mkdir(this.#folders.raw, { recursive: true });
    this.#lake = new Lake({ root: this.#folders.lake, threads, everyMs }, this.#raw, this.#log);
    await this.#lake.start();
    await this.#delivery.start();
    this.port = await this.#stream.start(port);
    this.controlPort = await listenOnLoopback(this.#control, controlPort, "the control endpoint");
    await this.#lake.refresh();
    const addresses = { pid: process.pid, port: this.port, controlPort: this.controlPort, stream, region };
    await writeDurably(this.#folders.addresses, `${JSON.stringify(addresses)}\n`);
    this.#log.info(addresses, "the local cloud is ready");
  }

  /** Delivers and curates now; resolves when everything the stream accepted before the call is in the table. */
  async flush(): Promise<CloudStatus> {
    await this.#delivery.flush();
    await this.#lake?.refresh();
    return this.status();
  }

  /** Takes no more, delivers, curates, ends. */
  async stop(): Promise<void> {
    await this.#stream.stop();
    await this.#delivery.flush();
    await this.#lake?.refresh();
    await this.#lake?.stop();
    await endServer(this.#control);
    await rm(this.#folders.addresses, { force: true });
    this.#lock.release();
  }

  status(): CloudStatus {
    const lake = this.#lake;
    if (lake === undefined) throw new TypeError("the cloud is not started");
    const { objects, readings, rows } = lake.catalog.sums();
    const reasons = lake.catalog.rejects();
    const undeliveredBytes = this.#delivery.waitingBytes;
    return {
      stream: this.#settings.stream,
      kinesisPid: this.#stream.pid,
      deliveredReadings: readings,
      rawObjects: objects,
      lakeReadings: rows,
      duplicates: readings - rows,
      rejects: Object.values(reasons).reduce((sum, lines) => sum + lines, 0),
      rejectReasons: reasons,
      epochs: lake.catalog.arrivals(),
      lag: { undeliveredBytes, none: undeliveredBytes === 0 && !lake.isBehind },
    };
  }
}
