"""Raw objects → the curated table: the Glue job (Glue 5.1, Spark 3.5, Iceberg 1.10), and the same run on any such Spark.

A thin shell around cloud/sql: finds the raw objects that the ledger `deliveries` doesn't name, and loads them, the newest
first, so that today never waits for yesterday. A run may be repeated, killed, or run beside another. Objects that arrived on
some days are converted again, by another text of cloud/sql, when a range is given:

    --from 2026-11-01 --to 2026-11-10

Arguments: curation/arguments.py. On Glue cloud/stacks/curation.ts gives them; elsewhere --catalog hadoop, and folders for
--raw and --lake.
"""

import json
import sys
import time
from collections import Counter
from datetime import datetime, timezone

from curation import report
from curation.arguments import read_arguments
from curation.engine import Engine, read_texts, start_spark
from curation.listing import Listing
from curation.load import Loader, batches
from curation.stores import open_store
from curation.tables import Tables


def main(argv):
    settings = read_arguments(argv)
    stop_at = time.monotonic() + 60 * settings.stop_after_minutes
    warehouse = f"{settings.lake.rstrip('/')}/curated"
    spark = start_spark(settings.catalog, warehouse)
    raw = open_store(settings.raw)
    engine = Engine(spark, read_texts(settings.sql), raw, settings.columns, settings.status_columns)
    location = warehouse if settings.catalog == "glue" else None
    tables = Tables(spark, settings.database, settings.columns, settings.status_columns, location)
    tables.make()
    counts, reasons = Counter(objects=0, readings=0, rejects=0, rows=0), Counter()
    loader = Loader(engine, tables, counts, reasons)

    again = settings.first_day is not None or settings.last_day is not None
    listing = Listing(raw, tables, settings)
    left = listing.in_range() if again else listing.new()
    for batch in batches(left):
        if time.monotonic() > stop_at:
            break
        loader.load({key: left[key][0] for key in batch}, again)
        for key in batch:
            del left[key]

    now = datetime.now(timezone.utc)
    values = {
        "SecondsBehind": max(((now - written).total_seconds() for _, written in left.values()), default=0),
        "ObjectsLeft": len(left),
        "Rejects": counts["rejects"],
        "Overtaken": tables.overtaken,
        "SilentGateways": report.tell_of_silence(tables, settings.topic),
        "ReadingsLoaded": counts["rows"],
    }
    if not left and not again:
        listing.keep()
        values["Missing"] = report.missing(engine, tables)
    if settings.metrics:
        report.send(settings.metrics, settings.farm, values)
    # Last, for all else is done when a run is killed here.
    upkeep = tables.keep_up(now.strftime("%Y-%m-%d"))
    said = {**counts, **values, "upkeep": upkeep, "reasons": dict(sorted(reasons.items()))}
    print(json.dumps({"curated": said}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
