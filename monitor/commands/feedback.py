"""`monitor feedback load`: files of labels and events → the stream of feedback."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from monitor import stopping
from monitor.assembly.feedback_intake import Intake
from monitor.commands.progress import watched
from monitor.damage import Damage
from monitor.errors import StreamError, UsageError
from monitor.logs import plain
from monitor.replay.statements import Said, statements
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.urls import shown

EXIT_REJECTED = 1
ONCE = "each item counts once"
BATCH = 5000
"""Items of one transaction."""


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor feedback load`."""
    actions = parser.add_subparsers(metavar="COMMAND", required=True, dest="action")
    load = actions.add_parser(
        "load",
        help="put labels and events of files into the store",
        description="Read CSV, JSON lines or Parquet, an item a line or row, and put it into the "
        "stream of feedback, pseudonymized. A CSV's columns are an item's keys, as id,label,at or "
        "business.order,event,value. To load a file again is safe: what is there counts once. "
        "Exit code 1: some lines were not taken; each is named.",
        epilog="example:\n  monitor feedback load labels.csv --id-column record\n",
        formatter_class=parser.formatter_class,
    )
    load.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV, JSONL or Parquet")
    load.add_argument(
        "--id-column",
        default="",
        metavar="COLUMN",
        help="the column that holds the ids of records; by default id",
    )
    common(load, "endpoint", "redis", "data")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Load the files; returns the exit code. Raises UsageError for a person."""
    damage = Damage()
    with opened(settings.redis, Path(settings.data)) as url:
        said = itertools.chain.from_iterable(
            statements(path, damage, id_column=options.id_column) for path in options.files
        )
        so_far = _SoFar()
        with stopping.leaves(lambda: f"{so_far.words or 'no item was taken'}. Load again: {ONCE}"):
            asyncio.run(_load(watched(said, "items"), settings, url, damage, so_far))
    taken = so_far.taken
    rejected = sum(one.count for one in damage.listed())
    for one in damage.listed():
        more = f" ({one.count:,} lines)" if one.count > 1 else ""
        print(f"monitor: {plain(one.place)}: {plain(one.error)}{more}", file=sys.stderr)
    print(f"{taken:,} items taken, {rejected:,} not", file=sys.stderr)
    if taken > settings.stream.max_length:
        print(
            f"monitor: the stream keeps about {settings.stream.max_length:,} items "
            "(stream.max_length): the analyzer must have read the others meanwhile",
            file=sys.stderr,
        )
    return EXIT_REJECTED if damage.listed() else 0


@dataclass
class _SoFar:
    """How many items are in the store, and the place of the last of them."""

    taken: int = 0
    last: str = ""

    @property
    def words(self) -> str:
        return f"taken are {self.taken:,} items, up to {plain(self.last)}" if self.last else ""


async def _load(
    said: Iterator[Said], settings: Settings, url: str, damage: Damage, so_far: _SoFar
) -> None:
    intake = Intake(msgspec.structs.replace(settings, redis=url))
    try:
        while batch := list(itertools.islice(said, BATCH)):
            done = await intake.append([one.statement for one in batch])
            so_far.taken += done.accepted
            for one in done.rejected:
                place = batch[one.index].place
                damage.rows(Path(place.rpartition(":")[0]), place, one.error)
            so_far.last = batch[-1].place
    except StreamError as error:
        upto = f"; {so_far.words}" if so_far.words else ""
        raise UsageError(
            f"{shown(url)}: {error}{upto}. Load again when it is back: {ONCE}"
        ) from None
    finally:
        await intake.close()
