/** Another layout than the shipped one in every name, one level of partitions instead of two, and a column's type. */

import { LAYOUT, type Layout } from "../../cloud/layout.ts";

export const OTHER_LAYOUT: Layout = {
  database: "otherfarm",
  table: "measurements",
  rawTable: "arrivals",
  stream: "other-stream",
  deliveryStream: "other-delivery",
  rawFolder: "incoming",
  errorFolder: "undeliverable",
  curatedFolder: "clean/measurements",
  rejectsFolder: "refused",
  indexFolder: "hours",
  rawPartitions: [{ name: "day", pattern: "yyyyMMdd" }],
  dayKey: "event_day",
  versionKey: "version",
  fields: { ...LAYOUT.fields, seq: "double" },
  statusFields: LAYOUT.statusFields,
};
