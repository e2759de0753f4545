/**
 * What differs between the stages, and nothing else: what they share stands in the stacks. Both stages of a farm have the
 * same names for the stream and the database (cloud/names.ts), so a stage is an account, a region or a name of its own.
 */

import { Fault } from "../agent/errors.ts";
import { type Choices, readChoices } from "./choices.ts";
import { DEFAULT_NAME, type FarmNames, namesOf, STAGES, type Stage } from "./names.ts";

/** How long a gateway may use the credentials it got for its certificate, seconds; it renews them before. */
export const CREDENTIAL_SECONDS = 3600;

/** The gateways' role's policy that `provision --revoke` writes entries into, and the entry that fits no certificate. */
export const DENIALS_POLICY = "revoked-certificates";
export const NOBODY_DENIED = {
  Sid: "Nobody",
  Effect: "Deny",
  Action: "*",
  Resource: "*",
  Condition: { StringEquals: { "credentials-iot:AwsCertificateId": ["none"] } },
} as const;

/** One shard takes 1 MB/s or 1 000 records/s; on demand scales by itself and costs more at rest. */
export type StreamCapacity = { mode: "provisioned"; shards: number } | { mode: "on-demand" };

export interface StageSettings {
  stage: Stage;
  /** What AWS wants unique, by the farm's name (`-c name=…`) and the stage. */
  names: FarmNames;
  region: string;
  /** Put in front of an article's anchor in every alarm: a path in the repository, or a URL (`-c runbook=https://…`). */
  runbook: string;
  stream: {
    capacity: StreamCapacity;
    /**
     * How long the stream keeps a record that nobody fetched, hours, 24 to 8760. Firehose tries for as long as that; what it
     * could not deliver until then is lost. 24 cost nothing more; any number up to 168 costs more than the shard itself.
     */
    retentionHours: number;
  };
  raw: {
    /** Raw objects move to a colder, still instantly readable class, days; those below 128 KB never do. None ever expires. */
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
    /** … or this many MiB, at most 16: gzip, which unpacks to ten times as much and can't be read in parts. */
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
     * Readings a second of all gateways together that the job keeps up with: what came since its last run shall need half
     * its timeout. A core is reckoned to load 4 000 readings a second; Spark 3.5 loaded 11 000 a second of CPU time, its
     * start aside, and Glue was not measured. For more, raise the workers, or run more often; lake-behind tells when it is
     * too little.
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
    /** Who is told, `-c email=…`, besides subscribers added by hand. */
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

const SETTINGS: Readonly<Record<Stage, Omit<StageSettings, "names">>> = {
  dev: {
    stage: "dev",
    region: "us-east-1",
    runbook: "deploy/RUNBOOK.md",
    stream: { capacity: { mode: "provisioned", shards: 1 }, retentionHours: 24 },
    raw: { coldAfterDays: 30 },
    lake: { undeleteDays: 7, resultsDays: 7 },
    delivery: { intervalSeconds: 60, sizeMiB: 16 },
    curation: {
      schedule: "cron(20 0/6 * * ? *)",
      awaitedHours: 13,
      workers: 2,
      timeoutMinutes: 60,
      keepsUpWith: 1_000,
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
    // Two shards take 2 MB/s, some 100 000 readings a second as gzip: ten times what the job keeps up with, which is the room
    // for backlogs after an outage. A week's retention outlives a long weekend, and costs more than the shards.
    stream: { capacity: { mode: "provisioned", shards: 2 }, retentionHours: 168 },
    raw: { coldAfterDays: 90 },
    lake: { undeleteDays: 30, resultsDays: 30 },
    delivery: { intervalSeconds: 300, sizeMiB: 16 },
    curation: {
      schedule: "cron(20 * * * ? *)",
      awaitedHours: 3,
      workers: 4,
      timeoutMinutes: 55,
      keepsUpWith: 10_000,
    },
    crawlSchedule: "cron(50 1 * * ? *)",
    queries: { scanCutoffBytes: 10 * GB, dailyScanBytes: 500 * GB },
    alarms: { emails: [], silentMinutes: 15, iteratorAgeMinutes: 30, freshnessMinutes: 15 },
    logDays: 90,
  },
};

function isStage(name: string): name is Stage {
  return STAGES.some((stage) => stage === name);
}

/** The settings of a stage, with what was chosen on the command line. Throws a Fault for a stage there isn't or an unfit choice. */
export function settingsOf(stage: string, choices: Choices = {}): StageSettings {
  if (!isStage(stage)) {
    throw new Fault("cloud.stage", `there is no stage "${stage}"`, {
      hint: `Choose one of ${STAGES.join(", ")}, e.g. -c stage=${STAGES[0]}.`,
      exitCode: 2,
    });
  }
  const settings = SETTINGS[stage];
  const { name = DEFAULT_NAME, emails = settings.alarms.emails, ...chosen } = readChoices(choices);
  const names = namesOf({ name, stage });
  return { ...settings, ...chosen, names, alarms: { ...settings.alarms, emails } };
}

/** Names of the pipeline stack's outputs that a gateway's configuration needs. */
export const GATEWAY_OUTPUTS = {
  stream: "StreamName",
  region: "Region",
  roleAlias: "GatewayRoleAlias",
  policy: "GatewayPolicy",
} as const;
