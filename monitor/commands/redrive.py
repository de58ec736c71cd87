"""`monitor redrive`: recorded requests, sent again to another endpoint, and what differs."""

from __future__ import annotations

import argparse
import ipaddress
import math
import os
import random
import re
import secrets
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from monitor import extras, stopping
from monitor.analysis.drift import embed
from monitor.archive.sealing import opener_of
from monitor.assembly import build, keyring
from monitor.assembly.log_recording import LogRecording
from monitor.commands import arguments, output
from monitor.commands.output import need, note, write
from monitor.commands.progress import watched
from monitor.damage import Damage
from monitor.errors import UsageError
from monitor.places import is_store
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.protocols import PROTOCOLS
from monitor.redrive import report
from monitor.redrive import run as driving
from monitor.redrive.client import Target
from monitor.redrive.compare import FEATURES, Feature
from monitor.redrive.document import Redrive
from monitor.redrive.estimate import estimate, within
from monitor.redrive.requests import select
from monitor.replay import archives, files, stored
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.types import Record
from monitor.urls import named

EXIT_FOUND = 1
LIMIT, CONCURRENCY, TIMEOUT = 1000, 4, 60.0
MOST_CONCURRENT = 256
LATE = 1.0
"""Seconds after which a request that was due is said to have waited."""
CONDITIONS = ("different", "insufficient", "failed")
FROM_ENVIRONMENT = "env:"
"""What stands before the name of a variable of the environment, alone or after `Bearer `."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor redrive`."""
    add = parser.add_argument
    add("source", metavar="SOURCE", nargs="*",
        help="read these files or directories of archived records, or this stream, as "
        "redis://HOST:PORT/DB?endpoint=NAME&from=TIME&to=TIME; by default the records in --redis, "
        "else in the embedded store of --data")  # fmt: skip
    add("--against", metavar="URL", help="send the requests to this endpoint; required")
    add("--baseline", metavar="URL",
        help="send each request twice to this endpoint too, so that what differs is told from "
        "noise; by default compare with what was recorded")  # fmt: skip
    add("--limit", type=_count, default=LIMIT, metavar="N",
        help=f"send the first N that can be sent again; by default {LIMIT}")  # fmt: skip
    add("--format", choices=("auto", *files.FORMATS), default="auto", metavar="FORMAT",
        help=f"read the files as auto, {', '.join(files.FORMATS)}; by default auto")  # fmt: skip
    add("--from", dest="start", type=arguments.time, metavar="TIME",
        help="read only what began then or later, as 2026-11-28T10:00:00Z")  # fmt: skip
    add("--to", dest="end", type=arguments.time, metavar="TIME", help="read only what began before")
    add("--private-key", metavar="FILE",
        help="open records that are sealed in an archive with this PEM file")  # fmt: skip
    add("--by", action="append", default=[], metavar="DIMENSION",
        help="also judge each value of this dimension; may be given again")  # fmt: skip
    add("--margin", action="append", default=[], type=_margin, metavar="[FEATURE=]SIZE",
        help="a difference up to SIZE does not matter: 0.05 is five answers of 100, or 5 %% "
        "longer or slower; by default 0.01 for failed, 0.02 for most, 0.07 for length and tokens, "
        "0.1 for latency and wording; without FEATURE= it is that of all")  # fmt: skip
    add("--dry-run", action="store_true",
        help="only say what can be sent again, and what that takes; send nothing")  # fmt: skip
    add("--json", nargs="?", const="-", metavar="FILE",
        help="write the findings as JSON; to stdout with -, or where no FILE follows")  # fmt: skip
    add("--fail-on", action=arguments.Several, type=arguments.some_of(CONDITIONS),
        default=frozenset(), metavar="WHAT[,WHAT…]",
        help=f"exit 1 if the verdict is one of different, insufficient, or if any request failed "
        f"({', '.join(CONDITIONS)}); by default exit 0")  # fmt: skip
    how = parser.add_argument_group("how to send")
    add = how.add_argument
    add("--speed", type=_positive, metavar="X",
        help="send as recorded, X times as fast; by default as fast as answers come")  # fmt: skip
    add("--concurrency", type=_count, default=CONCURRENCY, metavar="N",
        help=f"have at most N records under way; by default {CONCURRENCY}")  # fmt: skip
    add("--header", action="append", default=[], metavar="K=V",
        help="send this header to --against alone; env:NAME or Bearer env:NAME as V is the value "
        "of that variable, which keeps it out of the list of processes")  # fmt: skip
    add("--header-file", metavar="FILE", help="send the headers in this file, a line `K: V` each")
    add("--baseline-header", action="append", default=[], metavar="K=V",
        help="send this header to --baseline alone")  # fmt: skip
    add("--baseline-header-file", metavar="FILE", help="the same from a file")
    add("--model", default="", metavar="NAME",
        help="ask --against for this model; by default for the recorded one")  # fmt: skip
    add("--send", action="append", default=[], metavar="PATH",
        help="also send requests to this path, because they write nothing; needed for JSON of no "
        "known dialect, except to paths such as /predict")  # fmt: skip
    add("--timeout", type=_positive, default=TIMEOUT, metavar="SECONDS",
        help=f"wait so long for an answer; by default {TIMEOUT:g}")  # fmt: skip
    add("--stop-at-errors", type=_share, default=0.5, metavar="SHARE",
        help="end early when more than this share of the last 40 fail; by default 0.5")  # fmt: skip
    add("--max-requests", type=_count, metavar="N", help="send at most N requests")
    add("--max-tokens", type=_count, metavar="N",
        help="send no more than took N tokens when it was recorded")  # fmt: skip
    add("--max-cost", type=_positive, metavar="AMOUNT",
        help="send no more than cost so much when it was recorded")  # fmt: skip
    add("--yes-production", action="store_true",
        help="send although --against is the upstream of the configuration")  # fmt: skip
    common(parser, "endpoint", "redis", "data")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """`monitor redrive`; returns the exit code. Raises UsageError with one line for a person."""
    need(options.json)
    arguments.check_range(options)
    plan = None if options.dry_run and not options.against else _plan(options, settings)
    sides = 3 if options.baseline else 1
    damage = Damage()
    with (
        stopping.leaves("nothing was sent"),
        closing(_records(options, settings, damage)) as records,
    ):
        selection = select(records, PROTOCOLS, limit=options.limit, send=options.send)
    for place in damage.listed():
        note(f"could not be read: {place.place}: {place.error}")
    if damage.erasures:
        note(f"{damage.erasures:,} records were erased on request, and are not sent")
    if not selection.read:
        raise UsageError(f"{_named(options)}: has no records in this range")
    within(
        selection, sides,
        requests=options.max_requests or math.inf, tokens=options.max_tokens or math.inf,
        cost=options.max_cost or math.inf,
    )  # fmt: skip
    stream = sys.stderr if options.json == "-" else sys.stdout
    for line in report.selection_lines(selection, estimate(selection.chosen, sides), sides):
        print(line, file=stream)
    warned = list(report.warnings(selection))
    if options.baseline and _serves(options.baseline, settings):
        note("--baseline is what the configuration serves people with; it is asked twice a record")
    if plan is None or options.dry_run:
        for line in warned:
            note(line)
        return 0
    if not selection.chosen:
        raise UsageError(f"{_named(options)}: has no record that can be sent again")
    found = driving.redrive(
        selection, plan, _reader(settings),
        driving.World(time.time, time.monotonic, _shuffled(plan.run), _watched),
    )  # fmt: skip
    found = msgspec.structs.replace(
        found, remarks=[*found.remarks, *warned, *_remarks(plan, found)]
    )
    document = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    if options.json == "-":
        output.document(document)
    elif options.json:
        write(options.json, document)
    print(file=stream)
    for line in report.lines(found):
        print(line, file=stream)
    return _exit_code(found, options)


def _exit_code(found: Redrive, options: argparse.Namespace) -> int:
    """What was ended early has no result that `--fail-on` could be about: that is said instead.
    Raises UsageError where nothing was judged."""
    if found.stopped:
        return stopping.code(found.stopped)
    so = {found.verdict} | ({"failed"} if found.failed else set())
    if so & options.fail_on:
        return EXIT_FOUND
    if silent := _silent(found):
        raise UsageError(silent)
    return 0


def _silent(found: Redrive) -> str:
    """What to say where an endpoint answered nothing at all, so that there is nothing to judge."""
    sides = {
        f"--against: {found.against}": [one.candidate for one in found.pairs],
        f"--baseline: {found.baseline}": [side for one in found.pairs for side in one.baseline],
    }
    for name, replies in sides.items():
        if replies and all(one.status is None for one in replies):
            return f"{name}: answered none of {len(replies)} requests, so nothing was judged"
    return ""


def _remarks(plan: driving.Plan, found: Redrive) -> Iterator[str]:
    if plan.speed is not None and found.lag > LATE:
        yield (
            f"requests began up to {found.lag:.1f} s after they were due, as {plan.concurrency} "
            "were under way; --concurrency N allows more"
        )
    if found.throttled:
        yield f"{found.throttled} times an endpoint asked to wait (429), and was waited for"
    if plan.baseline is None:
        yield "judged against the recorded answers: latency is not judged; --baseline URL can"
        if any(one.status == "not judged" for one in found.features):
            yield "what a text says cannot be told from noise by one answer; --baseline URL can"


# --- what is asked -------------------------------------------------------------------------------


def _plan(options: argparse.Namespace, settings: Settings) -> driving.Plan:
    if not options.against:
        raise UsageError("--against: `monitor redrive` needs one, as http://127.0.0.1:9000")
    if options.concurrency > MOST_CONCURRENT:
        raise UsageError(f"--concurrency: {options.concurrency} is more than {MOST_CONCURRENT}")
    verify = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    against = Target.parse(
        options.against, "--against",
        _headers(options.header, options.header_file, "--header"), verify=verify,
        model=options.model,
    )  # fmt: skip
    baseline = None
    if options.baseline:
        baseline = Target.parse(
            options.baseline, "--baseline",
            _headers(options.baseline_header, options.baseline_header_file, "--baseline-header"),
            verify=verify,
        )  # fmt: skip
    elif options.baseline_header or options.baseline_header_file:
        raise UsageError("--baseline-header: there is no --baseline that it could go to")
    if _serves(options.against, settings) and not options.yes_production:
        raise UsageError(
            "--against: is the upstream of the configuration or its sidecar, which serve people; "
            "--yes-production sends all the same"
        )
    return driving.Plan(
        run=f"r{secrets.token_hex(8)}",
        against=against,
        baseline=baseline,
        concurrency=options.concurrency,
        speed=options.speed,
        timeout=options.timeout,
        errors=options.stop_at_errors,
        by=tuple(dict.fromkeys(options.by)),
        alpha=settings.drift.alpha,
        features=_features(options.margin),
    )


def _features(margins: Sequence[tuple[str, float]]) -> dict[str, Feature]:
    """What is compared, with the margins that are asked for; a named one before that of all."""
    asked = dict(margins)
    return {
        name: feature if (size := asked.get(name, asked.get(""))) is None else feature.within(size)
        for name, feature in FEATURES.items()
    }


def _serves(url: str, settings: Settings) -> bool:
    """Whether a target is the upstream of the configuration or its sidecar."""
    if not settings.upstream:
        return False
    return _place(url) in (_place(settings.upstream), _place(f"http://{settings.listen}"))


def _place(url: str) -> tuple[str, int | None]:
    """Host and port of a URL; all names and addresses of this machine's own are one.

    >>> _place("http://localhost:80/") == _place("http://127.0.0.1") == _place("http://0.0.0.0:80")
    True
    >>> _place("https://Models.example./v1")
    ('models.example', 443)
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
        is_here = address.is_loopback or address.is_unspecified
    except ValueError:
        is_here = host == "localhost"
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return "localhost" if is_here else host, port


def _headers(given: Iterable[str], file: str | None, option: str) -> dict[str, str]:
    """The headers of options and a file; raises UsageError, which shows no value."""
    found: dict[str, str] = {}
    for number, line in enumerate(_lines(file, f"{option}-file"), 1):
        name, separator, value = line.partition(":")
        if not separator:
            name, separator, value = line.partition("=")
        if line.strip() and not line.startswith("#"):
            _put(found, name, separator, value, f"{option}-file: {file}:{number}")
    for one in given:
        name, separator, value = one.partition("=")
        _put(found, name, separator, value, option)
    return found


def _put(found: dict[str, str], name: str, separator: str, value: str, where: str) -> None:
    name, value = name.strip().lower(), value.strip()
    if not separator or not _NAME.match(name):
        raise UsageError(f"{where}: is not K=V, as Authorization=env:API_KEY")
    scheme, marked, variable = value.rpartition(FROM_ENVIRONMENT)
    if marked and re.fullmatch(r"([A-Za-z]+ )?", scheme):
        if variable not in os.environ:
            raise UsageError(
                f"{where}: {name} is to be {variable}, which is not in the environment"
            )
        value = scheme + os.environ[variable].strip()
    if not _VALUE.match(value):
        raise UsageError(f"{where}: the value of {name} has characters that no header may have")
    found[name] = value


def _lines(file: str | None, option: str) -> list[str]:
    if not file:
        return []
    try:
        return Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise UsageError(f"{option}: {file} cannot be read: {reason}") from None


def _records(options: argparse.Namespace, settings: Settings, damage: Damage) -> Generator[Record]:
    """The records of all sources, the store's where none is named."""
    if not options.source:
        with opened(settings.redis, Path(settings.data)) as url:
            yield from _of_store(url, options, settings)
        return
    for place in filter(is_store, options.source):
        yield from _of_store(place, options, settings)
    places = [
        archives.selected(place, options.endpoint)
        for place in options.source
        if not is_store(place)
    ]
    opener = opener_of(options.private_key)
    found = files.find(
        places, options.format, damage, start=options.start, end=options.end, opener=opener
    )
    if files.is_table(found):
        raise UsageError(f"{found[0][0]}: is a table, and no table says what was asked")
    start = -math.inf if options.start is None else options.start
    end = math.inf if options.end is None else options.end
    recorded = files.records(
        found, damage, LogRecording(settings, lambda: keyring.at_rest(settings))
    )
    yield from (one for one in recorded if start <= one.started < end)


def _of_store(url: str, options: argparse.Namespace, settings: Settings) -> Iterator[Record]:
    store = stored.Store.parse(url, settings.endpoint, settings.stream.shards, time.time())
    empty = True
    for record in store.records(options.start, options.end):
        empty = False
        yield record
    if empty and (why := stored.absence(store.url, store.endpoint)):
        raise UsageError(f"SOURCE: {why}")


def _named(options: argparse.Namespace) -> str:
    """What was read, as it may be shown."""
    return ", ".join(map(named, options.source)) or "the store"


def _reader(settings: Settings) -> driving.AnswerReader:
    """What reads answers; its key is of this run alone, since no pseudonym leaves it."""
    section = msgspec.structs.replace(settings.privacy, seal_to=None, key_file=None)
    alone = Settings(privacy=section)
    privacy = build.privacy(alone, Keyring((Key("redrive", os.urandom(32)),)))
    encode = None
    if settings.drift.embed and extras.is_there("model2vec"):
        encode = embed.load(settings.drift.embed)
    elif settings.drift.embed:
        note(f"{embed.MISSING}; without it `meaning` is not compared")
    return driving.AnswerReader(PROTOCOLS, privacy, encode)


def _shuffled(seed: str) -> Callable[[driving.Names], driving.Names]:
    chance = random.Random(seed)  # noqa: S311  no secret: in which order sides are asked

    def shuffled(names: driving.Names) -> driving.Names:
        return chance.sample(names, len(names))

    return shuffled


def _watched(done: Iterable[driving.Done], total: int) -> Iterator[driving.Done]:
    return watched(done, "sent", total, every=1)


# --- small things --------------------------------------------------------------------------------


def _margin(text: str) -> tuple[str, float]:
    """A feature, empty for all, and the margin that it is to have."""
    name, separator, size = text.rpartition("=")
    if (separator and name not in FEATURES) or size == "":
        known = ", ".join(FEATURES)
        raise argparse.ArgumentTypeError(f"{text!r} is not FEATURE=SIZE with one of {known}")
    number = _positive(size)
    if number >= 1 and not (separator and FEATURES[name].scale):
        raise argparse.ArgumentTypeError(f"{text!r} is not a share below 1, as 0.05")
    return name, number


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (number > 0 and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _share(text: str) -> float:
    number = _positive(text)
    if number > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share, as 0.5")
    return number
