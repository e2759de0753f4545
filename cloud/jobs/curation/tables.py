"""The lake's Iceberg tables: made and kept up here, for nothing else may change them without breaking what is committed.

Every commit is an append that is refused when anybody has appended since its rows were computed: a MERGE that only inserts
would let two runs insert the same rows (iceberg#12653). Compaction refuses nobody.
"""

import random
import time
from datetime import datetime, timedelta, timezone

from py4j.protocol import Py4JJavaError
from pyspark.sql.functions import lit

from curation.engine import CATALOG

LISTED = "windfarm.listed"
"""The note of the table deliveries that says from where on today's runs list raw objects (listing.py)."""
OTHER = "other"
"""The shelf of readings with absurd dates: one, or each of five thousand days would be a file."""
_ATTEMPTS = 20
_CONFLICTS = ("ValidationException", "CommitFailedException", "CommitStateUnknownException")
_KEPT = timedelta(days=2)
_MANY_FILES = 8
_SHELVES_AT_ONCE = 5
_PROPERTIES = {
    "format-version": "2",
    # One update a day at most: a few positions beside the file, not the file again.
    "write.merge.mode": "merge-on-read",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}


class Tables:
    def __init__(self, spark, database, columns, status_columns, location=None):
        self._spark = spark
        self._database = f"{CATALOG}.{database}"
        self._location = location
        self.overtaken = 0
        typed = [f"{name} {kind}" for name, kind in columns]
        status = [f"{name} {kind}" for name, kind in status_columns]
        self._columns = {
            "readings": [*typed, "dt string", "shelf string"],
            "rejects": ["reason string", "object string", "line string"],
            "gateways": [*status, "arrived timestamp", "object string"],
            "deliveries": [
                *("object string", "gateway string", "epoch string", "first bigint", "last bigint", "lines bigint"),
                *("dup bigint", "conversion string", "loaded timestamp"),
            ],
        }

    def name(self, table):
        return f"{self._database}.{table}"

    def make(self):
        """Makes the tables that are not there. Where one is gone all objects are loaded again: the ledger begins anew."""
        missing = [table for table in self._columns if not self._spark.catalog.tableExists(self.name(table))]
        if missing and "deliveries" not in missing:
            self.keep_note("deliveries", LISTED, "")
            self.sql("DELETE FROM {deliveries} WHERE true")
        if missing and self._location is None:
            self.sql(f"CREATE NAMESPACE IF NOT EXISTS {self._database}")
        for table in missing:
            place = f"LOCATION '{self._location}/{table}'" if self._location else ""
            shelves = "PARTITIONED BY (shelf)" if table == "readings" else ""
            properties = ", ".join(f"'{name}' = '{value}'" for name, value in _PROPERTIES.items())
            columns = ", ".join(self._columns[table])
            self.sql(f"CREATE TABLE {{{table}}} ({columns}) USING iceberg {shelves} {place} TBLPROPERTIES ({properties})")
            if table == "readings":
                # Neighbours alike, which Parquet packs well, and a file's bounds say which times it holds.
                self.sql("ALTER TABLE {readings} WRITE DISTRIBUTED BY PARTITION LOCALLY ORDERED BY turbine, type, date, id")

    def sql(self, text):
        """Asks `text`, in which {readings} and so on are the tables' names."""
        return self._spark.sql(text.format(**{table: self.name(table) for table in self._columns}))

    def note(self, table, name):
        """The text that was kept as a property of the table; empty where none was."""
        rows = self.sql(f"SHOW TBLPROPERTIES {{{table}}}").collect()
        return bytes.fromhex(next((row.value for row in rows if row.key == name), "")).decode()

    def keep_note(self, table, name, text):
        # As hexadecimal digits, for a gateway may be called anything.
        text = f"ALTER TABLE {{{table}}} SET TBLPROPERTIES ('{name}' = '{text.encode().hex()}')"
        self.until_it_holds(lambda: self.sql(text))

    def append(self, table, fresh_of):
        """Appends the rows that fresh_of() finds missing; looks again when another run came between. How many they were."""

        def commit():
            seen = self.sql(f"SELECT snapshot_id FROM {{{table}}}.refs WHERE name = 'main'").collect()
            fresh = fresh_of().persist()
            try:
                rows = fresh.count()
                if rows > 0:
                    write = fresh.writeTo(self.name(table)).option("isolation-level", "serializable")
                    if seen:
                        write = write.option("validate-from-snapshot-id", str(seen[0][0]))
                    write.overwrite(lit(False))
                return rows
            finally:
                fresh.unpersist()

        return self.until_it_holds(commit)

    def append_once(self, table, rows, objects):
        """Appends the rows of objects of which the table has none; `objects` are all that `rows` speaks of."""
        there = f"SELECT DISTINCT object FROM {{{table}}} WHERE object IN ({_texts(objects)})"
        return self.append(table, lambda: rows.join(self.sql(there), "object", "left_anti").select(rows.columns))

    def until_it_holds(self, commit):
        """What commit() returns; tries again when it was overtaken by another run's."""
        for attempt in range(_ATTEMPTS):
            try:
                return commit()
            except Py4JJavaError as error:
                if attempt == _ATTEMPTS - 1 or not any(name in str(error) for name in _CONFLICTS):
                    raise
                self.overtaken += 1
                time.sleep(random.uniform(0, 0.2 * 2 ** min(attempt, 5)))

    def forget(self, objects):
        """Takes out of the ledger and beside it what `objects` said, so that they are loaded again."""
        for table in ("deliveries", "rejects", "gateways"):
            self.until_it_holds(lambda: self.sql(f"DELETE FROM {{{table}}} WHERE object IN ({_texts(objects)})"))

    def keep_up(self, today):
        """Compacts shelves that no run adds to any more, and the other tables; lets go of old snapshots. How much it did."""
        small = self.sql(
            f"SELECT partition.shelf AS shelf, count(*) AS files FROM {{readings}}.files WHERE partition.shelf <> '{today}' "
            f"GROUP BY partition.shelf HAVING count(*) > {_MANY_FILES} ORDER BY files DESC LIMIT {_SHELVES_AT_ONCE}"
        )
        calls = [("rewrite_data_files", "readings", f"where => \"shelf = '{row.shelf}'\"") for row in small.collect()]
        before = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0) - _KEPT
        for table in self._columns:
            files, oldest = self.sql(
                f"SELECT (SELECT count(*) FROM {{{table}}}.files),"
                f" (SELECT min(committed_at) FROM {{{table}}}.snapshots HAVING count(*) > 1)"
            ).collect()[0]
            if table != "readings" and files > 3 * _MANY_FILES:
                calls.append(("rewrite_data_files", table, "options => map('target-file-size-bytes', '134217728')"))
            # Once a day is enough, and each time is a commit.
            if oldest is not None and oldest.replace(tzinfo=None) < before - timedelta(days=1):
                calls.append(("expire_snapshots", table, f"older_than => TIMESTAMP_LTZ '{before}'"))
                # What a run that was killed had written and not committed.
                older = f"older_than => TIMESTAMP_LTZ '{before}', prefix_listing => true"
                calls.append(("remove_orphan_files", table, older))
        for call, table, more in calls:
            name = f"{self._database.split('.')[1]}.{table}"
            text = f"CALL {CATALOG}.system.{call}(table => '{name}', {more})"
            self.until_it_holds(lambda: self._spark.sql(text).collect())
        return len(calls)


def _texts(values):
    return ", ".join("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in values) or "NULL"
