/** Whose gateway a thing is. Names are free to repeat from farm to farm, and credentials may be another farm's. */

import { Fault } from "../../agent/errors.ts";
import type { Registry } from "./registry.ts";

/** The attribute by which a thing tells its farm: the farm's name and stage, `windfarm-dev`. */
export const FARM_ATTRIBUTE = "farm";

/** Whether the farm has this gateway. Throws a Fault if the thing of its name belongs to another farm or tells none. */
export async function farmHas(registry: Registry, gateway: string, farm: string): Promise<boolean> {
  const attributes = await registry.attributesOf(gateway);
  if (attributes === undefined) return false;
  const told = attributes[FARM_ATTRIBUTE];
  if (told === farm) return true;
  if (told === undefined) {
    throw new Fault("provision.no_farm", `the thing ${gateway} does not tell which farm it belongs to`, {
      hint: `If it is a gateway of ${farm}, mark it: aws iot update-thing --thing-name ${gateway} --attribute-payload '{"attributes":{"${FARM_ATTRIBUTE}":"${farm}"},"merge":true}'.`,
    });
  }
  throw new Fault("provision.other_farm", `${gateway} is here a gateway of ${told}, not of ${farm}`, {
    hint: `Use the credentials of ${farm}'s account, or name the farm you mean with --name and --stage.`,
  });
}
