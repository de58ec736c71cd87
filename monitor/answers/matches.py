"""A number of an answer, and others → whether two of them make it, in one of the ways of
`arithmetic.combine`."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.answers.arithmetic import ALL, Made, combine, multiply
from monitor.answers.quantities import Quantity


class Claim:
    """A number of an answer, and between what values others count as equal to it: of its unit
    `same`, and where one of both has no unit `loose`, which may leave out its scale. All of them
    lie between the two of `outer`."""

    __slots__ = ("loose", "one", "outer", "same", "unit")

    def __init__(self, one: Quantity, slack: float) -> None:
        value, _, self.unit, written, _, _ = one
        self.one = one
        self.same = self.outer = same = (value - slack, value + slack)
        self.loose: tuple[tuple[float, float], ...] = (same,)
        if value != written:
            scale = one.scale
            some = slack / scale
            self.loose = (same, (written - some, written + some))
            if scale > 1e5:
                thousands, some = value / 1e3, slack / 1e3
                self.loose = (*self.loose, (thousands - some, thousands + some))
            self.outer = min(self.loose)[0], max(high for _, high in self.loose)

    def ranges(self, unit: str) -> tuple[tuple[float, float], ...]:
        """Between what values a number in a unit, or in none, counts as equal."""
        mine = self.unit
        if unit == mine or (unit[-1:] == "/" and mine.startswith(unit)):
            return (self.same,)
        return () if unit and mine else self.loose

    def equals(self, unit: str, value: float) -> bool:
        """Whether a value in a unit counts as equal."""
        return any(low <= value <= high for low, high in self.ranges(unit))


def is_among(claim: Claim, made: Iterable[Made], kinds: str = ALL) -> bool:
    """Whether a number is one of those made in some ways."""
    low, high = claim.outer
    for unit, kind, value in made:
        if low <= value <= high and kind in kinds and claim.equals(unit, value):
            return True
    return False


def is_made(claim: Claim, pairs: Iterable[tuple[Quantity, Quantity]], kinds: str = ALL) -> bool:
    """Whether two numbers of one of some pairs make one, in some ways. No further than the first
    pair that does is looked at."""
    low, high = claim.outer
    products_alone = kinds == "*"
    for a, b in pairs:
        for unit, kind, value in multiply(a, b) if products_alone else combine(a, b, kinds):
            if low <= value <= high and kind in kinds and claim.equals(unit, value):
                return True
    return False
