/** What is inside the package besides our own code: the licences Debian's copyright file quotes, and a list of parts (SPDX). */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../../agent/errors.ts";

/** A package that is bundled, whole or in part. */
export interface Part {
  name: string;
  version: string;
  licence: string;
  /** Its licence's text, or undefined where its authors left it out. */
  text: string | undefined;
}

const Metafile = z.object({ inputs: z.record(z.string(), z.unknown()) });
const Licence = z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]);
const Package = z.object({ name: z.string(), version: z.string(), license: Licence.optional() });

/** From `node_modules/a/node_modules/b/lib/c.js` the folder of `b`. */
const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/** Every package of which esbuild took a file, by name; `metafile` as deploy/build.mjs wrote it. */
export function bundledParts(root: string, metafile: string): Part[] {
  const { inputs } = Metafile.parse(JSON.parse(readFileSync(metafile, "utf8")));
  const folders = new Set(Object.keys(inputs).flatMap((file) => PACKAGE_FOLDER.exec(file)?.[0] ?? []));
  const parts = new Map<string, Part>();
  for (const folder of folders) {
    const part = partIn(join(root, folder));
    parts.set(`${part.name}@${part.version}`, part);
  }
  return [...parts.values()].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

export function partIn(folder: string): Part {
  const { name, version, license } = Package.parse(
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8")),
  );
  const file = readdirSync(folder).find((one) => /^licen[cs]e|^copying/i.test(one));
  const text = file === undefined ? undefined : readFileSync(join(folder, file), "utf8").trim();
  if (license !== undefined) return { name, version, licence: license, text };
  // A few old packages say it in their licence's text only.
  if (text !== undefined && /permission is hereby granted, free of charge/i.test(text))
    return { name, version, licence: "MIT", text };
  throw new Fault("deb.licence", `${name} ${version} does not say under which licence it is`, {
    hint: "find out before you give it to anybody",
  });
}

function nameOf({ name, version }: Part): string {
  return `${name} ${version}`;
}

/** `/usr/share/doc/windfarm/copyright`: ours first, then each part's. */
export function copyrightText(ours: string, parts: readonly Part[]): string {
  const heads = parts.map((part) => {
    const text = part.text ?? `Its authors give no text; see https://spdx.org/licenses/${part.licence}.html`;
    return `${"─".repeat(78)}\n${nameOf(part)}, ${part.licence}\n\n${text}\n`;
  });
  const count = `windfarm contains ${parts.length} packages of others, each under its own licence:\n`;
  return [`windfarm\n\n${ours.trim()}\n`, count, ...heads].join("\n");
}

export interface Described {
  version: string;
  arch: string;
  /** Seconds since 1970, of the commit. */
  epoch: number;
}

/** SPDX 2.3 as JSON; the same parts give the same bytes. */
export function sbomText(parts: readonly Part[], { version, arch, epoch }: Described): string {
  const id = (part: Part) => `SPDXRef-${part.name.replace(/[^a-zA-Z0-9.]+/g, "-")}-${part.version}`;
  const digest = createHash("sha256")
    .update(JSON.stringify(parts.map(nameOf)))
    .digest("hex")
    .slice(0, 16);
  const own = { name: "windfarm", version, licence: "MIT", text: undefined };
  const packages = [own, ...parts].map((part) => ({
    SPDXID: id(part),
    name: part.name,
    versionInfo: part.version,
    licenseConcluded: "NOASSERTION",
    licenseDeclared: part.licence,
    copyrightText: "NOASSERTION",
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    ...(part === own ? {} : { externalRefs: [purl(part)] }),
  }));
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `windfarm_${version}_${arch}`,
    documentNamespace: `urn:windfarm:${version}:${arch}:${digest}`,
    creationInfo: {
      created: new Date(epoch * 1000).toISOString().replace(".000", ""),
      creators: [`Tool: windfarm-deb-${version}`],
    },
    packages,
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: id(own) },
      ...parts.map((part) => ({
        spdxElementId: id(own),
        relationshipType: "CONTAINS",
        relatedSpdxElement: id(part),
      })),
    ],
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

function purl({ name, version }: Part): object {
  const locator = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: locator };
}

/** Node.js as a part; its licence file names what it is made of itself. */
export function nodePart(folder: string, version: string): Part {
  const file = join(folder, "LICENSE");
  if (!existsSync(file))
    throw new Fault("deb.licence", `${folder} has no LICENSE`, { hint: "remove the folder" });
  return { name: "node", version, licence: "MIT", text: readFileSync(file, "utf8").trim() };
}
