/**
 * What differs between the stages, and nothing else: what they share stands in the stacks. Names of the stream, the
 * database and the tables are the same in every stage, so stages live in accounts or regions of their own.
 */

import { Fault } from "../agent/errors.ts";

export const STAGES = ["dev", "prod"] as const;
export type Stage = (typeof STAGES)[number];

/** How long a gateway may use the credentials it got for its certificate, seconds; it renews them before. */
export const CREDENTIAL_SECONDS = 3600;

/** One shard takes 1 MB/s or 1 000 records/s; on demand scales by itself and costs more at rest. */
export type StreamCapacity = { mode: "provisioned"; shards: number } | { mode: "on-demand" };

export interface StageSettings {
  stage: Stage;
  region: string;
  /** Put in front of an article's anchor in every alarm: a path in the repository, or a URL (`-c runbook=https://…`). */
  runbook: string;
  stream: {
    capacity: StreamCapacity;
    /** How long the stream keeps a record that nobody fetched, hours, 24 to 8760. */
    retentionHours: number;
  };
  raw: {
    /** Raw objects move to a colder, still instantly readable class, days. They never expire: a day is recomputed from them. */
    coldAfterDays: number;
  };
  lake: {
    /** How long an overwritten or deleted object can still be brought back, days; not what expires by itself. */
    undeleteDays: number;
    /** How long results of queries are kept, days. */
    resultsDays: number;
  };
  delivery: {
    /** Firehose writes an object after this many seconds, 60 to 900 … */
    intervalSeconds: number;
    /** … or this many MiB before compression, 1 to 128. */
    sizeMiB: number;
  };
  curation: {
    /** When the job runs, AWS cron in UTC; started by hand at any time besides. */
    schedule: string;
    /** The job's success is awaited within this many hours, 1 to 24. */
    awaitedHours: number;
    /** G.1X, of which one leads and the others have four cores each. */
    workers: number;
    timeoutMinutes: number;
    /**
     * Readings a second of all gateways together that the job keeps up with: each run makes today anew as a whole, so the
     * day's last run has 86 400 times as many before it, and shall need half its timeout. A core is reckoned to make
     * 4 000 readings a second; Spark 3.5 made 7 000 a second of CPU time, its start aside, and Glue was not measured. For
     * more, raise the workers, or run less often and for longer; job-failed and job-late tell when it is too little.
     */
    keepsUpWith: number;
  };
  /** When the crawler looks for new raw hours, AWS cron in UTC. It bills ten minutes a run. */
  crawlSchedule: string;
  queries: {
    /** A query that would scan more is cut off, bytes, at least 10 MB. */
    scanCutoffBytes: number;
    /** All queries of a day together raise an alarm beyond this, bytes. */
    dailyScanBytes: number;
  };
  alarms: {
    /** Who is told, besides subscribers added by hand. */
    emails: readonly string[];
    /** The farm counts as silent when nothing came for this many minutes, a multiple of 5. */
    silentMinutes: number;
    /** Oldest record not yet fetched from the stream, minutes. */
    iteratorAgeMinutes: number;
    /** Oldest record fetched and not yet written as an object, minutes. */
    freshnessMinutes: number;
  };
  /** How long CloudWatch keeps logs, days; one of the values CloudWatch knows. */
  logDays: 7 | 30 | 90 | 365;
}

const GB = 1_000_000_000;

const SETTINGS: Readonly<Record<Stage, StageSettings>> = {
  dev: {
    stage: "dev",
    region: "us-east-1",
    runbook: "deploy/RUNBOOK.md",
    stream: { capacity: { mode: "provisioned", shards: 1 }, retentionHours: 24 },
    raw: { coldAfterDays: 30 },
    lake: { undeleteDays: 7, resultsDays: 7 },
    delivery: { intervalSeconds: 60, sizeMiB: 64 },
    curation: {
      schedule: "cron(20 0/6 * * ? *)",
      awaitedHours: 13,
      workers: 2,
      timeoutMinutes: 60,
      keepsUpWith: 300,
    },
    crawlSchedule: "cron(50 5 * * ? *)",
    queries: { scanCutoffBytes: GB, dailyScanBytes: 20 * GB },
    alarms: { emails: [], silentMinutes: 60, iteratorAgeMinutes: 30, freshnessMinutes: 15 },
    logDays: 7,
  },
  prod: {
    stage: "prod",
    region: "us-east-1",
    runbook: "deploy/RUNBOOK.md",
    // Two shards take some 9 000 aggregated readings a second, ten times what the job keeps up with day by day: that is
    // the room for backlogs after an outage. A week's retention outlives a long weekend.
    stream: { capacity: { mode: "provisioned", shards: 2 }, retentionHours: 168 },
    raw: { coldAfterDays: 90 },
    lake: { undeleteDays: 30, resultsDays: 30 },
    delivery: { intervalSeconds: 300, sizeMiB: 128 },
    curation: {
      schedule: "cron(20 * * * ? *)",
      awaitedHours: 3,
      workers: 4,
      timeoutMinutes: 55,
      keepsUpWith: 900,
    },
    crawlSchedule: "cron(50 1 * * ? *)",
    queries: { scanCutoffBytes: 10 * GB, dailyScanBytes: 500 * GB },
    alarms: { emails: [], silentMinutes: 15, iteratorAgeMinutes: 30, freshnessMinutes: 15 },
    logDays: 90,
  },
};

export function isStage(name: string): name is Stage {
  return STAGES.some((stage) => stage === name);
}

/** The settings of a stage. Throws a Fault for a stage there isn't. */
export function settingsOf(name: string): StageSettings {
  if (isStage(name)) return SETTINGS[name];
  throw new Fault("cloud.stage", `there is no stage "${name}"`, {
    hint: `Choose one of ${STAGES.join(", ")}, e.g. -c stage=${STAGES[0]}.`,
    exitCode: 2,
  });
}

/** An alarm's description holds 1 024 characters, of which the sentence before the address takes up to half. */
const RUNBOOK_LENGTH = 512;

/** `settings` with the runbook at `address`, where people who got an alarm can open it. Throws a Fault unless it is https. */
export function withRunbook(settings: StageSettings, address: unknown): StageSettings {
  if (typeof address === "string" && isPage(address)) return { ...settings, runbook: address };
  throw new Fault("cloud.runbook", `"${String(address)}" can't be the runbook's address`, {
    hint: `Give the https URL of the page, without user, password or #, at most ${RUNBOOK_LENGTH} characters: -c runbook=https://wiki.example.com/windfarm/RUNBOOK.md.`,
    exitCode: 2,
  });
}

/** Whether an anchor can be put behind it, and the whole into a mail as a link. */
function isPage(address: string): boolean {
  if (!/^https:\/\/[^\s#"<>]+$/.test(address) || address.length > RUNBOOK_LENGTH || !URL.canParse(address))
    return false;
  const { username, password } = new URL(address);
  return username === "" && password === "";
}

/** The stacks' names; `provision` finds a stage's outputs by them. */
export function stackNames(stage: Stage): { data: string; pipeline: string } {
  return { data: `windfarm-${stage}-data`, pipeline: `windfarm-${stage}-pipeline` };
}

/** The workgroup that analysts ask in. */
export const WORKGROUP = "windfarm";

/** Names of the pipeline stack's outputs that a gateway's configuration needs. */
export const GATEWAY_OUTPUTS = {
  stream: "StreamName",
  region: "Region",
  roleAlias: "GatewayRoleAlias",
  policy: "GatewayPolicy",
} as const;
