"""A number of an answer, and others → whether two of them make it, in one of the ways of
`arithmetic.combine`.

What two numbers make is held against the number as it is computed, and no further than the first
that fits: that takes a third of the time of `combine`, which makes all there is to look among.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.answers.arithmetic import Made, in_one_unit
from monitor.answers.quantities import Quantity
from monitor.words.units import CURRENCIES

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
    """Whether two numbers of one of some pairs make one, in some ways."""
    times, others = "*" in kinds, kinds != "*"
    for a, b in pairs:
        if times and _by_product(claim, a, b):
            return True
        if others:
            if a.unit == b.unit:
                if _compared(claim, a, b, kinds):
                    return True
            elif a.unit != "%" != b.unit:
                if ":" in kinds and (_is_rate(claim, a, b) or _is_rate(claim, b, a)):
                    return True
                if not (a.unit and b.unit) and _compared(claim, a, b, kinds):
                    return True
    return False


def _by_product(claim: Claim, a: Quantity, b: Quantity) -> bool:
    """Whether two numbers make one as `arithmetic.multiply` does."""
    if a.unit == b.unit:
        return not a.unit and claim.equals("", a.value * b.value)
    if a.unit == "%" or b.unit == "%":
        share, amount = (a, b) if a.unit == "%" else (b, a)
        part = amount.value * share.value / 100
        return claim.equals(amount.unit, part, amount.value - part, amount.value + part)
    for one, of in ((a, b), (b, a)):
        head, slash, _ = one.unit.partition("/")
        if (
            (slash and "/" not in of.unit) or (one.unit in CURRENCIES and of.unit not in CURRENCIES)
        ) and claim.equals(head, one.value * of.written):
            return True
    return not (a.unit and b.unit) and claim.equals(a.unit or b.unit, a.value * b.value)


def _is_rate(claim: Claim, one: Quantity, of: Quantity) -> bool:
    """Whether so much for each makes a number."""
    if of.written and one.unit and of.unit:
        return claim.equals(f"{one.unit}/", one.value / of.written)
    return bool(of.value and not of.unit) and claim.equals(one.unit, one.value / of.value)


def _compared(claim: Claim, a: Quantity, b: Quantity, kinds: str) -> bool:
    """Whether two numbers of one unit make one: a sum, difference, mean, change, share or ratio."""
    unit = a.unit or b.unit
    x, y = in_one_unit(a, b), in_one_unit(b, a)
    if x < y:
        x, y = y, x
    for low, high in claim.ranges(unit):
        if (
            ("+" in kinds and low <= x + y <= high)
            or ("-" in kinds and low <= x - y <= high)
            or ("~" in kinds and low <= (x + y) / 2 <= high)
        ):
            return True
    if y <= 0:
        return False
    if "%" in kinds and claim.equals("%", 100 * (x - y) / y, 100 * (x - y) / x):
        return True
    return ":" in kinds and (
        claim.equals("%", 100 * y / x, 100 * x / y)
        or claim.equals("", x / y)
        or (not unit and claim.equals("", y / x))
    )
