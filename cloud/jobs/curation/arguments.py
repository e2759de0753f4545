"""What a run is told: where raw objects and lake are, the layout (cloud/layout.ts hands it over), which days."""

import argparse
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

_SQL_TYPE = re.compile(r"[a-z]+")
# --JOB_NAME, --TempDir, --job-bookmark-option, --conf …: with a capital or a hyphen, as none of the job's has, or in the list.
_GLUES_OWN = re.compile(r"--(?=.*[A-Z])\w+|--\w+(-\w+)+|--(class|conf|debug|mode)")


@dataclass(frozen=True)
class Layout:
    """The lake's names, as cloud/layout.ts has them."""

    database: str
    table: str
    raw_folder: str
    curated_folder: str
    rejects_folder: str
    index_folder: str
    day_key: str
    version_key: str
    raw_partitions: tuple
    columns: tuple
    """(name, Spark type) of the table's columns in order, without the day."""

    @property
    def names(self):
        return tuple(name for name, _ in self.columns)

    def is_raw(self, key):
        """Whether `key` is a raw object and lies where raw objects lie."""
        levels = key[len(self.raw_folder) + 1 :].split("/")[:-1]
        fits = [level.startswith(f"{name}=") for name, level in zip(self.raw_partitions, levels)]
        return key.endswith(".gz") and len(levels) == len(self.raw_partitions) and all(fits)

    def index_file_of(self, key):
        hour = key[len(self.raw_folder) + 1 :].rsplit("/", 1)[0]
        return f"{self.index_folder}/{hour}.ndjson"

    def rejects_file_of(self, key):
        return f"{self.rejects_folder}{key[len(self.raw_folder) :].removesuffix('.gz')}.ndjson"

    def version_folder(self, day, version):
        return f"{self.curated_folder}/{self.day_key}={day}/{self.version_key}={version}"


@dataclass(frozen=True)
class Settings:
    layout: Layout
    raw: str
    lake: str
    sql: str
    catalog: str
    first_day: str
    last_day: str
    forced: bool
    """True for a range asked for by hand: its days are made again whether they need it or not."""
    superseded_tag: tuple
    keep_superseded: timedelta


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        # Of a run's end Glue shows the exception, never what was printed before it.
        raise SystemExit(f"curate: {message}")


def read_arguments(argv):
    """The settings of `argv`; raises SystemExit with one sentence where they are wrong.

    Glue hands over arguments of its own, which are passed over.
    """
    parser = _parser()
    given, others = parser.parse_known_args(argv)
    _refuse_unknown(parser, others)
    if given.first_day and given.last_day and given.first_day > given.last_day:
        parser.error(f"--from {given.first_day} is after --to {given.last_day}; no day lies between them")
    return Settings(
        layout=Layout(**{name: getattr(given, name) for name in Layout.__dataclass_fields__}),
        raw=given.raw,
        lake=given.lake,
        sql=given.sql,
        catalog=given.catalog,
        first_day=given.first_day or "0001-01-01",
        last_day=given.last_day or "9999-12-31",
        forced=bool(given.first_day or given.last_day),
        superseded_tag=given.superseded_tag,
        keep_superseded=timedelta(hours=given.keep_superseded_hours),
    )


def _parser():
    parser = _Parser(prog="curate", allow_abbrev=False, description=__doc__)
    for name in ("raw", "lake"):
        parser.add_argument(f"--{name}", required=True, help="s3://bucket, file:///folder or a path")
    parser.add_argument("--sql", required=True, help="the folder of check.sql, curate.sql, rejects.sql, or a zip of it")
    parser.add_argument("--catalog", choices=("glue", "file"), default="glue")
    parser.add_argument("--from", dest="first_day", type=_day, help="first day to make again, YYYY-MM-DD")
    parser.add_argument("--to", dest="last_day", type=_day, help="last day to make again, YYYY-MM-DD")
    parser.add_argument("--superseded_tag", type=_tag, help="key=value put on objects of versions nobody reads")
    parser.add_argument("--keep_superseded_hours", type=float, default=24, help="no query takes longer (default 24)")
    layout = parser.add_argument_group("the layout of cloud/layout.ts")
    texts = ("database", "table", "raw_folder", "curated_folder", "rejects_folder", "index_folder")
    for name in (*texts, "day_key", "version_key"):
        layout.add_argument(f"--{name}", required=True)
    layout.add_argument("--raw_partitions", required=True, type=lambda text: tuple(text.split(",")))
    layout.add_argument("--columns", required=True, type=_columns, help='JSON: [{"name", "spark"}, …]')
    return parser


def _refuse_unknown(parser, others):
    """Ends the run over an argument that is neither the job's nor one of Glue's."""
    known = [text for action in parser._actions for text in action.option_strings]
    for text in others:
        name = text.partition("=")[0]
        near = get_close_matches(name.lower(), known, 1, 0.7)
        if name.startswith("-") and (name.lower() in known or not _GLUES_OWN.fullmatch(name)):
            parser.error(f"there is no argument {name}" + (f"; did you mean {near[0]}?" if near else ""))


def _day(text):
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is no day; give one like 2026-11-22")


def _tag(text):
    key, _, value = text.partition("=")
    return key, value


def _columns(text):
    columns = tuple((column["name"], column["spark"]) for column in json.loads(text))
    if not all(name.isidentifier() and _SQL_TYPE.fullmatch(kind) for name, kind in columns):
        raise argparse.ArgumentTypeError("a column's name or type is no SQL name")
    return columns
