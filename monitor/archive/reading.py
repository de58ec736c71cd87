"""An archive and a range of time → the files that are to be read, by its manifests alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from monitor.archive.chain import Chain
from monitor.archive.held import Holdings
from monitor.archive.manifests import BUCKET, Manifest, chain_of, name_of
from monitor.archive.storage import Storage
from monitor.errors import ArchiveError

MARGIN = 3600.0
"""Seconds by which clocks may differ: so much more of the chain is looked at."""


@dataclass(frozen=True)
class Shard:
    """The files of a shard that may hold Records of a range, in the order they were written."""

    number: int
    files: tuple[Path, ...]


def endpoints(storage: Storage) -> list[str]:
    """Return the names of the endpoints that an archive holds; none where there is no archive."""
    found = []
    for name in storage.inside(""):
        key, _, value = name.partition("=")
        if key == "endpoint" and storage.inside(chain_of(unquote(value))):
            found.append(unquote(value))
    return found


def shards(storage: Storage, endpoint: str) -> list[int]:
    """Return the numbers of the shards that an endpoint has chains of."""
    names = [name.partition("=") for name in storage.inside(chain_of(endpoint))]
    return sorted(int(value) for key, _, value in names if key == "shard" and value.isdecimal())


def read(storage: Storage, endpoint: str, start: float | None, end: float | None) -> list[Shard]:
    """Return what may hold Records that began from `start` until before `end` (Unix seconds).

    Looked at are the manifests from `start` on: a Record is archived when it has ended, or when a
    store that was away is back. No directory of files is listed. Raises ArchiveError.
    """
    return [
        Shard(number, tuple(_files(Chain(storage, endpoint, number), start, end)))
        for number in shards(storage, endpoint)
    ]


def _files(chain: Chain, start: float | None, end: float | None) -> Iterator[Path]:
    found = [link.manifest for link in chain.since((start or 0.0) - MARGIN)]
    _check_end(chain, found[-1].number + 1 if found else None)
    kept = found[-1].kept if found else 0
    for one in Holdings(found).kept(kept):
        file = one.file
        if (start is None or file.end >= start) and (end is None or file.start < end):
            is_last = one.number == found[-1].number
            yield _place(chain.storage, file.path, found[-1] if is_last else None)


def _check_end(chain: Chain, end: int | None) -> None:
    """Raise ArchiveError where a chain that was read up to a manifest, or of which none was found,
    goes on behind one that is missing: what stands there would be passed over in silence."""
    buckets = chain.buckets()
    if not buckets:
        return
    end = int(buckets[0]) * BUCKET if end is None else end
    is_last = chain.last_in(buckets[-1]) <= end
    missing = name_of(chain.endpoint, chain.shard, end)
    if not (is_last or chain.storage.exists(missing)):  # nor has a writer put it there meanwhile
        raise ArchiveError(f"{chain.storage.name}/{missing}: is missing, and later ones are there")


def _place(storage: Storage, path: str, last: Manifest | None) -> Path:
    """Where a listed file is: that of the last manifest may not have been given its name yet."""
    if last is not None and not storage.exists(path):
        return storage.place(last.unnamed)
    return storage.place(path)
