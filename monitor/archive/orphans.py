"""Orphans: what stands below an archive and no manifest lists, and who would read it.

Readers that know no manifests, such as pandas and DuckDB, take what is called like a file of rows,
or all that is not hidden; links lead them elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from monitor.archive.chain import Chain
from monitor.archive.held import Holdings
from monitor.archive.manifests import NEW, File, Manifest, day, entry, hour
from monitor.archive.storage import NO_FILE

PARQUET = (".parquet", f".parquet{NEW}")
"""How files of rows are called, before and after they are listed; readers take any case."""

_STEP = re.compile(
    r"endpoint=([^/]+)/date=([0-9-]{10})(?:/hour=([0-9]{2}))?/shard=([0-9]{1,9})/"
    r"([0-9]{1,20}-[0-9]{1,20})_[0-9]{1,20}-[0-9]{1,20}_[0-9a-f]{12}\.parquet\.new"
)
"""The path of a file that no manifest lists yet: endpoint, date, hour, shard, first entry."""


def irregular(place: Path, *, is_named: bool) -> Iterator[tuple[Path, str]]:
    """(a path, what is wrong with it), of a directory and below."""
    if is_named and place.is_symlink():
        yield place, "is a symbolic link: an archive has none"
        return
    try:
        with os.scandir(place) as found:
            inside = sorted(found, key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):  # it has gone meanwhile
        return
    for one in inside:
        path = Path(one.path)
        if one.is_symlink():
            yield path, "is a symbolic link: an archive has none"
        elif one.is_dir():
            if one.name.lower().endswith((*PARQUET, ".json")):
                yield path, NO_FILE
            yield from irregular(path, is_named=False)
        elif not one.is_file() and os.path.lexists(path):
            yield path, NO_FILE


class Gone(NamedTuple):
    """A file that was listed and is not any more: that it should be gone, that it is going, and the
    file itself where it may not have gone yet."""

    done: str
    doing: str
    file: File | None


def _expired(file: File | None) -> Gone:
    return Gone("archive.keep has deleted it", "archive.keep is deleting", file)


def _replaced(file: File | None) -> Gone:
    return Gone("another one has taken its place", "another one is taking the place of", file)


def listed(chain: Chain) -> tuple[dict[str, Gone | None], str]:
    """(the files that a chain lists, or has listed, by their paths; the first entry of the last one
    with new rows). Those that are read are None."""
    files: dict[str, Gone | None] = {}
    holdings = Holdings()
    last: Manifest | None = None
    first, before = "", 0
    for link in chain.links():
        before, last = last.kept if last else 0, link.manifest
        for file in last.replaces.files if last.replaces else ():
            files[file.path] = _replaced(None)
        holdings.add(last)
        if last.file is not None and last.replaces is None:
            first = last.file.first
        elif last.file is None and entry(last.position.partition("/")[0]) < entry(first):
            first = ""  # the stream ended before that, or another store goes on
    if last is None:
        return files, first
    for file in last.replaces.files if last.replaces else ():
        files[file.path] = _replaced(file)
    for one in holdings.all():
        files[one.file.path] = (
            None if one.last >= last.kept
            else _expired(None if one.last < before else one.file)
        )  # fmt: skip
    return files, first


def is_data(path: str) -> bool:
    """Whether a reader that knows no manifests could take a file for one of the archive: all that
    is called like Parquet, and what is not hidden among the files of an endpoint."""
    is_hidden = any(part.startswith((".", "_")) for part in path.split("/"))
    return path.lower().endswith(PARQUET) or (path.startswith("endpoint=") and not is_hidden)


def is_unfinished(path: str, steps: dict[tuple[str, int], str]) -> bool:
    """Whether a file may be of a step that is being made: not before the last one, whose other
    writers remove theirs."""
    found = _STEP.fullmatch(path)
    if found is None:
        return False
    endpoint, date, clock, shard, first = found.groups()
    last = steps.get((unquote(endpoint), int(shard)), "")
    is_there = hour(first) == f"{date}T{clock}" if clock else day(first) == date
    return is_there and entry(first) >= entry(last)
