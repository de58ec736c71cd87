"""What stands below an archive beside what its manifests list.

Readers that know no manifests, such as pandas and DuckDB, take what is called like a file of rows,
or all that is not hidden; links lead them elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from monitor.archive.chain import Chain
from monitor.archive.manifests import NEW, File, day, entry
from monitor.archive.storage import NO_FILE

PARQUET = (".parquet", f".parquet{NEW}")
"""How files of rows are called, before and after they are listed; readers take any case."""

_STEP = re.compile(
    r"endpoint=([^/]+)/date=([0-9-]{10})/shard=([0-9]{1,9})/"
    r"([0-9]{1,20}-[0-9]{1,20})_[0-9]{1,20}-[0-9]{1,20}_[0-9a-f]{12}\.parquet\.new"
)
"""The path of a file that no manifest lists yet: endpoint, date, shard, first entry."""


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


GONE = File("", 0, -1, "", "", "", 0.0, 0.0)
"""Stands for a file that is deleted."""


def listed(chain: Chain) -> tuple[dict[str, File | None], str]:
    """(the files that a chain lists, the first entry of the last one). Those that may be there are
    None; those that the last manifest says are kept no longer are themselves: they are being
    deleted; those of the manifests before it are GONE."""
    files: dict[str, File | None] = {}
    numbers: list[tuple[int, File]] = []
    gone = kept = 0
    for link in chain.links():
        gone, kept = kept, link.manifest.kept
        if link.manifest.file is not None:
            numbers.append((link.manifest.number, link.manifest.file))
    for number, file in numbers:
        files[file.path] = GONE if number < gone else file if number < kept else None
    return files, numbers[-1][1].first if numbers else ""


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
    endpoint, date, shard, first = found.groups()
    last = steps.get((unquote(endpoint), int(shard)), "")
    return date == day(first) and entry(first) >= entry(last)
