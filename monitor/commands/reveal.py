"""`monitor reveal`: sealed values of pseudonyms, for whoever holds the private key and says why."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor.archive.sealing import Opener, opener_of
from monitor.commands import audit_log, reasons
from monitor.commands.output import note
from monitor.damage import Damage
from monitor.errors import UsageError
from monitor.marks import PSEUDONYM
from monitor.places import is_store
from monitor.privacy.sealing import opener
from monitor.replay import archives, files
from monitor.replay.stored import Store
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.types import Record

EXIT_MISSING = 1
LOG = "reveal.jsonl"

DESCRIPTION = (
    "Print the values behind pseudonyms, a line each: PSEUDONYM, a tab, the value. Only values "
    "that were sealed can be opened: with a public key in `privacy.seal_to`, each record carries "
    "the values of its pseudonyms in boxes that only the private key opens. Secrets (passwords, "
    "API keys) are never sealed. Who asked, when, why and for which pseudonyms is written to an "
    "audit log before anything is printed; the values are not. Exit code 1: a pseudonym that was "
    "named was not found."
)

EXAMPLE = """\
example:
  monitor keys pair --out DIR      once; DIR/reveal.pub is for privacy.seal_to
  monitor reveal '<EMAIL_ADDRESS:k1:…>' --private-key DIR/reveal.key \\
      --reason 'ticket 7'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor reveal`, beside the common ones."""
    add = parser.add_argument
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    add("what", nargs="*", metavar="SOURCE|TOKEN",
        help="open these pseudonyms, by default all; read records from these stores or archived "
        "files, by default from --redis, else from the embedded store of --data")  # fmt: skip
    add("--archive-key", metavar="FILE",
        help="open records that are sealed in an archive with this PEM file")  # fmt: skip
    add("--private-key", required=True, metavar="FILE",
        help="open with this key: reveal.key, as `monitor keys pair` wrote it")  # fmt: skip
    add("--reason", required=True, metavar="TEXT", help="write this reason to the audit log")
    add("--audit", metavar="FILE",
        help=f"append to this audit log; by default {LOG} in --data")  # fmt: skip


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print `PSEUDONYM<tab>VALUE` lines; 1 when a named pseudonym was not found.

    What is about to be shown is in the audit log, on disk, before it is shown.
    """
    reasons.check(options.reason, settings, "the audit log")
    wanted = dict.fromkeys(one for one in options.what if PSEUDONYM.fullmatch(one))
    places = [archives.selected(one, options.endpoint) for one in options.what if one not in wanted]
    open_box = opener(Path(options.private_key))
    values: dict[str, str] = {}
    closed = 0
    with contextlib.ExitStack() as stack:
        if not places:
            places = [stack.enter_context(opened(settings.redis, Path(settings.data)))]
        unsealed = opener_of(options.archive_key, "--archive-key")
        for token, box in _sealed(places, settings, unsealed):
            if token in values or (wanted and token not in wanted):
                continue
            value = open_box(token, box)
            if value is None:
                closed += 1
            else:
                values[token] = value
    # Who asked when and why for which pseudonyms, and how many opened; never a value.
    log = Path(options.audit or Path(settings.data) / LOG)
    line = audit_log.append(
        log,
        {
            "who": audit_log.who(),
            "reason": options.reason,
            "tokens": [*wanted] or [*values],
            "count": len(values),
        },
        "nothing is shown",
    )
    for token, value in values.items():
        print(f"{token}\t{json.dumps(value, ensure_ascii=False)[1:-1]}")
    missing = [token for token in wanted if token not in values]
    if closed:
        print(f"monitor: {closed} boxes are not for this key", file=sys.stderr)
    note(audit_log.told(log, line))
    if missing:
        print(f"monitor: not found: {', '.join(missing)}", file=sys.stderr)
    return EXIT_MISSING if missing else 0


def _sealed(
    places: Sequence[str], settings: Settings, unsealed: Opener | None
) -> Iterator[tuple[str, str]]:
    """(pseudonym, box) of all records in some places."""
    for record in _records(places, settings, unsealed):
        for line in record.sealed:
            token, _, box = line.partition(" ")
            yield token, box


def _records(
    places: Sequence[str], settings: Settings, unsealed: Opener | None
) -> Iterator[Record]:
    for place in filter(is_store, places):
        shards = settings.stream.shards
        yield from Store.parse(place, settings.endpoint, shards, time.time()).records(None, None)
    found = files.find([place for place in places if not is_store(place)], opener=unsealed)
    if files.is_table(found):
        raise UsageError(f"{found[0][0]}: is a table; sealed values stand in records")
    damage = Damage()
    yield from files.records(found, damage)
    for one in damage.listed():
        print(f"monitor: could not be read: {one.place}: {one.error}", file=sys.stderr)
