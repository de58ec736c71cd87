"""`monitor records`: look at what is stored, in a store that runs or an embedded one at rest."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from monitor.commands import arguments, proof
from monitor.commands.output import document
from monitor.logs import plain
from monitor.queries.records import chosen
from monitor.replay import stored
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.types import ABSENT, EDGE_CASE, Outcome, Record, encode_record

EXIT_MISSING = 1
WIDTH = 80

HEAD = f"{'ID':36} {'BEGAN (UTC)':19} {'SECONDS':>7} OUTCOME"

DESCRIPTION = (
    "Print the stored records, oldest first: id, time, duration and outcome of each exchange, then "
    "what it was. Personal data in records is pseudonymized. Without --redis the embedded store of "
    "--data is read, also while `monitor run` uses it."
)


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor records list` and `monitor records show`."""
    actions = parser.add_subparsers(metavar="COMMAND", required=True, dest="action")
    listing = actions.add_parser(
        "list",
        help="print records, oldest first",
        description=DESCRIPTION,
        formatter_class=parser.formatter_class,
    )
    add = listing.add_argument
    add("--from", dest="start", type=arguments.time, metavar="TIME",
        help="print only what began then or later, as 2026-11-28T10:00:00Z")  # fmt: skip
    add(
        "--to", dest="end", type=arguments.time, metavar="TIME", help="print only what began before"
    )
    add("--segment", action="append", default=[], type=_segment, metavar="DIMENSION=VALUE",
        help="print only this segment, as population=north; may be given again")  # fmt: skip
    add("--outcome", choices=[one.value for one in Outcome], metavar="OUTCOME",
        help="print only records with this outcome, as ok or server_error")  # fmt: skip
    add("--edge-case", metavar="NAME",
        help="print only records of this edge case, as refusal or tool_loop")  # fmt: skip
    add("--limit", type=_count, metavar="N", help="print only the newest N; by default all")
    add("--json", action="store_true", help="print each record as a JSON document on a line")
    common(listing, "endpoint", "redis", "data")
    show = actions.add_parser(
        "show",
        help="print one record, whole",
        description="Print one record as an indented JSON document. Exit code 1: it is not there.",
        formatter_class=parser.formatter_class,
    )
    show.add_argument(
        "id", metavar="ID", help="id of the record, as `monitor records list` prints it"
    )
    common(show, "endpoint", "redis", "data")
    prove = actions.add_parser(
        "prove",
        help="write the proof of one archived record",
        description="Write a proof that an archive holds this record, unaltered: the record, the "
        "path of its leaf to the root of a checkpoint, and that, which may be signed. `monitor "
        "verify FILE --public-key audit.pub` needs nothing else. Exit code 1: it is not there.",
        epilog="example:\n  monitor records prove ID /var/lib/monitor/archive --out proof.json\n",
        formatter_class=parser.formatter_class,
    )
    proof.add_arguments(prove)
    common(prove, "endpoint")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print records to stdout; returns the exit code. Raises UsageError for a person."""
    if options.action == "prove":
        return proof.run(options)
    if options.action == "list":
        arguments.check_range(options)
    with opened(settings.redis, Path(settings.data)) as url:
        if options.action == "show":
            return _show(url, settings, options.id)
        return _list(url, settings, options)


def _show(url: str, settings: Settings, record_id: str) -> int:
    record = stored.find(url, settings.endpoint, record_id, shards=settings.stream.shards)
    if record is None:
        gone = stored.absence(url, settings.endpoint)
        said = gone or f"{plain(record_id)}: no such record of endpoint {settings.endpoint}"
        print(f"monitor: {said}", file=sys.stderr)
        return EXIT_MISSING
    document(_indented(record).encode() + b"\n")
    return 0


def _list(url: str, settings: Settings, options: argparse.Namespace) -> int:
    wanted = chosen(options.segment, options.outcome, options.edge_case)
    where = {"shards": settings.stream.shards, "start": options.start, "end": options.end}
    found: Iterable[Record]
    if options.limit is None:
        found = filter(wanted, stored.records(url, settings.endpoint, **where))
    else:
        found = stored.newest(url, settings.endpoint, count=options.limit, keep=wanted, **where)
    count, stands_for = 0, 0.0
    for record in found:
        if options.json:
            document(encode_record(record) + b"\n")
        else:
            if not count:
                print(HEAD)
            print("\n".join(lines(record)))
        count += 1
        stands_for += 1 / record.sampled
    if stands_for != count:
        print(
            f"monitor: {count:,} records, a sample of about {stands_for:,.0f} exchanges "
            "(capture.sample_over)",
            file=sys.stderr,
        )
    if not count:
        said = stored.absence(url, settings.endpoint) or (
            f"no such records of endpoint {settings.endpoint} (--endpoint, --segment, --outcome, "
            "--edge-case, --from and --to say which)"
        )
        print(f"monitor: {said}", file=sys.stderr)
    return 0


def lines(record: Record) -> list[str]:
    """A record in a few lines of at most 80 columns, the id whole."""
    head = (
        f"{plain(record.id):36} {_shown(record.started):19} {record.duration:7.3f} "
        f"{record.outcome.value}"
    )
    words = [record.operation, record.model]
    words += [f"{name}={value}" for name, value in record.segments.items() if value != ABSENT]
    words += [f"{EDGE_CASE}={name}" for name in record.edge_cases]
    words += [f"failed={name}" for name, one in record.checks.items() if not one.passed]
    if record.tokens:
        words.append(f"tokens={record.tokens.input}+{record.tokens.output}")
    words += [f"{count} {entity}" for entity, count in record.pseudonyms.items()]
    if record.sampled < 1:
        words.append(f"sampled={record.sampled:.2g}")
    about = "  ".join(plain(word).replace(" ", "\u00a0") for word in words if word)
    folded = textwrap.wrap(
        about, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )
    return [head, *(line.replace("\u00a0", " ") for line in folded)]


def _shown(seconds: float) -> str:
    try:
        return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):  # somebody else's record, of no year that there is
        return f"{seconds:g}"


def _indented(record: Record) -> str:
    """The document, with everything a terminal could obey written as an escape."""
    text = json.dumps(msgspec.to_builtins(record), indent=2, ensure_ascii=False)
    return "".join(
        one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text
    )


def _segment(text: str) -> tuple[str, str]:
    dimension, equals, value = text.partition("=")
    if not (dimension and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not DIMENSION=VALUE, as population=north")
    return dimension, value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**9):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
