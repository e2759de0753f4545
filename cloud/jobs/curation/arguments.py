"""What a run is told: where raw objects and lake are, the columns (cloud/layout.ts hands them over), which days."""

import argparse
import re
from datetime import date
from difflib import get_close_matches

# What is nearly one of the job's own arguments is a mistake; all else is Glue's or for the future, and passed over.
_NEAR = 0.75


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        # Of a run's end Glue shows the exception, never what was printed before it.
        raise SystemExit(f"curate: {message}")


def read_arguments(argv):
    """The settings of `argv`; raises SystemExit with one sentence where they are wrong."""
    parser = _parser()
    given, others = parser.parse_known_args(argv)
    known = {text.lower(): text for action in parser._actions for text in action.option_strings}
    for name in (text.partition("=")[0] for text in others if text.startswith("-")):
        near = get_close_matches(name.lower(), known, 1, _NEAR)
        if near:
            parser.error(f"there is no argument {name}; did you mean {known[near[0]]}?")
    if given.first_day and given.last_day and given.first_day > given.last_day:
        parser.error(f"--from {given.first_day} is after --to {given.last_day}; no day lies between them")
    return given


def _parser():
    parser = _Parser(prog="curate", allow_abbrev=False, description=__doc__)
    for name in ("raw", "lake"):
        parser.add_argument(f"--{name}", required=True, help="s3://bucket, file:///folder or a path")
    parser.add_argument("--sql", required=True, help="the folder cloud/sql, or a zip of it")
    parser.add_argument("--catalog", choices=("glue", "hadoop"), default="glue")
    parser.add_argument("--database", required=True)
    parser.add_argument("--raw_folder", required=True)
    parser.add_argument("--raw_partitions", required=True, type=lambda text: tuple(text.split(",")))
    for name in ("columns", "status_columns"):
        parser.add_argument(f"--{name}", required=True, type=_columns, help="name:type,…, types as Spark's")
    parser.add_argument("--from", dest="first_day", type=_day, help="first day of arrival to convert again, YYYY-MM-DD")
    parser.add_argument("--to", dest="last_day", type=_day, help="last day of arrival to convert again, YYYY-MM-DD")
    parser.add_argument("--stop_after_minutes", type=float, default=45, help="begin no more work after that (default 45)")
    parser.add_argument("--farm", default="windfarm", help="the dimension Farm of the metrics")
    parser.add_argument("--metrics", help="CloudWatch's namespace for the metrics; without it none are sent")
    parser.add_argument("--topic", help="ARN of the topic that is told which gateways fall silent")
    return parser


def _day(text):
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is no day; give one like 2026-11-22")


def _columns(text):
    columns = tuple(tuple(column.split(":")) for column in text.split(","))
    if not all(len(column) == 2 and column[0].isidentifier() and column[1].isalpha() for column in columns):
        raise argparse.ArgumentTypeError(f"{text} is no list of columns like id:string,data:double")
    return columns
