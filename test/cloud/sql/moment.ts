/** The moment a named query is asked at, put in by a test. */

/** How the named queries say "now": the one form that DuckDB, Spark and Trino read alike. */
export const ASKED_AT = "TRY_CAST(current_timestamp AS timestamp)";

/** `sql` as if it were asked at `moment`, `YYYY-MM-DD HH:MM:SS` in UTC. */
export function askedAt(sql: string, moment: string): string {
  return sql.replaceAll(ASKED_AT, `TIMESTAMP '${moment}'`);
}
