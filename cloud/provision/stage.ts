/** Whose gateway a thing is. Names are free to repeat from stage to stage, and credentials may be another stage's. */

import { Fault } from "../../agent/errors.ts";
import type { Registry } from "./registry.ts";

/** The attribute by which a thing says its stage. */
export const STAGE_ATTRIBUTE = "stage";

/** Whether the stage has this gateway. Throws a Fault where the thing of its name belongs to another stage or says none. */
export async function stageHas(registry: Registry, gateway: string, stage: string): Promise<boolean> {
  const attributes = await registry.attributesOf(gateway);
  if (attributes === undefined) return false;
  const said = attributes[STAGE_ATTRIBUTE];
  if (said === stage) return true;
  if (said === undefined) {
    throw new Fault("provision.no_stage", `the thing ${gateway} does not say which stage it belongs to`, {
      hint: `If it is a gateway of ${stage}, mark it: aws iot update-thing --thing-name ${gateway} --attribute-payload '{"attributes":{"${STAGE_ATTRIBUTE}":"${stage}"},"merge":true}'.`,
    });
  }
  throw new Fault(
    "provision.other_stage",
    `${gateway} is here a gateway of the stage ${said}, not of ${stage}`,
    {
      hint: `Use the credentials of ${stage}'s account, or name the stage you mean: --stage ${said}.`,
    },
  );
}
