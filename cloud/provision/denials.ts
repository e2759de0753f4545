/**
 * The policy of the gateways' role that shuts out certificates which were taken back. AWS IoT gives such a certificate no
 * new credentials, but those it got before live on for up to an hour; a Deny on the certificate's id ends them within
 * the seconds IAM takes to spread it. Once they would have ended by themselves the entry has no more use and is removed,
 * for a role's policies have little room. The stack makes the policy with an entry that fits no certificate.
 *
 * Each write is the whole policy: of two people who revoke in the same moment, the later may undo the earlier's entry, and
 * that certificate's credentials end by themselves within the hour.
 */

import { GetRolePolicyCommand, type IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { z } from "zod";
import { parseJson } from "../../agent/common/json.ts";
import { Fault } from "../../agent/errors.ts";
import { CREDENTIAL_SECONDS, DENIALS_POLICY, NOBODY_DENIED } from "../settings.ts";

const KEY = "credentials-iot:AwsCertificateId";
/** All inline policies of a role together have 10 240 characters. */
const MAX_CHARACTERS = 8_000;
/** Clocks differ; an entry stays this much longer than credentials last, ms. */
const SLACK_MS = 5 * 60_000;
const UNTIL = /^Until(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

const Denial = z.object({
  Sid: z.string().regex(UNTIL),
  Condition: z.object({ StringEquals: z.object({ [KEY]: z.union([z.string(), z.string().array()]) }) }),
});
const Document = z.object({ Statement: z.array(z.looseObject({ Sid: z.string().optional() })) });

interface Entry {
  sid: string;
  certificates: string[];
}

export class Denials {
  readonly #client: IAMClient;
  readonly #role: string;
  readonly #now: () => number;
  #entries: Entry[] = [];
  /** What somebody else wrote into the policy. */
  #others: object[] = [];
  #stale = false;
  /** One write after another: each is the whole policy. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(client: IAMClient, role: string, now: () => number) {
    this.#client = client;
    this.#role = role;
    this.#now = now;
  }

  static async read(client: IAMClient, role: string, now: () => number): Promise<Denials> {
    const denials = new Denials(client, role, now);
    await denials.#read();
    return denials;
  }

  /** Throws a Fault unless so many more certificates find room. */
  mustHold(more: number): void {
    const ids = Array.from({ length: more }, () => "0".repeat(64));
    if (JSON.stringify(this.#document(ids)).length <= MAX_CHARACTERS) return;
    const each = 67;
    const room = Math.floor(
      (MAX_CHARACTERS - JSON.stringify(this.#document(["0".repeat(64)])).length) / each,
    );
    throw new Fault(
      "provision.no_room",
      `${more} certificates are to be shut out at once, and the policy of ${this.#role} has room for ${Math.max(0, room)} more`,
      {
        hint: "Revoke fewer at once; there is room again when credentials have ended, an hour later. To take down a whole farm, destroy its pipeline stack first: without the role nothing has to be shut out.",
      },
    );
  }

  has(certificateId: string): boolean {
    return this.#entries.some(({ certificates }) => certificates.includes(certificateId));
  }

  /** Shuts out a certificate from now on. */
  async add(certificateId: string): Promise<void> {
    const sid = sidOf(this.#now() + CREDENTIAL_SECONDS * 1000 + SLACK_MS);
    this.#entries.push({ sid, certificates: [certificateId] });
    await this.#write();
  }

  /** Removes what has no more use; true when there was any. */
  async tidy(): Promise<boolean> {
    if (!this.#stale) return false;
    await this.#write();
    return true;
  }

  async #read(): Promise<void> {
    const text = await this.#fetch();
    const parsed = Document.safeParse(text === undefined ? { Statement: [] } : parseJson(text));
    if (!parsed.success) {
      throw new Fault(
        "provision.denials",
        `the policy ${DENIALS_POLICY} of ${this.#role} is not what was written`,
        {
          hint: "Deploy the pipeline stack again, or remove the policy by hand.",
        },
      );
    }
    for (const statement of parsed.data.Statement) {
      const denial = Denial.safeParse(statement);
      if (denial.success) this.#keep(denial.data);
      else if (statement.Sid !== NOBODY_DENIED.Sid) this.#others.push(statement);
    }
  }

  #keep({ Sid: sid, Condition }: z.infer<typeof Denial>): void {
    const ids = Condition.StringEquals[KEY];
    if (endOf(sid) <= this.#now()) this.#stale = true;
    else this.#entries.push({ sid, certificates: typeof ids === "string" ? [ids] : ids });
  }

  async #fetch(): Promise<string | undefined> {
    try {
      const { PolicyDocument } = await this.#client.send(
        new GetRolePolicyCommand({ RoleName: this.#role, PolicyName: DENIALS_POLICY }),
      );
      return PolicyDocument === undefined ? undefined : decodeURIComponent(PolicyDocument);
    } catch (error) {
      if (error instanceof Error && error.name === "NoSuchEntityException") return undefined;
      throw error;
    }
  }

  async #write(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const PolicyDocument = JSON.stringify(this.#document());
      await this.#client.send(
        new PutRolePolicyCommand({ RoleName: this.#role, PolicyName: DENIALS_POLICY, PolicyDocument }),
      );
      this.#stale = false;
    });
    await this.#writing;
  }

  /** The whole policy, with an entry for `more` besides. */
  #document(more: readonly string[] = []): object {
    const bySid = new Map<string, string[]>(more.length > 0 ? [[sidOf(0), [...more]]] : []);
    for (const { sid, certificates } of this.#entries)
      bySid.set(sid, [...(bySid.get(sid) ?? []), ...certificates]);
    const denials = [...bySid].map(([Sid, ids]) => ({
      ...NOBODY_DENIED,
      Sid,
      Condition: { StringEquals: { [KEY]: ids } },
    }));
    return { Version: "2012-10-17", Statement: [NOBODY_DENIED, ...this.#others, ...denials] };
  }
}

/** To the minute, so that a list's certificates share an entry. */
function sidOf(ms: number): string {
  const minute = new Date(Math.ceil(ms / 60_000) * 60_000).toISOString();
  return `Until${minute.replaceAll(/[-:]|\.\d+/g, "")}`;
}

function endOf(sid: string): number {
  return Date.parse(sid.replace(UNTIL, "$1-$2-$3T$4:$5:$6Z"));
}
