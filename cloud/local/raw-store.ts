/** The raw bucket's place: a folder of objects that are written once, whole, and never changed. */

import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { codeOf } from "../../agent/errors.ts";
import { errorFolderAt, LAYOUT, type Layout, rawFolderAt, rawObjectName } from "../layout.ts";
import { writeDurably } from "./durable-files.ts";

const compress = promisify(gzip);

export class RawStore {
  /** Objects' keys are paths below it. */
  readonly root: string;
  readonly #layout: Layout;

  constructor(root: string, layout: Layout = LAYOUT) {
    this.root = root;
    this.#layout = layout;
  }

  /** The object's path on this machine. */
  path(object: string): string {
    return join(this.root, object);
  }

  /** Writes one object under its time of arrival; its key when it is durable. */
  async put(arrivedMs: number, body: Buffer): Promise<string> {
    const name = rawObjectName(arrivedMs, randomUUID(), this.#layout);
    const object = `${rawFolderAt(arrivedMs, this.#layout)}/${name}`;
    await writeDurably(this.path(object), await compress(body));
    return object;
  }

  /** Keeps records that could not be taken apart, in the form Firehose gives them. */
  async putFailed(arrivedMs: number, failed: readonly { data: Buffer; problem: string }[]): Promise<void> {
    const folder = errorFolderAt("processing-failed", arrivedMs, this.#layout);
    const lines = failed.map(({ data, problem }) =>
      JSON.stringify({
        attemptsMade: 1,
        arrivalTimestamp: arrivedMs,
        errorCode: "Deaggregation.Failed",
        errorMessage: problem,
        rawData: data.toString("base64"),
      }),
    );
    const name = rawObjectName(arrivedMs, randomUUID(), this.#layout);
    await writeDurably(this.path(`${folder}/${name}`), await compress(`${lines.join("\n")}\n`));
  }

  /** The keys of all raw objects, in order. */
  async list(): Promise<string[]> {
    const objects: string[] = [];
    let folders = [this.#layout.rawFolder];
    for (const { name } of this.#layout.rawPartitions) {
      const below = await Promise.all(folders.map((folder) => this.#names(folder, `${name}=`)));
      folders = below.flatMap((names, index) => names.map((found) => `${folders[index]}/${found}`));
    }
    for (const folder of folders) {
      const names = await this.#names(folder, "");
      for (const name of names) if (name.endsWith(".gz")) objects.push(`${folder}/${name}`);
    }
    return objects.sort();
  }

  async #names(folder: string, prefix: string): Promise<string[]> {
    try {
      return (await readdir(this.path(folder))).filter((name) => name.startsWith(prefix));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }
}
