"""Raw objects → the curated table: the Glue job (Glue 5.1, Spark 3.5), and the same run on any Spark 3.5.

A thin shell around cloud/sql: it looks which days new raw objects touched, makes each of them again from exactly the
objects that hold it, writes it into a folder of its own, and points the day's partition there, in one update of the
catalog; a reader sees the old day or the new one. Rejected lines go apart with their reason. A day is a pure function
of the raw data, so a run may be repeated, come late, run beside another, or be given a range:

    --from 2026-11-01 --to 2026-11-10

What another text of cloud/sql has read or made is read and made again by the first run that has the new one, rejects too.

Arguments: curation/arguments.py. On Glue cloud/stacks/curation.ts gives them; elsewhere --catalog file, and a folder
for --raw and --lake, runs it over what a local cloud that is stopped has written.
"""

import json
import sys
from collections import Counter
from datetime import datetime, timezone

from curation.arguments import read_arguments
from curation.catalogs import FileCatalog, GlueCatalog
from curation.days import batches, make_days, stale_days, supersede
from curation.engine import Engine, read_texts, start_spark
from curation.index import HourIndex
from curation.indexing import index_new
from curation.stores import open_store

# A run that was overtaken by another looks again; who is overtaken three times leaves the rest to the next run.
_ROUNDS = 3


class Run:
    def __init__(self, settings, spark):
        layout = settings.layout
        self._settings = settings
        self._raw = open_store(settings.raw)
        self._lake = open_store(settings.lake)
        self._lake.tag = settings.superseded_tag
        catalogs = {"glue": GlueCatalog, "file": FileCatalog}
        self._catalog = catalogs[settings.catalog](self._lake, layout)
        self._engine = Engine(spark, read_texts(settings.sql), self._raw, layout)
        self.counts = Counter(objects=0, readings=0, rejects=0, days=0, rows=0, overtaken=0, superseded=0)
        self.reasons = Counter()

    def run(self):
        for number in range(_ROUNDS):
            if not self._round(forced=self._settings.forced and number == 0):
                break
        layout, keep = self._settings.layout, self._settings.keep_superseded
        now = datetime.now(timezone.utc)
        self.counts["superseded"] = supersede(self._lake, layout, self._catalog.days(), keep, now)

    def _round(self, forced):
        """Brings the table up to the raw objects there are now; whether another run came between."""
        layout = self._settings.layout
        sizes = {key: size for key, size in self._raw.list(layout.raw_folder) if layout.is_raw(key)}
        index = HourIndex(self._lake, layout, self._engine.conversion)
        new = index.load(sizes)
        index_new(self._engine, index, self._lake, layout, {key: sizes[key] for key in new})
        self._count_new(index.entries[key] for key in new)
        seen = self._catalog.days()
        published = {}
        for days in batches(stale_days(index, seen, self._settings, forced), index):
            made = make_days(self._engine, index, self._lake, layout, days, sizes)
            for day, version in made.items():
                published[day] = self._publish(day, seen.get(day), version)
        # Glue can't compare and update in one call: whoever was replaced in the same moment sees it here.
        now = self._catalog.days()
        overtaken = [day for day, version in published.items() if version is None or now[day].version != version]
        self.counts["overtaken"] += len(overtaken)
        return bool(overtaken)

    def _publish(self, day, seen, made):
        if not self._catalog.replace(day, seen and seen.version, made):
            return None
        self.counts["days"] += 1
        self.counts["rows"] += made.rows
        return made.version

    def _count_new(self, entries):
        for entry in entries:
            self.counts["objects"] += 1
            self.counts["readings"] += entry["readings"]
            self.counts["rejects"] += sum(entry["rejects"].values())
            self.reasons.update(entry["rejects"])


def main(argv):
    settings = read_arguments(argv)
    run = Run(settings, start_spark())
    run.run()
    print(json.dumps({"curated": {**run.counts, "reasons": dict(sorted(run.reasons.items()))}}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
