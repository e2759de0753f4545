/** What a stream's record carries, as the delivery stream takes it apart. */

import { deaggregate } from "../../agent/contract/aggregate.ts";

const KPL_MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);

/** The bytes to deliver: a plain record's as it is, and one that can't be taken apart too. */
export function payloadsOf(data: Buffer): Buffer[] {
  if (!data.subarray(0, KPL_MAGIC.length).equals(KPL_MAGIC)) return [data];
  try {
    return deaggregate(data)?.map((record) => record.data) ?? [data];
  } catch {
    return [data];
  }
}
