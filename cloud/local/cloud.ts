/**
 * The cloud in a box: the same path as the real one, from parts that others keep well.
 *
 *   producers ─▶ Stream (Kinesis) ─▶ Delivery (Firehose) ─▶ RawStore (S3) ─▶ Lake (Glue, Data Catalog) ─▶ query (Athena)
 *
 * What it accepts it keeps, also when it is killed: the stream's journal is fsync'd before the answer, a raw object
 * before the journal forgets, and index and table are made from the raw objects.
 */

import { mkdir, rm } from "node:fs/promises";
import type { Logger } from "pino";
import { Control } from "./control.ts";
import { writeDurably } from "./durable-files.ts";
import { FolderLock } from "./folder-lock.ts";
import { Lake } from "./lake.ts";
import { cloudFolders } from "./places.ts";
import type { Range } from "./range-set.ts";
import { RawStore } from "./raw-store.ts";
import { Stream } from "./stream.ts";

export interface CloudSettings {
  /** Everything is kept below it. */
  data: string;
  /** Of the Kinesis endpoint; 0 lets the system choose. */
  port: number;
  controlPort: number;
  stream: string;
  region: string;
  shards: number;
  /** The delivery's buffer: longest wait, ms, and bytes. */
  intervalMs: number;
  maxBytes: number;
  threads?: number;
  /** Bytes a kinesis-local takes before it is replaced by a fresh one. */
  lifeBytes?: number;
}

/** What `GET /_local/status` answers. */
export interface CloudStatus {
  stream: string;
  /** The process id of kinesis-local. */
  kinesisPid: number;
  /** Lines of raw objects that are readings, duplicates among them. */
  deliveredReadings: number;
  rawObjects: number;
  /** Rows of the table. */
  lakeReadings: number;
  /** Delivered readings the table has already. */
  duplicates: number;
  /** Lines of raw objects that are no readings, in all and by reason. */
  rejects: number;
  rejectReasons: Record<string, number>;
  /** What arrived of each gateway's epochs; nothing is missing where distinct = maxSeq. */
  epochs: { gateway: string; epoch: string; maxSeq: number; distinct: number; gaps: readonly Range[] }[];
  lag: {
    /** Bytes accepted by the stream and not yet in a raw object. */
    undeliveredBytes: number;
    /** Readings in raw objects that the table was not made from yet. */
    uncuratedReadings: number;
    /** True where the table has everything the stream accepted. */
    none: boolean;
  };
}

/** Gaps of an epoch told at most. */
const GAPS_TOLD = 20;

export class LocalCloud {
  readonly #settings: CloudSettings;
  readonly #log: Logger;
  readonly #lock: FolderLock;
  readonly #lake: Lake;
  readonly #stream: Stream;
  readonly #control: Control;
  /** Set by `start()`. */
  port = 0;
  controlPort = 0;

  constructor(settings: CloudSettings, log: Logger) {
    const folders = cloudFolders(settings.data);
    const raw = new RawStore(folders.raw);
    const { threads, lifeBytes } = settings;
    this.#settings = settings;
    this.#log = log;
    this.#lock = new FolderLock(settings.data);
    this.#lake = new Lake({ root: folders.lake, ...(threads === undefined ? {} : { threads }) }, raw, log);
    this.#stream = new Stream(
      settings,
      folders.kinesis,
      raw,
      log,
      (object) => this.#lake.add(object),
      lifeBytes,
    );
    this.#control = new Control({ status: () => this.status(), flush: () => this.flush() }, log);
  }

  async start(): Promise<void> {
    const { data, port, controlPort, stream, region } = this.#settings;
    this.#lock.take();
    await mkdir(cloudFolders(data).raw, { recursive: true });
    await this.#lake.start();
    this.port = await this.#stream.start(port);
    this.controlPort = await this.#control.start(controlPort);
    await this.#lake.refresh();
    const addresses = { pid: process.pid, port: this.port, controlPort: this.controlPort, stream, region };
    await writeDurably(cloudFolders(data).addresses, `${JSON.stringify(addresses)}\n`);
    this.#log.info(addresses, "the local cloud is ready");
  }

  /** Delivers and curates now; resolves when everything the stream accepted before the call is in the table. */
  async flush(): Promise<CloudStatus> {
    await this.#stream.drain();
    await this.#lake.refresh();
    return this.status();
  }

  /** Takes no more, delivers, curates, ends. */
  async stop(): Promise<void> {
    await this.#stream.stop();
    await this.#lake.refresh();
    await this.#lake.stop();
    await this.#control.stop();
    await rm(cloudFolders(this.#settings.data).addresses, { force: true });
    this.#lock.release();
  }

  status(): CloudStatus {
    const { index, rows, curatedReadings, isBehind } = this.#lake;
    const rejects = [...index.rejects.values()].reduce((sum, lines) => sum + lines, 0);
    return {
      stream: this.#settings.stream,
      kinesisPid: this.#stream.pid,
      deliveredReadings: index.readings,
      rawObjects: index.objects,
      lakeReadings: rows,
      duplicates: curatedReadings - rows,
      rejects,
      rejectReasons: Object.fromEntries(index.rejects),
      epochs: [...index.epochs()].map(({ gateway, epoch, seqs }) => ({
        gateway,
        epoch,
        maxSeq: seqs.max,
        distinct: seqs.size,
        gaps: seqs.gaps().slice(0, GAPS_TOLD),
      })),
      lag: {
        undeliveredBytes: this.#stream.waitingBytes,
        uncuratedReadings: index.readings - curatedReadings,
        none: this.#stream.isDrained && !isBehind,
      },
    };
  }
}
