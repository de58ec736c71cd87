"""Numbers of an answer, and the texts it was given → whether each stands there or follows from them.

A number is supported where one of the texts, rounded to the digits that the answer shows, equals it
in the same unit. It is derived where it is a sum, difference, product, share or change of two numbers
of one sentence or row, or the sum or mean of all, and its own sentence says so. Of all numbers of
long texts nothing may be derived: nearly every percentage could be.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice

from monitor.quantities import Quantity, quantities

MOST = 2000
"""Of texts with more numbers nothing is said: an invented one would stand there by chance."""
_IN_A_ROW, _PAIRS = 8, 800
"""Rows with more numbers are not combined, and so many pairs are looked at."""
_EDGE = re.compile(r"[.!?](?=[\s\"”)])|\n|;\s")
_CUE = re.compile(
    r"\b(?:total|sum|combined|together|altogether|overall|difference|differ|more|less|fewer|higher|lower"
    r"|larger|smaller|increas|decreas|rise|rose|risen|grew|grow|fall|fell|fallen|drop|declin|reduc|chang|up"
    r"|down|gain|lost|loss|improv|times|ratio|double|triple|half|average|mean|per|each|every|saving|save"
    r"|remain|left|rest|balance|discount|off|net|after|due|owe|share|of|margin|comes? to|came to|amounts? to|gap|spread|jump|climb|slipp"
    r"|summe|gesamt|insgesamt|zusammen|differenz|unterschied|mehr|weniger|gestiegen|gesunken|plus|minus"
    r"|durchschnitt|anteil|pro|rest|somme|ensemble|écart|hausse|baisse|moyenne|part)",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:total|sum|combined|together|altogether|overall|average|mean|all|summe|gesamt"
                    r"|insgesamt|zusammen|durchschnitt|somme|moyenne)", re.IGNORECASE)  # fmt: skip
_HEDGE = re.compile(
    r"(?:\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|over|under|some|circa|ca\.|close to"
    r"|more than|less than|just|below|above|up to|at least|well|exceeding|rund|etwa|ungefähr|knapp|fast"
    r"|mehr als|environ|près de|plus de)[ \u00a0]|[~≈<>])[$€£]?\Z",
    re.IGNORECASE,
)
_WORDS: dict[int, tuple[str, ...]] = {
    1: ("one", "a", "single", "once", "ein", "eine", "einen", "un", "une"),
    2: ("two", "twice", "double", "both", "pair", "zwei", "deux", "dos"),
    3: ("three", "thrice", "triple", "drei", "trois", "tres"),
    4: ("four", "vier", "quatre", "cuatro"),
    5: ("five", "fünf", "cinq", "cinco"),
    6: ("six", "sechs", "seis"),
    7: ("seven", "sieben", "sept", "siete"),
    8: ("eight", "acht", "huit", "ocho"),
    9: ("nine", "neun", "neuf", "nueve"),
    10: ("ten", "zehn", "dix", "diez"),
    11: ("eleven", "elf", "onze"),
    12: ("twelve", "dozen", "zwölf", "douze", "doce"),
    15: ("fifteen", "fünfzehn", "quinze"),
    20: ("twenty", "zwanzig", "vingt", "veinte"),
    30: ("thirty", "dreißig", "trente", "treinta"),
    50: ("fifty", "half", "fünfzig", "cinquante"),
    100: ("hundred", "hundert", "cent"),
}
_MONTH = 30 * 86400.0


class Sources:
    """The numbers of some texts, ready to be asked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.count = 0
        self._rows: list[list[list[Quantity]]] | None = None
        self._found: list[list[Quantity]] = []
        measured: dict[str, list[float]] = defaultdict(list)
        for text in texts:
            found = quantities(text, MOST - self.count, names=True) if self.count < MOST else []
            self._found.append(found)
            self.count += len(found)
            for one in found:
                measured[one.unit].append(one.value)
                if not one.unit and one.value != one.written:
                    measured[""].append(one.written)
                if one.unit == "length" and one.value == one.written:  # 5 m may be millions
                    measured[""].append(one.written * 1e6)
        self._values = {unit: sorted(values) for unit, values in measured.items()}
        self._written = sorted(
            {x for found in self._found for one in found for x in (one.written, one.value)}
        )
        self._derived: dict[str, list[float]] | None = None

    def support(self, one: Quantity, slack: float) -> bool:
        """Whether a number stands in the texts; `slack` is by how much of its own value it may be
        off, in its unit's measure."""
        values, value = self._values, one.value
        if not one.unit:
            return (
                _near(self._written, value, slack)
                or (value != one.written and _near(values.get("", ()), one.written, slack / one.scale))
                or (value != one.written and _near(values.get("", ()), value / 1e3, slack / 1e3))
                or self._says(one)
            )  # fmt: skip
        plain = values.get("", ())
        if _near(values.get(one.unit, ()), value, slack):
            return True
        if _near(plain, value, slack) or _near(plain, one.written, slack / one.scale):
            return True
        if one.unit == "%" and value <= 200 and _near(plain, value / 100, slack / 100):
            return True
        if one.unit in ("month", "time"):
            other, times = ("time", _MONTH) if one.unit == "month" else ("month", 1 / _MONTH)
            if _near(values.get(other, ()), value * times, value * times * 0.02):
                return True
        if one.unit == "length" and value == one.written:  # 5 m may be millions
            return any(_near(found, value * 1e6, slack * 1e6) for found in values.values())
        thousands = one.scale >= 1e6 and _near(plain, value / 1e3, slack / 1e3)
        return thousands or self._says(one)

    def _says(self, one: Quantity) -> bool:
        """Whether the texts spell a number."""
        spelled = _WORDS.get(int(one.written)) if one.written in _WORDS else None
        if not spelled:
            return False
        pattern = re.compile(rf"\b(?:{'|'.join(spelled)})(?![a-zäöü])", re.IGNORECASE)
        return any(pattern.search(text) for text in self.texts)

    def derive(self, one: Quantity, slack: float, *, whole: bool) -> bool:
        """Whether a number follows from two of one sentence or row, or with `whole` from all of
        several rows."""
        if self._derived is None:
            self._derived = self._combined()
        kinds = [one.unit, f"{one.unit}*"] if whole else [one.unit]
        if one.unit not in ("", "%"):
            kinds += ["", "*"] if whole else [""]
        return any(_near(self._derived.get(kind, ()), one.value, slack) for kind in kinds)

    def _combined(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = defaultdict(list)
        for text, amounts in zip(self.texts, self._found, strict=True):
            rows = list(_rows(text, amounts))
            pairs = (pair for row in rows if len(row) <= _IN_A_ROW for pair in combinations(row, 2))
            for a, b in islice(pairs, _PAIRS):
                for unit, value in combine(a, b):
                    found[unit].append(value)
            for unit, value in _wholes(rows):
                found[f"{unit}*"].append(value)
        return {unit: sorted(values) for unit, values in found.items()}


def claims(answer: str, most: int) -> Iterator[list[Quantity]]:
    """Yield the numbers of an answer that say something, each in all of its readings.

    Years are none, nor are 0, 1, 100 and, without a unit, whole numbers up to ten: they count what
    is told, which is not looked up.
    """
    readings: list[Quantity] = []
    for one in quantities(answer, most):
        if readings and readings[0].start != one.start:
            yield readings
            readings = []
        if not _is_idle(one, answer):
            readings.append(one)
    if readings:
        yield readings


def _is_idle(one: Quantity, answer: str) -> bool:
    written = one.written
    if written in (0.0, 1.0) or (written == 100.0 and one.unit in ("", "%")):
        return True
    if one.unit or one.value != written or written != int(written):
        return False
    is_year = 1900 <= written <= 2100 and one.end - one.start == 4 and answer[one.start] in "12"
    return written <= 10 or is_year


def unsupported(answer: str, sources: Sources, most: int) -> tuple[int, int]:
    """Return (how many numbers of an answer nothing supports, how many there are)."""
    found = list(claims(answer, most))
    edges = [match.start() for match in _EDGE.finditer(answer)] if found else []
    missing: list[list[Quantity]] = []
    known: dict[int, list[Quantity]] = defaultdict(list)
    seen: set[tuple[float, str]] = set()
    total = 0
    for readings in found:
        first = readings[0]
        if (first.value, first.unit) in seen:
            continue
        seen.add((first.value, first.unit))
        total += 1
        if any(sources.support(one, _slack(one, answer)) for one in readings):
            known[bisect_left(edges, first.start)].append(first)
        else:
            missing.append(readings)
    return sum(not _follows(one, answer, sources, edges, known) for one in missing), total


def _follows(
    readings: list[Quantity],
    answer: str,
    sources: Sources,
    edges: list[int],
    known: dict[int, list[Quantity]],
) -> bool:
    """Whether a number follows from others of its sentence, or from the texts by what it says."""
    place = bisect_left(edges, readings[0].start)
    start = edges[place - 1] if place else 0
    end = edges[place] if place < len(edges) else len(answer)
    sentence = answer[start:end]
    beside = [*known.get(place, ()), *known.get(place - 1, ())][:_IN_A_ROW]
    for one in readings:
        slack = _slack(one, answer)
        for a, b in combinations(beside, 2):
            for unit, value in combine(a, b):
                if unit in (one.unit, "") and abs(value - one.value) <= slack:
                    return True
        for unit, value in _wholes([beside]):
            if unit in (one.unit, "") and abs(value - one.value) <= slack:
                return True
        if _CUE.search(sentence):
            whole = _WHOLE.search(sentence) is not None
            if sources.derive(one, slack, whole=whole):
                return True
    return False


def _slack(one: Quantity, answer: str) -> float:
    """By how much a number may be off: half of its last digit, and more behind a word like about."""
    slack = one.step * 0.5 * (1 + 1e-9) + one.value * 1e-12
    if _HEDGE.search(answer[max(one.start - 16, 0) : one.start]):
        digits = f"{one.written:.0f}"
        round_ = 10.0 ** (len(digits) - len(digits.rstrip("0"))) if one.written >= 10 else 1.0
        slack = max(slack, min(round_ * one.scale, one.value * 0.1))
    return slack


def combine(a: Quantity, b: Quantity) -> Iterator[tuple[str, float]]:
    """Yield (unit, value) of what two numbers of one row make: sum, difference, product, shares,
    changes; the greater first or not."""
    if a.value < b.value:
        a, b = b, a
    x, y = a.value, b.value
    if "%" in (a.unit, b.unit) and a.unit != b.unit:
        share, amount = (a, b) if a.unit == "%" else (b, a)
        part = amount.value * share.value / 100
        yield from ((amount.unit, value) for value in (part, amount.value - part, amount.value + part))
        return
    if a.unit == b.unit or not (a.unit and b.unit):
        unit = a.unit or b.unit
        yield unit, x + y
        yield unit, x - y
        yield unit, (x + y) / 2
        if y > 0:
            for value in (100 * y / x, 100 * x / y, 100 * (x - y) / y, 100 * (x - y) / x):
                yield "%", value
            yield "", x / y
    if not a.unit or not b.unit:
        yield a.unit or b.unit, x * y
        for one, count in ((a, b), (b, a)):
            if count.value > 0 and not count.unit:
                yield one.unit, one.value / count.value


def _rows(text: str, found: Iterable[Quantity]) -> Iterator[list[Quantity]]:
    """The amounts of each sentence or row, one reading of each number."""
    edges = [match.start() for match in _EDGE.finditer(text)]
    row: list[Quantity] = []
    place = -1
    for one in found:
        now = bisect_left(edges, one.start)
        if now != place and row:
            yield row
            row = []
        place = now
        if not row or row[-1].start != one.start:
            row.append(one)
    if row:
        yield row


def _wholes(rows: Sequence[Sequence[Quantity]]) -> Iterator[tuple[str, float]]:
    """Yield (unit, value) of sums and means of rows, and of columns of rows of equal length."""
    groups: list[list[Quantity]] = [list(row) for row in rows if len(row) > 2]
    block: list[Sequence[Quantity]] = []
    for row in [*rows, ()]:
        if block and [one.unit for one in row] != [one.unit for one in block[0]]:
            if len(block) > 1 and len(block[0]) <= _IN_A_ROW:
                groups += [list(column) for column in zip(*block, strict=True)]
            block = []
        if row:
            block.append(row)
    for group in groups:
        by_unit: dict[str, list[float]] = defaultdict(list)
        for one in group:
            by_unit[one.unit].append(one.value)
        for unit, values in by_unit.items():
            total = sum(values)
            yield unit, total
            yield unit, total / len(values)
            yield unit, total - values[-1]
            yield unit, total - values[0]


def _near(values: Sequence[float], value: float, slack: float) -> bool:
    return bisect_left(values, value - slack) < bisect_right(values, value + slack)
