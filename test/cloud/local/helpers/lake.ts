/** A lake of its own over raw objects a test writes. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import pino from "pino";
import { Lake } from "../../../../cloud/local/lake.ts";
import { queryLake } from "../../../../cloud/local/lake-reader.ts";
import { RawStore } from "../../../../cloud/local/raw-store.ts";

export const silent = pino({ level: "silent" });

export interface Refreshed {
  /** Of the table; the readings delivered, with duplicates; the raw objects. */
  rows: number;
  readings: number;
  objects: number;
  /** Lines that are neither readings nor states, by reason. */
  rejects: Record<string, number>;
}

export interface LakeFolder {
  raw: string;
  lake: string;
  /** Writes a raw object; text is gzipped, bytes are written as they are. */
  put(object: string, body: string | Buffer): void;
  /** Brings the table up to date with a lake that is started and stopped for it; what it then has. */
  refresh(): Promise<Refreshed>;
  rows(sql: string): Promise<unknown[][]>;
}

export function lakeFolder(data: string): LakeFolder {
  const folders = { raw: join(data, "raw"), lake: join(data, "lake") };
  return {
    ...folders,
    put(object, body) {
      const path = join(folders.raw, object);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof body === "string" ? gzipSync(body) : body);
    },
    async refresh() {
      const lake = new Lake({ root: folders.lake, threads: 1 }, new RawStore(folders.raw), silent);
      await lake.start();
      await lake.refresh();
      const sums = lake.catalog.sums();
      const rejects = lake.catalog.rejects();
      await lake.stop();
      return { ...sums, rejects };
    },
    async rows(sql) {
      return (await queryLake(folders.lake, sql)).rows;
    },
  };
}

/** The name of a raw object that arrived in an hour of 2026-11-22. */
export function objectName(hour: number, name: string): string {
  return `readings/dt=2026-11-22/hr=${String(hour).padStart(2, "0")}/${name}.gz`;
}
