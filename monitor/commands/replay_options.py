"""The command line of `monitor replay` and `monitor reference build`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from monitor.analysis.drift.reference import BUFFER
from monitor.analysis.drift.windows import VALUES_PER_BIN
from monitor.commands import arguments
from monitor.replay.files import FORMATS
from monitor.replay.outcomes import CONDITIONS
from monitor.replay.periods import PERIODS

VALUES = 5
"""Values of an option that may be compared."""

MOST_BINS = BUFFER // VALUES_PER_BIN
"""More bins than that cannot be made of the values that are kept for it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor replay`, beside the common ones."""
    _add_source_arguments(parser)
    add = parser.add_argument
    add("--reference", metavar="SOURCE|FILE|DIMENSION=VALUE",
        help="compare with this: a source of the same kind; a profile that `monitor reference "
        "build` wrote; or a segment of the source, such as variant=champion, for the others of its "
        "dimension; by default the first records (reference.learn)")  # fmt: skip
    add("--chunks", type=_chunks, default=0, metavar="N|hour|day|week",
        help="also judge N consecutive equal parts of the records, or those of each hour, day or "
        "week (UTC), which needs the --timestamp of a table; by default none")  # fmt: skip
    add("--timeline", action="store_true",
        help="also tell how every feature went, chunk by chunk, and since when it drifts; without "
        "--chunks in weeks, days or hours, whichever there are 6 of, else in 20 equal "
        "parts")  # fmt: skip
    add("--alpha", action=arguments.Several, most=VALUES, type=_alphas, default=(),
        metavar="A[,A…]",
        help="the probability of any false alarm; of several the first gives the verdict, and what "
        "the others would have said is told; by default drift.alpha (0.05)")  # fmt: skip
    add("--tolerance", action=arguments.Several, most=VALUES, type=_tolerances, default=(),
        metavar="T[,T…]",
        help="a believed change of a PSI of T is drift; of several the first gives the verdict; by "
        "default drift.tolerance (0.02)")  # fmt: skip
    add("--bins", action=arguments.Several, most=VALUES, type=_bins, default=(),
        metavar="N[,N…]",
        help="count numbers in N bins between their smallest and largest value, 3 to 50; of "
        "several the first gives the verdict; by default 10, or as the profile has")  # fmt: skip
    add("--json", nargs="?", const="-", metavar="FILE",
        help="write the findings as JSON; to stdout with -, or where no FILE follows")  # fmt: skip
    add(
        "--experiment",
        action="append",
        default=[],
        type=_arm,
        metavar="DIMENSION=CONTROL",
        help="compare every other value of this dimension with the control, as variant=a; by the "
        "experiment of the configuration, else by the means of label, score and prediction",
    )
    add("--slices", type=_count, default=0, metavar="K",
        help="search for the worst slices, of up to three conditions each, and tell K of them; by "
        "default none")  # fmt: skip
    add("--before-after", type=arguments.time, metavar="TIME",
        help="compare what began at this time or later with what began before, of the same source; "
        "a table needs a --timestamp")  # fmt: skip
    add("--junit", metavar="FILE",
        help="write the findings as JUnit's XML: drift, alarms, changed columns fail")  # fmt: skip
    add("--html", metavar="FILE", help="write the findings as one HTML page; of a table with a "
        "--timestamp it has a timeline")  # fmt: skip
    add("--evidently", metavar="FILE",
        help="write Evidently's report on the same data to FILE; of quality, too, with --label and "
        "--prediction, or of records with feedback")  # fmt: skip
    add("--fail-on", action=arguments.Several, type=arguments.some_of(CONDITIONS),
        default=frozenset(), metavar="WHAT[,WHAT…]",
        help=f"exit 1 if there is any of {', '.join(CONDITIONS)}; by default exit 0; an "
        "insufficient verdict is no drift: say drift,insufficient to fail there")  # fmt: skip
    add("--feedback", action="append", default=[], metavar="FILE",
        help="join records with the labels in this file, as `monitor feedback load` reads them; "
        "may be given again; a store's own feedback is read anyway")  # fmt: skip
    add(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="do the work here, or in a Dask cluster; by default local",
    )
    add("--scheduler", metavar="ADDRESS",
        help="use this Dask scheduler; by default processes of this machine")  # fmt: skip


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor reference build`, beside the common ones."""
    _add_source_arguments(parser)
    parser.add_argument("--out", metavar="FILE", required=True, help="write the profile to FILE")
    parser.add_argument("--bins", type=_few, default=(), metavar="N",
        help="count numbers in N bins between their smallest and largest value, 3 to 50; by "
        "default 10")  # fmt: skip
    parser.set_defaults(chunks=0, alpha=(), tolerance=())


def _add_source_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", nargs="*",
        help="read these files, directories or URLs (https://, s3://, gs://, file://; patterns of "
        "names, too) of archived records, of tables, or of other people's logs, which their "
        "content tells, or standard input, `-`; or this stream, as "
        "redis://HOST:PORT/DB?endpoint=NAME&from=TIME&to=TIME; by default the records in --redis, "
        "else in the embedded store of --data")  # fmt: skip
    add("--format", choices=("auto", *FORMATS), default="auto", metavar="FORMAT",
        help=f"read the files as auto, {', '.join(FORMATS)}; by default auto")  # fmt: skip
    add("--by", action="append", default=[], metavar="DIMENSION",
        help="also judge each value of this dimension or column; may be given again")  # fmt: skip
    add(
        "--from",
        dest="start",
        type=arguments.time,
        metavar="TIME",
        help="read only what began then or later, as 2026-11-28T10:00:00Z",
    )
    add("--to", dest="end", type=arguments.time, metavar="TIME", help="read only what began before")
    add("--private-key", metavar="FILE",
        help="open records that are sealed in an archive with this PEM file")  # fmt: skip
    table = parser.add_argument_group("tables")
    for name, text in (
        ("ignore", "leave this column out"),
        ("prediction", "the model wrote this column"),
        ("label", "this column holds the truth"),
    ):
        table.add_argument(f"--{name}", action="append", default=[], metavar="COLUMN", help=text)
    table.add_argument("--score", default="", metavar="COLUMN",
        help="this column holds the probability of a positive; with the --label of a --reference, "
        "performance is estimated from it")  # fmt: skip
    table.add_argument("--positive", metavar="VALUE",
        help="scores are the probability of this label; by default outcomes.positive")  # fmt: skip
    table.add_argument("--protected", action="append", default=[], metavar="COLUMN",
        help="this column holds a protected attribute; fairness may name it")  # fmt: skip
    table.add_argument("--intersection", action="append", nargs=2, default=[], metavar="COLUMN",
        help="compare groups by the values of these two columns together")  # fmt: skip
    table.add_argument("--types", metavar="FILE",
        help="read the columns as this file says, a line `COLUMN: KIND` each (YAML or JSON), with "
        "the words that the report uses; by default the values tell")  # fmt: skip
    table.add_argument(
        "--timestamp", default="", metavar="COLUMN", help="this column holds the times"
    )


def _arm(text: str) -> tuple[str, str]:
    dimension, equals, control = text.partition("=")
    if not (dimension and equals and control):
        raise argparse.ArgumentTypeError(f"{text!r} is not DIMENSION=CONTROL, as variant=a")
    return dimension, control


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000")
    return int(text)


def _chunks(text: str) -> int | str:
    if text in PERIODS:
        return text
    try:
        return _count(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from 1 to 10000, nor {', '.join(PERIODS)}"
        ) from None


def _alphas(text: str) -> tuple[float, ...]:
    return _numbers(text, "a number between 0 and 1", lambda one: 0 < one < 1)


def _tolerances(text: str) -> tuple[float, ...]:
    return _numbers(text, "a number from 0 on", lambda one: 0 <= one < math.inf)


def _bins(text: str) -> tuple[int, ...]:
    fits: Callable[[float], bool] = lambda one: one in range(3, MOST_BINS + 1)  # noqa: E731
    return tuple(map(int, _numbers(text, f"a whole number from 3 to {MOST_BINS}", fits)))


def _few(text: str) -> tuple[int, ...]:
    if len(found := _bins(text)) > 1:
        raise argparse.ArgumentTypeError("a profile has one number of bins")
    return found


def _numbers(text: str, what: str, fits: Callable[[float], bool]) -> tuple[float, ...]:
    found = []
    for part in text.split(","):
        try:
            number = float(part)
        except ValueError:
            number = math.nan
        if not fits(number):
            raise argparse.ArgumentTypeError(f"{part!r} is not {what}")
        found.append(number)
    return tuple(dict.fromkeys(found))
