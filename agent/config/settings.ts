/** The schema seen from outside: a JSON Schema for editors, and a list of all settings. */

import * as z from "zod";
import { FIELD_KINDS, type FieldKind } from "./fields.ts";
import { configSchema } from "./schema.ts";

export interface Setting {
  path: readonly string[];
  kind: FieldKind | "section" | "list";
  description: string;
  /** As one would write it; sections have none. */
  default?: string | readonly string[];
  required: boolean;
  /** A section that is absent unless it is written, instead of having defaults of its own. */
  optional: boolean;
}

type Json = z.core.JSONSchema.BaseSchema;

/** Every setting and section, in the order of the file. */
export function listSettings(): Setting[] {
  const settings: Setting[] = [];
  const visit = (json: Json, path: readonly string[], required: boolean): void => {
    if (path.length > 0) settings.push(toSetting(json, path, required));
    for (const [key, below] of Object.entries(json.properties ?? {})) {
      if (typeof below === "object") visit(below, [...path, key], json.required?.includes(key) ?? false);
    }
  };
  visit(schemaOfTexts(), [], true);
  return settings;
}

/** JSON Schema (draft 2020-12) of the file, for editors that complete and check while one types. */
export function configJsonSchema(): Json {
  return { title: "windfarm agent configuration", ...forEditors(schemaOfTexts()), type: "object" };
}

/** What zod says of the tree of texts, with the kinds of `fields.ts`. */
function schemaOfTexts(): Json {
  return z.toJSONSchema(configSchema(), {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodObject) jsonSchema.required = requiredKeys(zodSchema);
    },
  });
}

function requiredKeys(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape)
    .filter(([, field]) => !z.safeParse(field, undefined).success)
    .map(([key]) => key);
}

function toSetting(json: Json, path: readonly string[], required: boolean): Setting {
  const written = json.default;
  const optional = !required && written === undefined;
  const setting: Setting = {
    path,
    kind: kindOf(json),
    description: json.description ?? "",
    required,
    optional,
  };
  if (setting.kind === "section" || written === undefined) return setting;
  return { ...setting, default: Array.isArray(written) ? written.map(String) : String(written) };
}

const KINDS: ReadonlySet<unknown> = new Set(FIELD_KINDS);

function isKind(value: unknown): value is FieldKind {
  return KINDS.has(value);
}

function kindOf(json: Json): Setting["kind"] {
  if (json.properties !== undefined) return "section";
  return isKind(json.kind) ? json.kind : "list";
}

/** Stands in an editor's schema for `${ENV}`, which may take the place of any value. */
const PLACE = { type: "string", pattern: "\\$\\{" } as const;

/** The same schema for the file itself, where YAML has numbers and booleans of its own. */
function forEditors(json: Json): Json {
  if (json.properties !== undefined) {
    const below = Object.entries(json.properties).map(([key, value]) => [key, each(value)]);
    return { ...json, type: ["object", "null"], properties: Object.fromEntries(below) };
  }
  if (json.items !== undefined && !Array.isArray(json.items)) return { ...json, items: each(json.items) };
  const { kind, choices, type, minimum, maximum, pattern, ...rest } = json;
  if (kind === "integer" || kind === "number") {
    const written = rest.default === undefined ? {} : { default: Number(rest.default) };
    return { ...rest, ...written, anyOf: [{ type: kind, ...range(minimum, maximum) }, PLACE] };
  }
  if (kind === "flag")
    return { ...rest, default: rest.default === "true", anyOf: [{ type: "boolean" }, PLACE] };
  if (kind === "choice" && Array.isArray(choices)) return { ...rest, anyOf: [{ enum: choices }, PLACE] };
  if (pattern !== undefined) return { ...rest, anyOf: [{ type: ["string", "number"], pattern }, PLACE] };
  return { ...rest, type: ["string", "number"] };
}

function each(json: Json | boolean): Json | boolean {
  return typeof json === "object" ? forEditors(json) : json;
}

function range(minimum: number | undefined, maximum: number | undefined): Json {
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
}
