"""`monitor erase`: pseudonyms → stream, spool and archive without the records that name them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import msgspec

from monitor import stopping
from monitor.archive import reading, storage
from monitor.archive.manifests import Erasure
from monitor.archive.sealing import opener_of
from monitor.archive.storage import Storage
from monitor.assembly.auditing import signing_key, trusted_keys
from monitor.commands import audit_log, reasons
from monitor.commands.output import document, note
from monitor.commands.progress import watched
from monitor.erasure.run import ErasureRun, Found, digest
from monitor.erasure.store import StoreErasure
from monitor.errors import ArchiveError, ConfigError, StreamError, UsageError
from monitor.marks import PSEUDONYM
from monitor.privacy.pseudonyms import Mentions
from monitor.replay import stored
from monitor.replay.archives import absence, split
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.texts import printable
from monitor.urls import shown

LOG = "erase.jsonl"

MOST = 100
"""Pseudonyms of one run."""

DESCRIPTION = (
    "Take a person out: every record in which a pseudonym occurs, in the stream, in the spools "
    "below --data and in the archive of an endpoint, with what feedback, reviews, the log of "
    "decisions and prompt templates say of them. Rows of the archive become tombstones: number, "
    "id and leaf stay, so `monitor verify` still proves all else. Who erased what, when and why is "
    "written to an audit log before anything goes; the pseudonyms are not. May be run again at "
    "any time. docs/erasure.md says what it does not reach."
)

EXAMPLE = """\
example:
  echo ada@example.org | monitor keys pseudonym --entity EMAIL_ADDRESS
  monitor erase --pseudonym '<EMAIL_ADDRESS:k1:…>' --reason 'ticket 7' --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor erase`."""
    add = parser.add_argument
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    add("--pseudonym", action="append", required=True, metavar="TOKEN",
        help="erase the records that name it, as '<EMAIL_ADDRESS:k1:…>'; may be given again: a "
        "value has one for each key")  # fmt: skip
    add("--reason", required=True, metavar="TEXT",
        help="write this reason to the audit log, and to the archive for good")  # fmt: skip
    add("--archive", metavar="URL", help="erase in this archive; by default that of archive.url")
    add("--private-key", metavar="FILE",
        help="open records that are sealed in the archive with this PEM file")  # fmt: skip
    add("--dry-run", action="store_true", help="say what would go, and change nothing")
    add("--json", action="store_true", help="print one JSON document")
    add("--audit", metavar="FILE",
        help=f"append to this audit log; by default {LOG} in --data")  # fmt: skip
    common(parser, "endpoint", "redis", "data")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Erase, and print what is gone; returns the exit code. Raises UsageError for a person."""
    tokens = list(dict.fromkeys(options.pseudonym))
    _checked(tokens)
    reasons.check(options.reason, settings, "the archive")
    went = "nothing was changed"
    try:
        with stopping.leaves(lambda: went), _run(options, settings, tokens) as (one, others):
            found = one.look()
            if not found.total and (why := _absence(settings, one)):
                raise UsageError(why)
            if not options.dry_run:
                went = "run it again: what is gone stays gone"
                found = _erased(one, found, tokens, options, settings)
    except (ArchiveError, StreamError) as error:
        raise UsageError(f"{error}; {went}") from None
    _print(options, settings, found)
    _notes(found, one, others)
    return 0


def _checked(tokens: list[str]) -> None:
    """Raise ConfigError for pseudonyms that are none, or too many."""
    for token in tokens:
        if not PSEUDONYM.fullmatch(token):
            raise ConfigError(
                f"--pseudonym: {printable(token)[:80]!r} is no pseudonym, as "
                "'<EMAIL_ADDRESS:k1:…>'; `monitor keys pseudonym` prints that of a value"
            )
    if len(tokens) > MOST:
        raise ConfigError(f"--pseudonym: {MOST} at a time, at most; run it again for the others")


@contextlib.contextmanager
def _run(
    options: argparse.Namespace, settings: Settings, tokens: list[str]
) -> Generator[tuple[ErasureRun, list[str]]]:
    """What erases, and which other endpoints the archive has. An embedded store then writes its
    file anew: that has all that was ever appended, also where a run before this one was killed."""
    url = options.archive or settings.archive.url
    endpoint = settings.endpoint
    names = Mentions(tokens)
    with contextlib.ExitStack() as stack:
        ask = stack.enter_context(asyncio.Runner())
        archive: Storage | None = None
        inside: set[str] = set()
        if url:
            root, named = split(url)
            if named not in ("", endpoint):
                raise UsageError(
                    f"--archive: {shown(url)} names endpoint {named}, and --endpoint {endpoint}"
                )
            storage.writable(root)
            archive = storage.at(root, Path(tempfile.gettempdir()))
            inside = set(reading.endpoints(archive))
            if options.archive and endpoint not in inside:
                raise UsageError(f"--archive: {shown(url)}: {absence(sorted(inside), endpoint)}")
        store = None
        if place := _store(stack, settings, is_needed=archive is None):
            store = StoreErasure(place, endpoint, settings.stream.shards, names)
            stack.callback(lambda: ask.run(store.close()))
        elif not options.json:
            note("there is no store: only the archive and the spools below --data are looked at")
        yield (
            ErasureRun(
                endpoint, names, data=Path(settings.data), store=store, archive=archive,
                is_archived=url == settings.archive.url, sign=signing_key(settings),
                trusted=trusted_keys(settings), watch=partial(watched, every=1), ask=ask,
                opener=opener_of(options.private_key),
            ),
            sorted(inside - {endpoint}),
        )  # fmt: skip
        if store is not None and not settings.redis and not options.dry_run:
            ask.run(store.rewrite())


def _store(stack: contextlib.ExitStack, settings: Settings, *, is_needed: bool) -> str:
    """The URL of the store; empty where there is none, and an archive is enough."""
    try:
        return stack.enter_context(opened(settings.redis, Path(settings.data)))
    except ConfigError as error:
        if is_needed or "holds no embedded store" not in str(error):
            raise
        return ""


def _erased(
    one: ErasureRun, found: Found, tokens: list[str], options: argparse.Namespace,
    settings: Settings,
) -> Found:  # fmt: skip
    """Erase, once it is written down who does it and why; and write down what is gone."""
    log = Path(options.audit or Path(settings.data) / LOG)
    who = audit_log.who()
    said = {
        "who": who,
        "reason": options.reason,
        "endpoint": settings.endpoint,
        "pseudonyms": [_written(token) for token in tokens],
    }
    audit_log.append(log, {**said, "found": msgspec.to_builtins(found)}, "nothing is erased")
    how = Erasure(who, options.reason, [digest(token) for token in tokens])
    gone = one.erase(how, time.time)
    refusal = "it is erased; the line with what is gone is missing"
    erased = msgspec.to_builtins(gone)
    left = {"state": erased.pop("state")}  # which is not erased
    done = {**said, "erased": erased, "left": left, "manifests": one.told(how.pseudonyms)}
    note(audit_log.told(log, audit_log.append(log, done, refusal)))
    return gone


def _written(token: str) -> dict[str, str]:
    """What the log says of a pseudonym: not what leads back to a person without the key."""
    entity, key, _ = token[1:-1].split(":")
    return {"entity": entity, "key": key, "sha256": digest(token)}


def _absence(settings: Settings, one: ErasureRun) -> str:
    """What to say where there is no such endpoint at all; empty where there is one."""
    if one.is_known or not settings.redis:
        return ""
    return stored.absence(settings.redis, settings.endpoint)


WHERE = {
    "stream": "records in the stream",
    "spool": "records in spools",
    "archive": "records in the archive",
    "feedback": "items of feedback",
    "reviews": "reviews that waited",
    "decisions": "entries of the log of decisions",
    "templates": "prompt templates",
}


def _print(options: argparse.Namespace, settings: Settings, found: Found) -> None:
    if options.json:
        told = {
            "endpoint": settings.endpoint, "dry_run": options.dry_run,
            **msgspec.to_builtins(found),
        }  # fmt: skip
        document(msgspec.json.encode(told) + b"\n")
        return
    what = "would be erased" if options.dry_run else "erased"
    for name, words in WHERE.items():
        if count := getattr(found, name):
            files = f", in {found.files:,} files" if name == "archive" else ""
            print(f"{what}: {count:,} {words}{files}")
    if not found.total:
        print(f"endpoint {printable(settings.endpoint)}: nothing names it")


def _notes(found: Found, one: ErasureRun, others: list[str]) -> None:
    """What a person should know beside."""
    if found.spool:
        note("records in spools are counted as lost, reason unreadable, by their recorders")
    if found.state:
        note(
            f"{found.state:,} fields of the analyzer's state name it; they go when their exchanges "
            "are due (outcomes.wait) or the segment is forgotten; see docs/erasure.md"
        )
    for other in sorted(one.continued)[:MOST]:
        note(f"{other} is of the same value, under another key: erase it too")
    if others:
        named = ", ".join(map(printable, others[:8]))
        note(f"other endpoints of the archive were not looked at: {named}; --endpoint NAME")
