"""Loads raw objects into the tables: the newest first, some at a time, each reading once.

A batch's rows go first, its ledger last: whoever dies between leaves objects that are loaded again, and every step finds what
is there already. Of equal deliveries the first loaded stays, but one with MQTT's DUP flag gives way to its original.
"""

from curation.tables import OTHER

OBJECTS_AT_ONCE = 200
BYTES_AT_ONCE = 256 * 1024 * 1024
"""Packed; some fifteen million readings."""
_SHELVES_NAMED = 150

_SAME = " AND ".join(f"e.{name} = c.{name}" for name in ("gateway", "turbine", "type", "id", "date", "data"))
_DELIVERY = "e.gateway = c.gateway AND e.epoch = c.epoch AND e.seq = c.seq"
_FRESH = f"""
SELECT c.* FROM curated c
LEFT ANTI JOIN there e ON {_DELIVERY}
LEFT ANTI JOIN there e ON {_SAME} AND e.day <=> c.day AND NOT (c.day <=> true AND c.dup IS NULL)
"""
_ORIGINALS = f"""
SELECT * FROM (
  SELECT e.shelf, e.gateway, e.epoch AS dup_epoch, e.seq AS dup_seq, c.epoch, c.seq, c.received,
    row_number() OVER (PARTITION BY e.gateway, e.epoch, e.seq ORDER BY c.received, c.epoch, c.seq) AS place
  FROM curated c JOIN there e ON {_SAME} AND e.day AND e.dup AND c.day AND c.dup IS NULL
) WHERE place = 1
"""
_PROMOTE = """
MERGE INTO {readings} t USING originals o
ON t.shelf = o.shelf AND t.gateway = o.gateway AND t.epoch = o.dup_epoch AND t.seq = o.dup_seq AND t.dup
WHEN MATCHED THEN UPDATE SET t.epoch = o.epoch, t.seq = o.seq, t.received = o.received, t.dup = NULL
"""
_STALE = """
SELECT t.shelf, t.gateway, t.epoch, t.seq FROM {{readings}} t
LEFT SEMI JOIN checked_readings k ON k.gateway = t.gateway AND k.epoch = t.epoch AND k.seq = t.seq
LEFT ANTI JOIN checked_readings r ON r.reason IS NULL AND {same}
"""
_TAKE_OUT = """
MERGE INTO {readings} t USING stale s ON t.shelf = s.shelf AND t.gateway = s.gateway AND t.epoch = s.epoch AND t.seq = s.seq
WHEN MATCHED THEN DELETE
"""


def batches(objects):
    """`objects`, {key: (bytes, …)}, as lists of keys that are loaded at once, the newest first."""
    batch, size = [], 0
    for key in sorted(objects, reverse=True):
        if batch and (len(batch) == OBJECTS_AT_ONCE or size + objects[key][0] > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(key)
        size += objects[key][0]
    if batch:
        yield batch


class Loader:
    def __init__(self, engine, tables, counts, reasons):
        self._engine = engine
        self._tables = tables
        self._spark = engine.spark
        self._counts = counts
        self._reasons = reasons

    def load(self, objects, again=False):
        """Loads `objects`, {key: bytes}; `again` takes out first what another text of the conversion made of them."""
        if again:
            self._tables.forget(objects)
        read = self._engine.view(objects)
        try:
            curated = self._engine.ask("curate").persist()
            curated.createOrReplaceTempView("curated")
            if again:
                self._take_out(curated.columns)
            self._counts["rows"] += self._add_readings()
            curated.unpersist()
            self._tables.append_once("gateways", self._engine.ask("gateways"), objects)
            ledger = self._ledger(objects)
            bad = self._count_rejects()
            if bad:
                some = self._engine.view({key: objects[key] for key in bad}, with_lines=True)
                self._tables.append_once("rejects", self._engine.ask("rejects"), bad)
                some.unpersist()
            self._tables.append_once("deliveries", ledger, objects)
            self._counts["objects"] += len(objects)
        finally:
            read.unpersist()

    def _add_readings(self):
        def fresh():
            self._promote()
            self._view_there()
            return self._spark.sql(_FRESH)

        return self._tables.append("readings", fresh)

    def _promote(self):
        """Gives rows of the table that came with DUP only the delivery of their original, when that has come."""
        if self._spark.sql("SELECT 1 FROM curated WHERE day AND dup IS NULL LIMIT 1").isEmpty():
            return
        self._view_there()
        originals = self._spark.sql(_ORIGINALS).persist()
        try:
            if not originals.isEmpty():
                originals.createOrReplaceTempView("originals")
                self._tables.sql(_PROMOTE)
        finally:
            originals.unpersist()

    def _view_there(self):
        """Registers what the table holds where rows of the batch may be: in their days' shelves, or with the absurd ones."""
        spans = self._spark.sql(
            "SELECT dt, CAST(min(date) AS string) AS first, CAST(max(date) AS string) AS last FROM curated GROUP BY dt"
        ).collect()
        if len(spans) > _SHELVES_NAMED:
            shelves = self._tables.sql("SELECT DISTINCT partition.shelf AS shelf FROM {readings}.partitions").collect()
            there = {row.shelf for row in shelves}
            spans_of_days = [span for span in spans if span.dt in there]
        else:
            spans_of_days = spans
        within = "date BETWEEN TIMESTAMP '{}' AND TIMESTAMP '{}'"
        places = [f"shelf = '{span.dt}' AND {within.format(span.first, span.last)}" for span in spans_of_days]
        if spans:
            first, last = min(span.first for span in spans), max(span.last for span in spans)
            places.append(f"shelf = '{OTHER}' AND {within.format(first, last)}")
        where = " OR ".join(f"({place})" for place in places) or "false"
        self._tables.sql(f"SELECT * FROM {{readings}} WHERE {where}").createOrReplaceTempView("there")

    def _take_out(self, columns):
        same = " AND ".join(f"r.{name} <=> t.{name}" for name in columns)
        stale = self._tables.sql(_STALE.format(same=same)).persist()
        try:
            if not stale.isEmpty():
                stale.createOrReplaceTempView("stale")
                self._tables.until_it_holds(lambda: self._tables.sql(_TAKE_OUT))
        finally:
            stale.unpersist()

    def _ledger(self, objects):
        """One row a run of seq, and one of an object that held none: whatever is in the ledger is not read again."""
        self._engine.ask("deliveries").createOrReplaceTempView("delivered")
        named = self._spark.createDataFrame([(key,) for key in objects], "object string")
        named.createOrReplaceTempView("loaded")
        return self._spark.sql(
            "SELECT l.object, d.gateway, d.epoch, d.first, d.last, coalesce(d.lines, 0) AS lines, coalesce(d.dup, 0) AS dup, "
            f"'{self._engine.conversion}' AS conversion, localtimestamp() AS loaded "
            "FROM loaded l LEFT JOIN delivered d ON d.object = l.object"
        )

    def _count_rejects(self):
        """Counts the batch's lines; the objects that have rejects."""
        lines = self._spark.sql(
            "SELECT raw_object, reason, count(*) AS n FROM checked_readings GROUP BY raw_object, reason"
        ).collect()
        bad = set()
        for row in lines:
            self._counts["readings" if row.reason is None else "rejects"] += row.n
            if row.reason is not None:
                self._reasons[row.reason] += row.n
                bad.add(row.raw_object)
        return bad
