/** What whoever deploys may choose on the command line, `-c <choice>=<value>`, and what each choice must look like. */

import { Fault } from "../agent/errors.ts";
import { FARM_NAME, FARM_NAME_LENGTH } from "./names.ts";

export const CHOICES = ["name", "region", "email", "runbook"] as const;
export type Choice = (typeof CHOICES)[number];
/** As they came from the command line; undefined keeps what the stage has. */
export type Choices = Readonly<Partial<Record<Choice, unknown>>>;

/** An alarm's description holds 1 024 characters, of which the sentence before the address takes up to half. */
const RUNBOOK_LENGTH = 512;
const REGION = /^[a-z]{2}(-[a-z]+)+-[1-9]$/;
const EMAIL = /^[^\s@,<>"]+@[^\s@,<>"]+\.[^\s@,<>"]+$/;

const RULES: Readonly<Record<Choice, { fits(text: string): boolean; what: string; hint: string }>> = {
  name: {
    fits: (text) => FARM_NAME.test(text) && text.length <= FARM_NAME_LENGTH,
    what: "a farm's name",
    hint: `Give lower-case letters, digits and single hyphens, a letter first, at most ${FARM_NAME_LENGTH}: -c name=north-shore.`,
  },
  region: {
    fits: (text) => REGION.test(text),
    what: "a region",
    hint: "Give it as AWS writes it: -c region=eu-central-1.",
  },
  email: {
    fits: (text) => text.split(",").every((address) => EMAIL.test(address.trim())),
    what: "an address that alarms can be mailed to",
    hint: "Give one, or several with commas between them: -c email=ops@example.com,me@example.com.",
  },
  runbook: {
    fits: isPage,
    what: "the runbook's address",
    hint: `Give the https URL of the page, without user, password or #, at most ${RUNBOOK_LENGTH} characters: -c runbook=https://wiki.example.com/windfarm/RUNBOOK.md.`,
  },
};

export interface Chosen {
  name?: string;
  region?: string;
  runbook?: string;
  emails?: string[];
}

/** What was chosen, and nothing else. Throws a Fault for a value that can't be what it is given as. */
export function readChoices(choices: Choices): Chosen {
  const chosen: Chosen = {};
  for (const choice of CHOICES) {
    const text = fitting(choice, choices[choice]);
    if (text === undefined) continue;
    if (choice === "email") chosen.emails = text.split(",").map((address) => address.trim());
    else chosen[choice] = text;
  }
  return chosen;
}

function fitting(choice: Choice, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const { fits, what, hint } = RULES[choice];
  if (typeof value === "string" && fits(value)) return value;
  throw new Fault(`cloud.${choice}`, `"${String(value)}" can't be ${what}`, { hint, exitCode: 2 });
}

/** Whether an anchor can be put behind it, and the whole into a mail as a link. */
function isPage(address: string): boolean {
  if (!/^https:\/\/[^\s#"<>]+$/.test(address) || address.length > RUNBOOK_LENGTH || !URL.canParse(address))
    return false;
  const { username, password } = new URL(address);
  return username === "" && password === "";
}
