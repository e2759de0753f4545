"""Which event days each raw object holds: one line an object, one file an arrival hour, in the lake's index folder.

It is made from the raw objects and can always be made again. Two runs that write one file at once may lose a line of
it; its object is then read anew by the next run, and that is all. So is an object whose line another conversion wrote:
what it said, readings and rejects alike, may be no more true. A day's readings may arrive weeks late or, from a
clock that is ahead, before the day begins; so a day is made from exactly the objects that hold it, by this index.
"""

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

_AT_ONCE = 16


class HourIndex:
    def __init__(self, store, layout, conversion):
        self._store = store
        self._layout = layout
        self.conversion = conversion
        self.entries = {}
        """The entry of each raw object that is known and still there, by key."""

    def load(self, objects):
        """Reads the entries of `objects`; those it has none of."""
        files = sorted({self._layout.index_file_of(key) for key in objects})
        there = {key for key, _ in self._store.list(self._layout.index_folder)}
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            texts = readers.map(self._lines, [file for file in files if file in there])
        known = {key: json.loads(line) for lines in texts for key, line in lines.items()}
        self.entries = {key: known[key] for key in objects if key in known}
        return [key for key in objects if key not in known]

    def add(self, entries):
        """Adds entries of new objects, beside what others may have added meanwhile."""
        by_file = defaultdict(list)
        for entry in entries:
            by_file[self._layout.index_file_of(entry["object"])].append(entry)
            self.entries[entry["object"]] = entry
        for file, added in by_file.items():
            lines = self._lines(file)
            for entry in added:
                text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
                lines.setdefault(entry["object"], text)
            self._store.write(file, "".join(f"{lines[key]}\n" for key in sorted(lines)).encode())

    def days(self):
        """{day: (objects, readings)} of all days there are."""
        totals = defaultdict(lambda: (0, 0))
        for entry in self.entries.values():
            for day, readings in entry["days"].items():
                objects, sum_ = totals[day]
                totals[day] = (objects + 1, sum_ + readings)
        return dict(totals)

    def holding(self, days):
        """The objects that hold readings of any of `days`."""
        return sorted(key for key, entry in self.entries.items() if not days.isdisjoint(entry["days"]))

    def _lines(self, file):
        """The lines of an index file by object, without torn or foreign ones, or those of another conversion."""
        lines = {}
        for line in (self._store.read(file) or b"").decode("utf-8", "replace").split("\n"):
            key = _object_of(line, self.conversion)
            if key is not None:
                lines.setdefault(key, line)
        return lines


def _object_of(line, conversion):
    try:
        entry = json.loads(line)
        sound = isinstance(entry["days"], dict) and all(isinstance(count, int) for count in entry["days"].values())
        sound = sound and isinstance(entry["rejects"], dict) and entry["conversion"] == conversion
        return entry["object"] if sound else None
    except (ValueError, KeyError, TypeError):
        return None
