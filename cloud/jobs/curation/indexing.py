"""Reads new raw objects once: which days they hold, which of their lines are no readings."""

import json
from itertools import groupby

_OBJECTS_AT_ONCE = 2_000


def index_new(engine, index, store, layout, objects):
    """Adds `objects`, {key: bytes}, to the index and writes their rejects; the index keeps what is done so far."""
    keys = sorted(objects)
    # Read before by another text, an object may have rejects that are none any more.
    rejected = {key for key, _ in store.list(layout.rejects_folder)} if keys else set()
    for first in range(0, len(keys), _OBJECTS_AT_ONCE):
        some = {key: objects[key] for key in keys[first : first + _OBJECTS_AT_ONCE]}
        entries = _entries(engine, layout, some)
        rejecting = {key: some[key] for key, entry in entries.items() if entry["rejects"]}
        if rejecting:
            _write_rejects(engine, store, layout, rejecting)
        for key in some:
            if key not in rejecting and layout.rejects_file_of(key) in rejected:
                store.remove(layout.rejects_file_of(key))
        # Rejects first: an object that is in the index is never looked at again.
        index.add(entries.values())


def _entries(engine, layout, objects):
    empty = {"conversion": engine.conversion, "readings": 0}
    entries = {key: {"object": key, **empty, "days": {}, "rejects": {}} for key in objects}
    engine.view(objects)
    counts = engine.spark.sql(
        f"SELECT raw_object, {layout.day_key} AS day, reason, count(*) AS n FROM checked_readings "
        f"GROUP BY raw_object, {layout.day_key}, reason"
    )
    for row in counts.sort("raw_object", "day", "reason").collect():
        entry = entries[row.raw_object]
        if row.reason is not None:
            entry["rejects"][row.reason] = entry["rejects"].get(row.reason, 0) + row.n
        else:
            entry["readings"] += row.n
            entry["days"][row.day] = row.n
    return entries


def _write_rejects(engine, store, layout, objects):
    engine.view(objects, with_lines=True)

    def write(rows):
        # An object is read by one task from its beginning to its end, so its lines stand together and in order.
        for key, lines in groupby(rows, key=lambda row: row.raw_object):
            text = "".join(f"{json.dumps(line.asDict(), ensure_ascii=False, separators=(',', ':'))}\n" for line in lines)
            store.write(layout.rejects_file_of(key), text.encode())

    engine.rejects().foreachPartition(write)
