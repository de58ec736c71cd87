"""A number of an answer, and others → whether two of them make it, in one of the ways of
`arithmetic.combine`."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.answers.arithmetic import Made, combine, multiply
from monitor.answers.quantities import Quantity

ALL = "+-~*%:"


class Claim:
    """A number of an answer, and between what values others count as equal to it: of its unit
    `same`, and where one of both has no unit `loose`, which may leave out its scale."""

    __slots__ = ("loose", "one", "same", "unit")

    def __init__(self, one: Quantity, slack: float) -> None:
        value, self.unit = one.value, one.unit
        self.one = one
        self.same = same = (value - slack, value + slack)
        self.loose: tuple[tuple[float, float], ...] = (same,)
        if value != one.written:
            scale = one.scale
            written = slack / scale
            self.loose = (same, (one.written - written, one.written + written))
            if scale > 1e5:
                thousands, some = value / 1e3, slack / 1e3
                self.loose = (*self.loose, (thousands - some, thousands + some))

    def ranges(self, unit: str) -> tuple[tuple[float, float], ...]:
        """Between what values a number in a unit, or in none, counts as equal."""
        mine = self.unit
        if unit == mine or (unit[-1:] == "/" and mine.startswith(unit)):
            return (self.same,)
        return () if unit and mine else self.loose

    def equals(self, unit: str, *values: float) -> bool:
        """Whether one of some values in a unit counts as equal."""
        for low, high in self.ranges(unit):
            for value in values:
                if low <= value <= high:
                    return True
        return False


def is_among(claim: Claim, made: Iterable[Made], kinds: str = ALL) -> bool:
    """Whether a number is one of those made in some ways."""
    return any(kind in kinds and claim.equals(unit, value) for unit, kind, value in made)


def is_made(claim: Claim, pairs: Iterable[tuple[Quantity, Quantity]], kinds: str = ALL) -> bool:
    """Whether two numbers of one of some pairs make one, in some ways. No further than the first
    pair that does is looked at."""
    make = multiply if kinds == "*" else combine
    return any(is_among(claim, make(a, b), kinds) for a, b in pairs)
