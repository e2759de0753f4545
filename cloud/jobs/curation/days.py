"""Makes days of the table: each whole, from exactly the objects that hold it, into a folder of its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from uuid import uuid4

from pyspark import StorageLevel
from pyspark.sql.functions import col

from curation.catalogs import Day

_READINGS_AT_ONCE = 20_000_000
_READINGS_A_FILE = 5_000_000
_DAYS_AT_ONCE = 4
_NOTHING = (0, 0)
_VERSION_TIME = "%Y%m%dT%H%M%S"
# Neighbours alike, which Parquet packs well, and the same rows in the same order each time.
_ORDER = ("turbine", "type", "date", "id", "data")


def new_version(now):
    """`20261122T120000123Z-9f31c0aa`: sorts by time, and two runs never share one."""
    return f"{now.strftime(_VERSION_TIME)}{now.microsecond // 1000:03}Z-{uuid4().hex[:8]}"


def made_at(version):
    """When a version was begun, or None where its name doesn't say so."""
    try:
        return datetime.strptime(version[:15], _VERSION_TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def stale_days(index, catalog_days, settings, forced):
    """The days that are not what the index says they hold, by the conversion there is; all of the range where `forced`."""
    held = index.days()
    stale = []
    for day, totals in held.items():
        made = catalog_days.get(day)
        fresh = made is not None and (made.objects, made.readings, made.conversion) == (*totals, index.conversion)
        if settings.first_day <= day <= settings.last_day and (forced or not fresh):
            stale.append(day)
    # Days of which another conversion saw readings and this one sees none; only where there is anything at all.
    for day, made in catalog_days.items() if index.entries else ():
        if day not in held and made.conversion != index.conversion:
            if settings.first_day <= day <= settings.last_day:
                stale.append(day)
    return sorted(stale)


def batches(days, index):
    """`days` in groups that are made at once; a day with many readings is made alone."""
    held = index.days()
    batch, total = [], 0
    for day in days:
        _, readings = held.get(day, _NOTHING)
        if batch and total + readings > _READINGS_AT_ONCE:
            yield batch
            batch, total = [], 0
        batch.append(day)
        total += readings
    if batch:
        yield batch


def make_days(engine, index, store, layout, days, sizes):
    """Writes a new version of each of `days`; {day: Day}, which nothing points at yet. `sizes`: {raw object: bytes}."""
    store.prepare(layout.curated_folder)
    engine.view({key: sizes[key] for key in index.holding(set(days))})
    columns = [col(name).cast(kind).alias(name) for name, kind in layout.columns]
    day_of = col(layout.day_key)
    curated = engine.curated().where(day_of.isin(days)).select(*columns, day_of)
    made = curated.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        rows = {row[0]: row["count"] for row in made.groupBy(day_of).count().collect()}
        version = new_version(datetime.now(timezone.utc))
        totals = index.days()

        def write(day):
            folder = layout.version_folder(day, version)
            objects, readings = totals.get(day, _NOTHING)
            one_day = made.where(day_of == day).select(*layout.names)
            _arrange(one_day, readings).write.parquet(store.uri(folder))
            store.settle(folder)
            files = [(key, size) for key, size in store.list(folder) if key.endswith(".parquet")]
            size = sum(size for _, size in files)
            return Day(
                version, [key for key, _ in files], rows.get(day, 0), size, objects, readings, engine.conversion
            )

        with ThreadPoolExecutor(_DAYS_AT_ONCE) as writers:
            return dict(zip(days, writers.map(write, days)))
    finally:
        made.unpersist()


def _arrange(rows, readings):
    files = -(-readings // _READINGS_A_FILE)
    spread = rows.coalesce(1) if files <= 1 else rows.repartitionByRange(files, *_ORDER)
    return spread.sortWithinPartitions(*_ORDER)


def supersede(store, layout, catalog_days, keep, now):
    """Gives up versions that no query and no run can still want: older than `keep`, like the one in their place."""
    given_up = set()
    for key, _ in store.list(layout.curated_folder):
        levels = key[len(layout.curated_folder) + 1 :].split("/")
        if len(levels) < 3:
            continue
        day, version = (level.partition("=")[2] for level in levels[:2])
        current = catalog_days.get(day)
        times = [made_at(version), made_at(current.version) if current else None]
        if version != (current and current.version) and all(time and now - time >= keep for time in times):
            given_up.add(layout.version_folder(day, version))
    for folder in sorted(given_up):
        store.supersede(folder)
    return len(given_up)
