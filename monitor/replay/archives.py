"""A place that is an archive of `monitor` → files that are read by its manifests, in a range."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from tempfile import gettempdir

from monitor.archive import reading, storage
from monitor.archive.reading import Shard
from monitor.damage import Damage
from monitor.errors import ArchiveError, SourceError
from monitor.interfaces import Source
from monitor.sources import archive
from monitor.types import Record
from monitor.urls import shown

WEB = ("http://", "https://")
"""URLs of which nobody can ask what is there."""

ENDPOINT = "endpoint="
"""How the directory of an endpoint begins, which may be named to mean that one."""


def found(place: str, start: float | None, end: float | None) -> list[tuple[Path, Source]] | None:
    """The files of an archive that may hold Records that began in a range (Unix seconds), and what
    reads them; None where the place is no archive.

    Several shards are merged by the times at which Records began, as those of a store are. Raises
    SourceError for an archive that cannot be read, and where it has several endpoints.
    """
    if place.lower().startswith(WEB) or any(sign in place for sign in "*?["):
        return None
    root, _, named = place.rstrip("/").rpartition("/")
    if not named.startswith(ENDPOINT):
        root, named = place, ""
    try:
        system = storage.at(root or ("/" if place.startswith("/") else "."), Path(gettempdir()))
        inside = reading.endpoints(system)
    except ArchiveError:
        return None  # whoever opens it as files says why
    endpoint = named.removeprefix(ENDPOINT) or (inside[0] if inside else "")
    if endpoint not in inside:
        return None
    if not named and len(inside) > 1:
        listed = ", ".join(inside[:8])
        raise SourceError(
            f"{shown(place)}: is an archive of several endpoints ({listed}); name one, as "
            f"{shown(place).rstrip('/')}/{ENDPOINT}{endpoint}"
        )
    try:
        shards = reading.read(system, endpoint, start, end)
    except ArchiveError as error:
        raise SourceError(str(error)) from None
    return _merged(shards, Path(shown(place)))


def _merged(shards: list[Shard], place: Path) -> list[tuple[Path, Source]]:
    filled = [shard.files for shard in shards if shard.files]
    if len(filled) < 2:
        return [(path, archive.SOURCE) for files in filled for path in files]
    return [(place, replace(archive.SOURCE, records=partial(_by_time, filled)))]


def _by_time(filled: list[tuple[Path, ...]], _: Path, damage: Damage) -> Iterator[Record]:
    each = [chain.from_iterable(archive.read(path, damage) for path in files) for files in filled]
    return heapq.merge(*each, key=attrgetter("started"))
