/**
 * What AWS wants unique within an account and region, by the farm's name (`-c name=…`, "windfarm" by default) and stage.
 * Two farms, or two stages of one, fit one account when their names differ. The stacks, the job's arguments, `provision`
 * and whoever asks Athena know these; the layout of the lake is the same for every farm.
 */

export const STAGES = ["dev", "prod"] as const;
export type Stage = (typeof STAGES)[number];

export const DEFAULT_NAME = "windfarm";

export interface Farm {
  name: string;
  stage: Stage;
}

/** Letters, digits and hyphens, for a stack's name takes no more; short, for some names have little room behind it. */
export const FARM_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
export const FARM_NAME_LENGTH = 24;

export interface FarmNames {
  name: string;
  /** In front of most names: `windfarm-dev`. */
  farm: string;
  dataStack: string;
  pipelineStack: string;
  stream: string;
  deliveryStream: string;
  /** The Data Catalog's database; SQL knows no hyphen in a name without quotes. */
  database: string;
  /** The workgroup that analysts ask in. */
  workGroup: string;
  roleAlias: string;
}

export function namesOf({ name, stage }: Farm): FarmNames {
  const farm = `${name}-${stage}`;
  return {
    name,
    farm,
    dataStack: `${farm}-data`,
    pipelineStack: `${farm}-pipeline`,
    stream: `${name}-readings`,
    deliveryStream: `${name}-readings`,
    database: name.replaceAll("-", "_"),
    workGroup: name,
    roleAlias: `${farm}-gateway`,
  };
}
