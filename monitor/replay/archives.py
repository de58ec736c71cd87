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
from urllib.parse import quote, unquote

from monitor.archive import reading, storage
from monitor.archive.reading import Shard
from monitor.archive.storage import Storage
from monitor.damage import Damage
from monitor.errors import ArchiveError, SourceError
from monitor.interfaces import Source
from monitor.places import is_store
from monitor.sources import archive
from monitor.types import Record
from monitor.urls import shown

WEB = ("http://", "https://")
"""URLs of which nobody can ask what is there."""

ENDPOINT = "endpoint="
"""How the directory of an endpoint begins, which may be named to mean that one."""


def found(
    place: str, start: float | None, end: float | None, opener: archive.Opener | None = None
) -> list[tuple[Path, Source]] | None:
    """The files of an archive that may hold Records that began in a range (Unix seconds), and what
    reads them; None where the place is no archive.

    Several shards are merged by the times at which Records began, as those of a store are. Raises
    SourceError for an archive that cannot be read, and where it has several endpoints.
    """
    if (opened := _opened(place)) is None:
        return None
    system, inside, named = opened
    endpoint = named or (inside[0] if inside else "")
    if endpoint not in inside:
        return None
    if not named and len(inside) > 1:
        raise SourceError(
            f"{shown(place)}: is an archive of several endpoints ({_listed(inside)}); name one, as "
            f"{shown(place).rstrip('/')}/{directory_of(endpoint)}"
        )
    try:
        shards = reading.read(system, endpoint, start, end)
    except ArchiveError as error:
        raise SourceError(str(error)) from None
    return _merged(shards, Path(shown(place)), opener)


def selected(place: str, endpoint: str | None) -> str:
    """Return the place of an endpoint that was asked for in an archive; the place as it is where it
    names one itself, or is no archive. Raises SourceError where the archive has not that one."""
    if not endpoint or (opened := _opened(place)) is None:
        return place
    _, inside, named = opened
    if named or not inside:
        return place
    if endpoint not in inside:
        raise SourceError(f"{shown(place)}: {absence(inside, endpoint)}")
    return f"{place.rstrip('/')}/{directory_of(endpoint)}"


def split(place: str) -> tuple[str, str]:
    """Return (where an archive is, the endpoint that the place names, if any).

    >>> split("/a/endpoint=bot/")
    ('/a', 'bot')
    """
    root, _, named = place.rstrip("/").rpartition("/")
    if not named.startswith(ENDPOINT):
        return place, ""
    return root or ("/" if place.startswith("/") else "."), unquote(named.removeprefix(ENDPOINT))


def directory_of(endpoint: str) -> str:
    """Return the directory of an endpoint below its archive."""
    return f"{ENDPOINT}{quote(endpoint, safe='')}"


def absence(inside: list[str], endpoint: str) -> str:
    """Return what to say of an archive that has not the endpoint that was asked for, or none."""
    if not inside:
        return "has no chain of manifests, so nothing can be told of what is there"
    return f"has no chain of endpoint {endpoint}; it has {_listed(inside)}"


def _opened(place: str) -> tuple[Storage, list[str], str] | None:
    """(what is at a place, the endpoints that it has chains of, the one that the place names);
    None where nobody can look."""
    if place.lower().startswith(WEB) or is_store(place) or any(sign in place for sign in "*?["):
        return None
    root, named = split(place)
    try:
        system = storage.at(root, Path(gettempdir()))
        return system, reading.endpoints(system), named
    except ArchiveError:
        return None  # whoever opens it as files says why


def _listed(inside: list[str]) -> str:
    return ", ".join(inside[:8]) + (", …" if len(inside) > 8 else "")


def _merged(
    shards: list[Shard], place: Path, opener: archive.Opener | None
) -> list[tuple[Path, Source]]:
    filled = [shard.files for shard in shards if shard.files]
    if len(filled) < 2:
        return [(path, archive.SOURCE) for files in filled for path in files]
    return [(place, replace(archive.SOURCE, records=partial(_by_time, filled, opener)))]


def _by_time(
    filled: list[tuple[Path, ...]], opener: archive.Opener | None, _: Path, damage: Damage
) -> Iterator[Record]:
    each = [
        chain.from_iterable(archive.read(path, damage, opener=opener) for path in files)
        for files in filled
    ]
    return heapq.merge(*each, key=attrgetter("started"))
