/**
 * The form of the users file, as text: read with every problem in it, and changed one user at a time so that the rest,
 * comments included, stays as its owner wrote it.
 */

import { type Document, isMap, isSeq, LineCounter, type Node, parseDocument, YAMLMap, YAMLSeq } from "yaml";
import { z } from "zod";
import { isFilter } from "./filters.ts";
import { HASHED, isUsableHash } from "./passwords.ts";

export interface User {
  name: string;
  password?: string | undefined;
  publish: readonly string[];
  subscribe: readonly string[];
}

/** A problem and its place in the file; both count from 1. */
export interface UsersFileProblem {
  line: number;
  column: number;
  message: string;
  hint?: string;
}

export interface ReadUsers {
  /** Those there are; none where the file has problems. */
  users: User[];
  problems: UsersFileProblem[];
}

const ADD = "windfarm user add writes entries of the right form";
const HASH_HINT =
  "windfarm user add makes it; of mosquitto_passwd's hashes those that begin with $7$ are taken";

/** Texts with what to try after a line break, as `problemOf` takes them apart. */
const text = (what: string) =>
  z.string({
    error: ({ input }) => (input === undefined ? `${what} is missing\n${ADD}` : notText(what, input)),
  });

function notText(what: string, input: unknown): string {
  const scalar = typeof input === "number" || typeof input === "boolean";
  return `${what} is not a text\n${scalar ? `put it in quotes: "${input}"` : ADD}`;
}

const topics = (key: string) =>
  z
    .array(
      text("a topic filter").refine(isFilter, {
        error: ({ input }) =>
          `${JSON.stringify(input)} is no topic filter\n+ stands for a whole level, # for all that follow, at the end`,
      }),
      { error: `${key} is a list\nwrite ${key}: [windfarm/T07/+]` },
    )
    .default([]);

const usersSchema = z.strictObject(
  {
    users: z.array(
      z.strictObject(
        {
          name: text("the name").refine(
            (name) => /^[^\p{Cc}\p{Cs}]+$/u.test(name),
            "the name is empty or has control characters",
          ),
          /** Absent: only by client certificate, whose common name is the user's name. */
          password: z
            // What stands there instead may be the password itself: it is never repeated.
            .string({ error: `the password is not a hash\n${HASH_HINT}` })
            .regex(HASHED, { error: `the password is not a hash\n${HASH_HINT}`, abort: true })
            .refine(
              isUsableHash,
              `the password's hash has a wrong length or too many iterations\n${HASH_HINT}`,
            )
            .optional(),
          publish: topics("publish"),
          subscribe: topics("subscribe"),
        },
        { error: unfit("a user is a section", "name, password, publish, subscribe") },
      ),
      { error: `users is a list\nwrite - name: … below it, one for each user` },
    ),
  },
  { error: unfit("the file has no users", "users") },
);

/** What zod says of an object: a key too many, or no object at all. */
function unfit(message: string, known: string): z.core.$ZodErrorMap {
  return (issue) =>
    issue.code === "unrecognized_keys"
      ? `${issue.keys.join(", ")} is not known here\nknown: ${known}`
      : `${message}\nwrite ${known}; ${ADD}`;
}

export function readUsersText(content: string): ReadUsers {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const [broken] = document.errors;
  if (broken !== undefined) {
    const message = `not YAML: ${broken.message.charAt(0).toLowerCase()}${broken.message.slice(1)}`;
    return { users: [], problems: [{ ...placeOf(broken.pos[0]), message }] };
  }
  const parsed = usersSchema.safeParse(document.toJS());
  const problems = (parsed.error?.issues ?? []).map((issue) => ({
    ...placeOf(offsetOf(document, issue)),
    ...problemOf(issue.message),
  }));
  const users = parsed.data?.users ?? [];
  for (const [index, { name }] of users.entries()) {
    if (users.findIndex((user) => user.name === name) === index) continue;
    const offset = nodeAt(document, ["users", index, "name"])?.range?.[0] ?? 0;
    problems.push({ ...placeOf(offset), message: `a second user ${name}`, hint: "keep one of them" });
  }
  return problems.length === 0 ? { users, problems } : { users: [], problems };
}

function problemOf(said: string): { message: string; hint?: string } {
  const [message = "", hint] = said.split("\n");
  return hint === undefined ? { message } : { message, hint };
}

/** Where the value stands that an issue is about, or the lowest section above what is missing. */
function offsetOf(document: Document.Parsed, { path, ...issue }: z.core.$ZodIssue): number {
  const steps = path.map((step) => (typeof step === "symbol" ? String(step) : step));
  if (issue.code === "unrecognized_keys") {
    const map = nodeAt(document, steps);
    const pair = isMap(map) ? map.items.find(({ key }) => issue.keys.includes(String(key))) : undefined;
    return (pair?.key as Node | undefined)?.range?.[0] ?? 0;
  }
  for (let length = steps.length; length >= 0; length--) {
    const offset = nodeAt(document, steps.slice(0, length))?.range?.[0];
    if (offset !== undefined) return offset;
  }
  return 0;
}

function nodeAt(document: Document, path: readonly (string | number)[]): Node | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return (node ?? undefined) as Node | undefined;
}

const HEAD = ` Users of windfarm's embedded broker: mqtt.users_file in agent.config.yaml names this file, docs/users.md explains it.
 The agent reads it when it starts, and again when it changes.`;

/** What of a user is to be: lists that are absent stay as they are, and are empty for a new user. */
export interface UserChange {
  name: string;
  /** Null for a user that has none and comes with a certificate. */
  passwordHash: string | null;
  publish?: readonly string[] | undefined;
  subscribe?: readonly string[] | undefined;
}

/** The text of a sound users file, undefined for none yet, with this user in it. */
export function withUser(content: string | undefined, change: UserChange): string {
  const document = documentOf(content);
  const users = listIn(document);
  let user = users.items.find((item) => isNamed(item, change.name));
  const isNew = user === undefined;
  if (!isMap(user)) {
    user = new YAMLMap();
    user.set("name", change.name);
    users.add(user);
  }
  if (change.passwordHash === null) user.delete("password");
  else user.set("password", change.passwordHash);
  for (const key of ["publish", "subscribe"] as const) {
    const filters = change[key] ?? (isNew ? [] : undefined);
    if (filters === undefined) continue;
    const list = document.createNode(filters);
    list.flow = true;
    user.set(key, list);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** The same without the user `name`; undefined where there is none. */
export function withoutUser(content: string, name: string): string | undefined {
  const document = documentOf(content);
  const users = listIn(document);
  const index = users.items.findIndex((item) => isNamed(item, name));
  if (index < 0) return undefined;
  users.delete(index);
  if (users.items.length === 0) users.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function documentOf(content: string | undefined): Document {
  const document = parseDocument(content === undefined || content.trim() === "" ? "users: []\n" : content);
  if (content === undefined) document.commentBefore = HEAD;
  return document;
}

function listIn(document: Document): YAMLSeq {
  const found = document.get("users");
  const users = isSeq(found) ? found : new YAMLSeq();
  users.flow = false;
  document.set("users", users);
  return users;
}

function isNamed(item: unknown, name: string): item is YAMLMap {
  return isMap(item) && item.get("name") === name;
}
