/** `gateway`: who this gateway is. */

import type * as z from "zod";
import { DateReader } from "../../contract/dates.ts";
import { checked, section, text } from "../fields.ts";
import { nearest } from "../nearest.ts";
import { Unfit } from "../unfit.ts";

export function gatewaySection() {
  return section({
    id: text({
      pattern: /^[A-Za-z0-9._-]{1,64}$/,
      problem: "can't be a gateway's id",
      hint: "letters, digits, point, underscore and hyphen, at most 64",
    }).describe(
      "Name of this gateway, unique in the farm. Every reading carries it, and the lake tells deliveries apart by it.",
    ),
    site: text().optional().describe("Where it stands, for people: shown on the status page."),
    timezone: timezone()
      .prefault("UTC")
      .describe("Time zone (IANA name) of dates that sensors send without one."),
  })
    .transform(({ id, site, timezone }) => ({ id, site: site ?? "", timezone }))
    .describe("Who this gateway is.");
}

function timezone(): z.ZodType<string> {
  return checked((name) => {
    try {
      new DateReader(name);
      return name;
    } catch {
      const meant = nearest(name, Intl.supportedValuesOf("timeZone"));
      const hint =
        meant === undefined ? "write an IANA name, such as Europe/Madrid" : `did you mean ${meant}?`;
      return new Unfit(`"${name}" is not a time zone`, hint);
    }
  });
}
