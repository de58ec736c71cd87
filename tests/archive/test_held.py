"""Files that take the place of others: which ones are read, in the order of their rows."""

from __future__ import annotations

from monitor.archive.held import Holdings
from monitor.archive.manifests import File, Manifest, Replaced


def file(name: str) -> File:
    return File(name, 1, 1, "", "1-0", "1-0", 0.0, 0.0)


def manifest(number: int, name: str, first: int | None = None, last: int = 0) -> Manifest:
    replaces = None if first is None else Replaced(first, last, [file("any")])
    return Manifest(
        1, "bot", 0, number, "", 0.0, "", "", 0, [], "", file=file(name), replaces=replaces
    )


def paths(holdings: Holdings) -> list[str]:
    return [one.file.path for one in holdings.all()]


def test_a_file_is_read_where_what_it_replaces_stood() -> None:
    """Once and again; several may become one, which goes with the last of them."""
    holdings = Holdings(manifest(number, f"f{number}") for number in range(4))
    holdings.add(manifest(4, "g1", 1, 1))
    holdings.add(manifest(5, "f5"))
    assert paths(holdings) == ["f0", "g1", "f2", "f3", "f5"]
    holdings.add(manifest(6, "h1", 1, 1))
    holdings.add(manifest(7, "both", 1, 2))
    assert paths(holdings) == ["f0", "both", "f3", "f5"]
    assert [one.file.path for one in holdings.between(1, 2)] == ["both"]
    assert [one.file.path for one in holdings.kept(2)] == ["both", "f3", "f5"]
    assert [one.file.path for one in holdings.kept(3)] == ["f3", "f5"]


def test_of_a_chain_whose_beginning_is_not_known_the_order_is_right() -> None:
    """A range of time is read from some manifest on; what it replaces may have come before."""
    holdings = Holdings([manifest(8, "f8"), manifest(9, "g3", 3, 4), manifest(10, "f10")])
    assert paths(holdings) == ["g3", "f8", "f10"]
    assert [one.file.path for one in holdings.between(0, 10**9)] == ["g3", "f8", "f10"]
