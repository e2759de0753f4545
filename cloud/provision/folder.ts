/**
 * The folder that goes onto a gateway: its configuration, its certificate, its private key.
 *
 * `gateway.json` is written last and says whose certificate lies here; without it the folder counts as empty, so a
 * run that was cut off starts over instead of trusting half a folder.
 */

import { access, chmod, constants, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolders } from "../../agent/common/folders.ts";
import { parseJson } from "../../agent/common/json.ts";
import { codeOf, Fault, messageOf } from "../../agent/errors.ts";
import type { NewCertificate } from "./registry.ts";

export const FILES = {
  config: "agent.config.yaml",
  certificate: "certificate.pem",
  privateKey: "private.key",
  identity: "gateway.json",
} as const;

const Identity = z.object({
  gateway: z.string(),
  stage: z.string(),
  /** Name and stage of the farm, e.g. `windfarm-dev`. */
  farm: z.string(),
  certificateId: z.string(),
  certificateArn: z.string(),
  /** Where the private key is: in the folder, or on the gateway that made the request. */
  key: z.enum(["folder", "gateway"]),
});
export type Identity = z.infer<typeof Identity>;

const PRIVATE = 0o600;
const PUBLIC = 0o644;
const FOLDER = 0o700;

export class GatewayFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Whose certificate and key lie here, or undefined. Throws a Fault where it can't be read. */
  async identity(): Promise<Identity | undefined> {
    const text = await this.#read(FILES.identity);
    const hasKey = (await this.#read(FILES.privateKey)) !== undefined;
    const hasCertificate = (await this.certificate()) !== undefined;
    if (text === undefined || !hasCertificate) return undefined;
    const parsed = Identity.safeParse(parseJson(text));
    if (parsed.success) return hasKey === (parsed.data.key === "folder") ? parsed.data : undefined;
    throw new Fault(
      "provision.folder",
      `${join(this.path, FILES.identity)} does not say whose folder this is`,
      {
        hint: "Choose another folder with --out, or remove the file to start over in this one.",
      },
    );
  }

  /** PEM, or undefined. */
  async certificate(): Promise<string | undefined> {
    return await this.#read(FILES.certificate);
  }

  async hasConfig(): Promise<boolean> {
    return (await this.#read(FILES.config)) !== undefined;
  }

  /** Throws a Fault where the folder can't be made or written, before anything depends on it. */
  async prepare(): Promise<void> {
    try {
      makeFolders(this.path, FOLDER);
      await access(this.path, constants.W_OK);
    } catch (error) {
      throw this.#fault("write", "", error);
    }
  }

  async writeIdentity(identity: Identity, { privateKey, certificate }: NewCertificate): Promise<void> {
    // Until the new one is whole, the folder says nobody's.
    await this.#remove(FILES.identity);
    if (privateKey === undefined) await this.#remove(FILES.privateKey);
    else await this.#write(FILES.privateKey, privateKey, PRIVATE);
    await this.#write(FILES.certificate, certificate, PUBLIC);
    await this.#write(FILES.identity, `${JSON.stringify(identity, undefined, 2)}\n`, PUBLIC);
  }

  async writeConfig(text: string): Promise<void> {
    await this.prepare();
    await this.#write(FILES.config, text, PUBLIC);
  }

  async #read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.path, name), "utf8");
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw this.#fault("read", name, error);
    }
  }

  async #remove(name: string): Promise<void> {
    try {
      await rm(join(this.path, name), { force: true });
    } catch (error) {
      throw this.#fault("remove", name, error);
    }
  }

  /** Whole or not at all, on the disk, and never for a moment with wider rights. */
  async #write(name: string, text: string, mode: number): Promise<void> {
    const target = join(this.path, name);
    try {
      const file = await open(`${target}.new`, "w", mode);
      try {
        await file.chmod(mode);
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${target}.new`, target);
      await chmod(target, mode);
    } catch (error) {
      throw this.#fault("write", name, error);
    }
  }

  #fault(verb: string, name: string, error: unknown): Fault {
    return new Fault("provision.folder", `can't ${verb} ${join(this.path, name)}: ${messageOf(error)}`, {
      hint: "Choose a folder of your own with --out.",
      cause: error,
    });
  }
}
