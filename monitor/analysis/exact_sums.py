"""Numbers of one segment → their sums since counting began, exact, so equal in any order.

Beside counts (`tallies`) stand sums that no evidence reads. They are integers without an end, since
64 bits hold no sum of widths that may be 1e-9 or 1e12. `units` turns a float into one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

BITS = 1074
"""Any finite float is a whole number of 2⁻¹⁰⁷⁴, the smallest one above 0 (IEEE 754, binary64)."""


def units(value: float) -> int:
    """A finite float in units of 2⁻¹⁰⁷⁴, exactly.

    >>> units(5e-324), units(-1.5) == -3 << (BITS - 1)
    (1, True)
    """
    numerator, denominator = value.as_integer_ratio()
    return numerator << (BITS + 1 - denominator.bit_length())


def mean(total: int, number: int) -> float:
    """The mean of so many floats whose sum is this in `units`, rounded once.

    >>> mean(units(1e-9) + units(1e12) + units(-1e12), 2)
    5e-10
    """
    return total / (number << BITS)


class SavedSums(msgspec.Struct, frozen=True, array_like=True):
    """What `ExactSums.restored` needs; each integer as its bytes."""

    total: list[bytes]
    open: dict[int, list[bytes]]
    since: dict[int, list[bytes]]


class ExactSums:
    """So many sums, those of open panes by their number; and at each change point (by when it was
    `born`) what they had been, so that they can begin anew there. One that is missing was 0."""

    __slots__ = ("_open", "_since", "_total")

    def __init__(self, places: int) -> None:
        self._total = [0] * places
        self._open: dict[int, list[int]] = {}
        self._since: dict[int, list[int]] = {}

    def add(self, pane: int, added: Sequence[int]) -> None:
        """Add to the sums of an open pane."""
        ours = self._open.get(pane)
        self._open[pane] = list(added) if ours is None else _sum(ours, added)

    def close(self, pane: int) -> None:
        """Close a pane, after all that are earlier."""
        self._total = _sum(self._total, self._open.pop(pane, [0] * len(self._total)))

    def mark(self, born: Sequence[int]) -> None:
        """The last of these is a new change point, the others are those that are kept."""
        self._since = {one: self._since[one] for one in born if one in self._since}
        self._since[born[-1]] = self._total

    def restart(self, born: int) -> None:
        """Forget what came before a change point."""
        before = self._since.get(born, [0] * len(self._total))
        self._total = [one - other for one, other in zip(self._total, before, strict=True)]
        self._since = {}

    def merge(self, other: ExactSums) -> None:
        """Add what `other` counted before a pane was closed."""
        for pane, added in other._open.items():
            self.add(pane, added)

    def live(self) -> list[int]:
        """All sums, those of open panes too."""
        return _sum(self._total, *self._open.values())

    def saved(self) -> SavedSums:
        """What `restored` needs to go on from here."""
        return SavedSums(_bytes(self._total), _each(self._open), _each(self._since))

    @classmethod
    def restored(cls, saved: SavedSums, panes: Collection[tuple[int, int]]) -> ExactSums:
        """What was saved; `panes` are its open ones with the numbers that they have now."""
        sums = cls(len(saved.total))
        sums._total = _integers(saved.total)
        sums._since = {born: _integers(some) for born, some in saved.since.items()}
        for before, now in panes:
            if before in saved.open:
                sums.add(now, _integers(saved.open[before]))
        return sums


def _sum(*some: Sequence[int]) -> list[int]:
    return [sum(each) for each in zip(*some, strict=True)]


def _each(some: dict[int, list[int]]) -> dict[int, list[bytes]]:
    return {name: _bytes(sums) for name, sums in some.items()}


def _bytes(sums: Sequence[int]) -> list[bytes]:
    return [one.to_bytes(one.bit_length() // 8 + 1, "big", signed=True) for one in sums]


def _integers(saved: Sequence[bytes]) -> list[int]:
    return [int.from_bytes(one, "big", signed=True) for one in saved]
