/** What a stream's record carries, as the delivery stream takes it apart. */

import { deaggregate } from "../../agent/contract/aggregate.ts";
import { messageOf } from "../../agent/errors.ts";

const KPL_MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);

/** The bytes to deliver, or why an aggregated record can't be taken apart. A plain record is delivered as it is. */
export function payloadsOf(data: Buffer): Buffer[] | { problem: string } {
  if (!data.subarray(0, KPL_MAGIC.length).equals(KPL_MAGIC)) return [data];
  try {
    const records = deaggregate(data);
    if (records === undefined) return { problem: "the digest of the aggregated record does not match" };
    return records.map((record) => record.data);
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
