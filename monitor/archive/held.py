"""Manifests → the files that are read: the last one for each row.

A file is brought by a manifest with new rows. Later manifests may replace it: by one with the same
rows, some of them erased. What is read stands in the order in which the rows came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from monitor.archive.manifests import File, Manifest
from monitor.errors import ArchiveError


class Held(NamedTuple):
    """A file with the rows that the manifests `first` to `last` brought; manifest `number` lists
    it."""

    first: int
    last: int
    number: int
    file: File


class Holdings:
    """The files that are read after some manifests of a chain, which come in order."""

    def __init__(self, manifests: Iterable[Manifest] = ()) -> None:
        self._by_first: dict[int, Held] = {}
        for one in manifests:
            self.add(one)

    def add(self, manifest: Manifest) -> None:
        """Take the next manifest: its file holds the rows from then on."""
        if manifest.file is None:
            return
        first = last = manifest.number
        if manifest.replaces is not None:
            first, last = manifest.replaces.first, manifest.replaces.last
            for one in self.between(first, last):
                del self._by_first[one.first]
        self._by_first[first] = Held(first, last, manifest.number, manifest.file)

    def between(self, first: int, last: int) -> list[Held]:
        """Return the files with rows that the manifests `first` to `last` brought, in order."""
        if last - first > len(self._by_first):
            return [one for one in self.all() if first <= one.first <= last]
        found = (self._by_first.get(number) for number in range(first, last + 1))
        return [one for one in found if one is not None]

    def all(self) -> list[Held]:
        """Return all files, in the order of their rows."""
        return [self._by_first[first] for first in sorted(self._by_first)]

    def kept(self, kept: int) -> list[Held]:
        """Return those that retention has not deleted, by what the last manifest says."""
        return [one for one in self.all() if one.last >= kept]


def altered(where: str, file: File) -> ArchiveError:
    """Return what is raised for a file in the archive `where` that is to be written anew, and is
    not the one that was listed."""
    return ArchiveError(
        f"{where}/{file.path}: is not the file that its manifest lists; it is left as it is, and "
        "`monitor verify` says what is wrong with it"
    )
