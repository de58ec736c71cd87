"""The command line of `monitor replay` and `monitor reference build`."""

from __future__ import annotations

import argparse

from monitor.replay import rest
from monitor.tables.cells import moment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor replay`, beside the common ones."""
    _add_source_arguments(parser)
    add = parser.add_argument
    add("--reference", metavar="SOURCE|FILE|DIMENSION=VALUE",
        help="what is usual: a source of the same kind; a profile that `monitor reference build` "
        "wrote; or a segment of the source itself, such as variant=champion, for the others of its "
        "dimension; without it, the first records (reference.learn)")  # fmt: skip
    add("--chunks", type=_count, default=0, metavar="N",
        help="judge N consecutive equal runs of the records, too")  # fmt: skip
    add("--json", metavar="FILE", help="write what was found as JSON (- for stdout)")
    add("--html", metavar="FILE", help="write a report that needs nothing else")
    add("--evidently", metavar="FILE", help="write Evidently's report on the same data")
    add("--fail-on", choices=("drift",), help="exit with 1 when that was found")
    add("--engine", choices=("local", "dask"), default="local", help="where the work is done")
    add("--scheduler", metavar="ADDRESS", help="a Dask scheduler that runs already")


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor reference build`, beside the common ones."""
    _add_source_arguments(parser)
    parser.add_argument("--out", metavar="FILE", required=True, help="the profile to write")
    parser.set_defaults(chunks=0)


def _add_source_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", nargs="*",
        help="redis://HOST:PORT/DB[?endpoint=NAME&from=TIME&to=TIME]; files or directories of "
        "archived records (JSONL, Parquet), or of tables (CSV, Parquet, JSON objects); without "
        "one, the records in --redis, else those in the embedded store of --data")  # fmt: skip
    add("--format", choices=("auto", *rest.FORMATS), default="auto", metavar="FORMAT",
        help=f"what the files are: auto, {', '.join(rest.FORMATS)}")  # fmt: skip
    add("--by", action="append", default=[], metavar="DIMENSION",
        help="judge each value of it, too; of a table, a column")  # fmt: skip
    add("--from", dest="start", type=_time, metavar="TIME", help="what began then or later")
    add("--to", dest="end", type=_time, metavar="TIME", help="what began before (RFC 3339)")
    table = parser.add_argument_group("tables")
    for name, text in (
        ("ignore", "a column not to look at"),
        ("prediction", "a column that the model wrote"),
        ("label", "a column with the truth"),
    ):
        table.add_argument(f"--{name}", action="append", default=[], metavar="COLUMN", help=text)
    table.add_argument("--score", default="", metavar="COLUMN",
        help="the column with the probability of a positive: performance is estimated from it, "
        "calibrated by the reference's --label")  # fmt: skip
    table.add_argument("--timestamp", default="", metavar="COLUMN", help="the column with times")


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000")
    return int(text)


def _time(text: str) -> float:
    at = moment(text)
    if at is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2024-02-29T12:00:00Z")
    return at
