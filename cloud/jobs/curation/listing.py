"""Which raw objects are to be loaded.

An object's key begins with the day of its arrival, so what is new stands behind what is old. All objects are listed once a
day, and until all are loaded; the other runs of a day list those of the newest days: a thousand are a request, and all workers
wait.
"""

from datetime import datetime, timezone

from curation.tables import LISTED

_DAYS_LISTED = 8
"""Firehose names an object by its oldest record, and tries for as long as the stream keeps it: a week in prod."""


class Listing:
    def __init__(self, raw, tables, settings):
        self._raw = raw
        self._tables = tables
        self._settings = settings
        self._folder = f"{settings.raw_folder}/{settings.raw_partitions[0]}="
        self._today = datetime.now(timezone.utc).date().isoformat()
        self._newest_days = []

    def new(self):
        """{key: (bytes, when it was written)} of the objects that the ledger doesn't name."""
        day, _, since = self._tables.note("deliveries", LISTED).partition(" ")
        since = since if day == self._today else ""
        objects = self._list(since)
        if since == "":
            self._newest_days = sorted({self._day(key) for key in objects})[-_DAYS_LISTED:]
        named = self._tables.sql(f"SELECT DISTINCT object FROM {{deliveries}} WHERE object > '{since}'")
        loaded = {row.object for row in named.toLocalIterator()}
        return {key: about for key, about in objects.items() if key not in loaded}

    def in_range(self):
        """The objects of the days of arrival that are to be converted again."""
        # A run that is killed leaves objects that are in the ledger no more.
        self._tables.keep_note("deliveries", LISTED, "")
        first, last = self._settings.first_day or "0001-01-01", self._settings.last_day or "9999-12-31"
        objects = self._list(self._folder + first)
        return {key: about for key, about in objects.items() if first <= self._day(key) <= last}

    def keep(self):
        """Notes that all objects are in the ledger, when all were listed."""
        if self._newest_days:
            self._tables.keep_note("deliveries", LISTED, f"{self._today} {self._folder}{self._newest_days[0]}")

    def _list(self, since):
        return {key: about for key, about in self._raw.list(self._settings.raw_folder, since).items() if self._is_raw(key)}

    def _is_raw(self, key):
        """Whether `key` is a raw object and lies where raw objects lie."""
        partitions = self._settings.raw_partitions
        levels = key[len(self._settings.raw_folder) + 1 :].split("/")[:-1]
        fits = [level.startswith(f"{name}=") for name, level in zip(partitions, levels)]
        return key.endswith(".gz") and len(levels) == len(partitions) and all(fits)

    def _day(self, key):
        return key[len(self._folder) :][:10]
