"""Numbers of an answer, and texts it was given → whether each stands there, or follows from them.

A number is supported where one of the texts, rounded to the digits that the answer shows, equals it
in the same unit. It is derived where it is a sum, difference, product, share or change of two
numbers of one sentence or row, or the sum or mean of all, and its own sentence says so. From any
two numbers of a long text nothing is derived: nearly every percentage could be.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations, islice, pairwise

from monitor.answers.arithmetic import EDGE, IN_A_ROW, combine, multiply, wholes
from monitor.answers.combined import PAIRS, made_of, rows_of
from monitor.answers.quantities import Quantity, Remembered, of_source, quantities
from monitor.words import cues
from monitor.words.units import CURRENCIES

MOST = 1000
"""Of texts with more numbers nothing is said: an invented one would stand there by chance."""
_BESIDE, _COUNTS, _MANY = 40, 6, 1000
"""So many numbers beside one, and counts that are multiplied are looked at; counts up to a
thousand."""
_OF = re.compile(r"%? ?(?:of|der|des|von|du|de)\b", re.IGNORECASE)
_MONTH = 30 * 86400.0
_KINDS = frozenset("+-~*%:")
_PRICED = CURRENCIES | {""}
_METRIC = frozenset(("g", "l", "length"))
_TIMES = (100.0, 1000.0, 0.001, 0.01)
"""From one unit of the same kind to another: a table has it in its head, or in a key."""


class Sources:
    """The numbers of some texts, ready to be asked for; those of a question may be combined with
    all that an answer says."""

    def __init__(self, texts: Sequence[str], asked: str = "") -> None:
        self.texts = texts
        self._question = asked
        self.count = 0
        self._rows: list[list[list[Quantity]]] | None = None
        self._spelled: dict[float, bool] = {}
        self._multiplied: list[float] | None = None
        self._found: list[Sequence[Quantity]] = []
        written: set[float] = set()
        measured: dict[str, list[float]] = defaultdict(list)
        for text in texts:
            found = of_source(text, MOST - self.count) if self.count < MOST else ()
            self._found.append(found)
            self.count += len(found)
            for one in found:
                measured[one.unit].append(one.value)
                written.add(one.value)
                if one.value != one.written:
                    written.add(one.written)
                    if one.unit == "":
                        measured[""].append(one.written)
                elif one.unit == "length":  # 5 m may be millions
                    measured[""].append(one.written * 1e6)
                if "/" in one.unit:  # an answer may leave out of what
                    measured[one.unit.partition("/")[0] + "/"].append(one.value)
        self._values = {unit: sorted(values) for unit, values in measured.items()}
        self._written = sorted(written)
        self._derived: dict[str, list[tuple[str, list[float]]]] | None = None

    @cached_property
    def asked(self) -> Sequence[Quantity]:
        """The numbers of the question; those of one of the texts are known already."""
        for text, found in zip(self.texts, self._found, strict=True):
            if text == self._question and isinstance(found, Remembered):
                if found.most is not None and found.most <= _BESIDE:
                    return found
                break
        return quantities(self._question, _BESIDE)

    def support(self, one: Quantity, slack: float) -> bool:
        """Whether a number stands in the texts; `slack` is by how much of its own value it may be
        off, in its unit's measure."""
        if self._measured(one, slack) if one.unit else self._stands(one, slack):
            return True
        if one.unit == "length" and one.value == one.written:  # 5 m may be millions
            times = one.value * 1e6, slack * 1e6
            return any(_near(found, *times) for found in self._values.values())
        return self._says(one)

    def _stands(self, one: Quantity, slack: float) -> bool:
        """The same of a number without a unit."""
        if _near(self._written, one.value, slack):
            return True
        plain, value = self._values.get("", ()), one.value
        return one.scale != 1.0 and (
            _near(plain, one.written, slack / one.scale) or _near(plain, value / 1e3, slack / 1e3)
        )

    def _measured(self, one: Quantity, slack: float) -> bool:
        """The same of a number with a unit. The texts may have it elsewhere, in the head of a table
        or in a key: so theirs may have none, or a number may be told in other ones."""
        values, value = self._values, one.value
        alike = values.get(one.unit)
        if alike and _near(alike, value, slack):
            return True
        head, slash, _ = one.unit.partition("/")
        alike = values.get(head if slash else head + "/")
        if alike and _near(alike, value, slack):
            return True
        if self._has_plain(one, slack):
            return True
        if one.unit not in ("month", "time"):
            return False
        other, times = ("time", _MONTH) if one.unit == "month" else ("month", 1 / _MONTH)
        return _near(values.get(other, ()), value * times, value * times * 0.02)

    def _has_plain(self, one: Quantity, slack: float) -> bool:
        """Whether a number with a unit stands in the texts without one."""
        plain = self._values.get("", ())
        if not plain:
            return False
        value, scale = one.value, one.scale
        written = slack / scale
        if _near(plain, value, slack) or (scale != 1.0 and _near(plain, one.written, written)):
            return True
        if one.unit == "%" and value <= 200 and _near(plain, value / 100, slack / 100):
            return True
        if one.unit in _METRIC and any(
            _near(plain, one.written * times, written * times) for times in _TIMES
        ):
            return True
        return scale > 1e5 and _near(plain, value / 1e3, slack / 1e3)

    def _says(self, one: Quantity) -> bool:
        """Whether the texts spell a number."""
        spelled = cues.SPELLED.get(one.written)  # type: ignore[call-overload]
        if not spelled:
            return False
        if one.written not in self._spelled:
            self._spelled[one.written] = any(_spells(text, spelled) for text in self.texts)
        return self._spelled[one.written]

    def derive(self, one: Quantity, slack: float, kinds: str) -> bool:
        """Whether a number is made in one of these ways (`combine`) of two of one sentence or row,
        or of one column in rows that follow one another, or of all of a row or column."""
        if _KINDS.isdisjoint(kinds):
            return False
        if self._derived is None:
            self._derived = self._combined()
        for kind in kinds:
            for unit, found in self._derived.get(kind, ()):
                may = unit == one.unit or not (unit and one.unit) or "/" in unit
                if may and _is_near(found, one, slack, unit):
                    return True
        return False

    def multiplied(self, one: Quantity, slack: float) -> bool:
        """Whether a number is what a row says that several of a thing cost: `2 x pear 0.60`."""
        if one.unit not in _PRICED or not self.amounts:
            return False
        if self._multiplied is None:
            rows = (row for of in self._by_row() for row in of)
            pairs = (pair for row in rows for pair in pairwise(row))
            self._multiplied = sorted(
                a.written * b.value
                for a, b in islice(pairs, PAIRS)
                if a.written == int(a.written) and 1 < a.written < 1000 and a.unit not in CURRENCIES
                and a.unit != "%" and (b.unit in CURRENCIES or (not b.unit and b.step == 0.01))
            )  # fmt: skip
        return _near(self._multiplied, one.value, slack)

    def beside(self, known: Quantity) -> list[Quantity]:
        """The numbers of the rows in which a number stands, and of those before and behind."""
        found: list[Quantity] = []
        slack = _slack_of(known)
        for rows in self._by_row():
            for place, row in enumerate(rows):
                if any(
                    one.unit == known.unit and abs(one.value - known.value) <= slack for one in row
                ):
                    for near in rows[max(place - 1, 0) : place + 2]:
                        found += near
            if len(found) > _BESIDE:
                break
        return found[:_BESIDE]

    @cached_property
    def amounts(self) -> list[Quantity]:
        """Numbers that may be multiplied: money, and others with decimals."""
        every = (one for found in self._found for one in found)
        few = (one for one in every if one.step < 1.0 or one.unit in CURRENCIES)
        return list(islice(few, PAIRS))

    def _by_row(self) -> list[list[list[Quantity]]]:
        if self._rows is None:
            self._rows = list(map(rows_of, self.texts, self._found))
        return self._rows

    def _combined(self) -> dict[str, list[tuple[str, list[float]]]]:
        """What the numbers of a row or column make: kind → (unit, values in order)."""
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for text, amounts in zip(self.texts, self._found, strict=True):
            if len(amounts) > 1:
                for key, values in made_of(text, amounts).items():
                    found[key] += values
        by_kind: dict[str, list[tuple[str, list[float]]]] = defaultdict(list)
        for (unit, kind), every in found.items():
            every.sort()
            by_kind[kind].append((unit, every))
        return by_kind


def _spells(text: str, words: Sequence[str]) -> bool:
    """Whether one of some words begins in a text, and no letter follows it."""
    if not text.isascii():
        pattern = rf"\b(?:{'|'.join(words)})(?![a-zäöü])"
        return re.search(pattern, text, re.IGNORECASE) is not None
    lower = text.lower()
    for word in words:
        start = lower.find(word)
        while start >= 0:
            end = start + len(word)
            before = lower[start - 1 : start]
            if not (before.isalnum() or before == "_" or lower[end : end + 1].isalpha()):
                return True
            start = lower.find(word, end)
    return False


def _is_near(values: Sequence[float], one: Quantity, slack: float, unit: str) -> bool:
    """Whether a claim is among values in a unit, or in none."""
    if unit == one.unit or (unit.endswith("/") and one.unit.startswith(unit)):
        return _near(values, one.value, slack)
    if unit and one.unit:
        return False
    if one.value == one.written:
        return _near(values, one.value, slack)
    written = slack / one.scale
    return (
        _near(values, one.value, slack)
        or _near(values, one.written, written)
        or (one.scale > 1e5 and _near(values, one.value / 1e3, slack / 1e3))
    )


def _is_equal(value: float, one: Quantity, slack: float, unit: str) -> bool:
    """The same of one value."""
    if unit == one.unit or (unit.endswith("/") and one.unit.startswith(unit)):
        return one.value - slack <= value <= one.value + slack
    return not (unit and one.unit) and _is_near((value,), one, slack, unit)


def claims(amounts: Iterable[Quantity]) -> Iterator[list[Quantity]]:
    """Yield the amounts of an answer that say something, each in all of its readings.

    Years are none, nor are 0, 1, 100 and, without a unit, whole numbers up to ten: they count what
    is told, which is not looked up.
    """
    readings: list[Quantity] = []
    for one in amounts:
        if readings and readings[0].start != one.start:
            yield readings
            readings = []
        if not _is_idle(one):
            readings.append(one)
    if readings:
        yield readings


def _is_idle(one: Quantity) -> bool:
    written = one.written
    if written in _IDLE and (written != 100.0 or one.unit in ("", "%")):
        return True
    if one.unit or one.value != written or written != int(written):
        return False
    return written <= 10 or _is_year(one)


_IDLE = (0.0, 1.0, 100.0)


def _is_year(one: Quantity) -> bool:
    return not one.unit and one.end - one.start == 4 and 1800 <= one.written <= 2100


def unsupported(answer: str, sources: Sources, most: int) -> tuple[int, int]:
    """Return (how many numbers of an answer nothing supports, how many there are).

    What an answer has worked out in a way that is not seen through here is left out of both.
    """
    amounts = quantities(answer, most)
    right: list[Quantity] = []
    missing: list[list[tuple[Quantity, float]]] = []
    seen: set[tuple[float, str]] = set()
    for readings in claims(amounts):
        first = readings[0]
        if (first.value, first.unit) in seen:
            continue
        seen.add((first.value, first.unit))
        pairs = []
        for one in readings:
            slack = _slack(one, answer)
            if sources.support(one, slack):
                right.append(first)
                break
            pairs.append((one, slack))
        else:
            missing.append(pairs)
    if not missing:
        return 0, len(seen)
    sentences = _Sentences(answer, amounts, right)
    for _ in range(2):  # what follows from what is said after it
        left = []
        for pairs in missing:
            for one, slack in pairs:
                if _follows(one, slack, sources, sentences):
                    sentences.know(pairs[0][0])
                    break
            else:
                left.append(pairs)
        if len(left) in (0, len(missing)):
            missing = left
            break
        missing = left
    unsure = sum(sentences.said(sentences.place(pairs[0][0])).is_computed for pairs in missing)
    return len(missing) - unsure, len(seen) - unsure


class _Sentences:
    """The sentences and rows of an answer, and which numbers of each are known to be right."""

    def __init__(self, answer: str, amounts: Sequence[Quantity], right: Sequence[Quantity]) -> None:
        self._answer = answer
        self._edges = [match.start() for match in EDGE.finditer(answer)]
        self._known: dict[int, list[Quantity]] = defaultdict(list)
        self._said: dict[int, cues.Said] = {}
        for one in amounts:
            if 1.0 < one.written <= 100.0 and _is_idle(one):  # no year
                self.know(one)
        for one in right:
            self.know(one)

    def place(self, one: Quantity) -> int:
        """The number of the sentence in which a number stands."""
        return bisect_left(self._edges, one.start)

    def know(self, one: Quantity) -> None:
        """Let others follow from a number."""
        self._known[self.place(one)].append(one)

    def said(self, place: int) -> cues.Said:
        """What a sentence says of how its numbers were made."""
        said = self._said.get(place)
        if said is None:
            start = self._edges[place - 1] if place else 0
            end = self._edges[place] if place < len(self._edges) else len(self._answer)
            said = self._said[place] = cues.said(self._answer[start:end])
        return said

    def goes_on(self, one: Quantity, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern follows a number."""
        return pattern.match(self._answer, one.end) is not None

    def beside(self, place: int) -> list[Quantity]:
        """What is known to be right in a sentence and in the one before."""
        if not self._known:
            return []
        return [*self._known.get(place, ()), *self._known.get(place - 1, ())][: IN_A_ROW + 2]

    def above(self, place: int) -> list[list[Quantity]]:
        """What is known in the rows before one, a list for each."""
        return [self._known[row] for row in range(max(place - 40, 0), place) if row in self._known]


def _follows(one: Quantity, slack: float, sources: Sources, sentences: _Sentences) -> bool:
    """Whether a number follows from others of its sentence, or from the texts by what it says."""
    place = sentences.place(one)
    beside = sentences.beside(place)
    if (
        (len(beside) > 1 and _is_made(one, slack, combinations(beside, 2)))
        or (len(beside) > 2 and _is_among(one, slack, wholes([beside])))
        or sources.multiplied(one, slack)
    ):
        return True
    said = sentences.said(place)
    kinds = said.kinds
    if one.unit == "%" and sentences.goes_on(one, _OF):
        kinds += ":"
    if not kinds:
        return False
    if (
        sources.derive(one, slack, kinds)
        or ("+" in kinds and _is_among(one, slack, wholes(sentences.above(place))))
        or ("*" in kinds and _is_made(one, slack, _multiples(beside, sources, said.counts), "*"))
        or ("y" in kinds and _is_among(one, slack, _by_month(sources)))
    ):
        return True
    return bool(beside) and _is_made(one, slack, _linked(beside, sources))


def _by_month(sources: Sources) -> Iterator[tuple[str, str, float]]:
    """What is told of a month, by the year; and the other way round."""
    for one in sources.amounts:
        yield one.unit, "*", one.value * 12
        yield one.unit, "*", one.value / 12


def _linked(beside: Sequence[Quantity], sources: Sources) -> Iterator[tuple[Quantity, Quantity]]:
    """What is known in a sentence with the numbers of the question, and with those that stand
    beside it in the texts."""
    yield from ((a, b) for a in beside for b in sources.asked)
    for a in beside[:4]:
        for b in sources.beside(a) if a.unit else ():
            if b.unit == a.unit or "%" in (a.unit, b.unit):
                yield a, b


def _multiples(
    beside: Sequence[Quantity], sources: Sources, spelled: Sequence[int]
) -> Iterator[tuple[Quantity, Quantity]]:
    """Shares and counts in a sentence or in the question with all amounts of the texts."""
    if not sources.amounts:
        return
    counts = [one for one in beside if one.unit not in CURRENCIES and one.written <= _MANY]
    words = [Quantity(count, 1.0, "", count, 0, 0) for count in map(float, spelled)]
    for a in [*words, *counts, *sources.asked][:_COUNTS]:
        yield from ((a, b) for b in sources.amounts)


def _is_among(one: Quantity, slack: float, made: Iterable[tuple[str, str, float]]) -> bool:
    return any(_is_equal(value, one, slack, unit) for unit, _, value in made)


def _is_made(
    one: Quantity, slack: float, pairs: Iterable[tuple[Quantity, Quantity]], kinds: str = ""
) -> bool:
    make = multiply if kinds == "*" else combine
    for a, b in pairs:
        for unit, _, value in make(a, b):
            if _is_equal(value, one, slack, unit):
                return True
    return False


def _slack(one: Quantity, answer: str) -> float:
    """By how much a number may be off: half of its last digit; more behind a word like about."""
    slack = _slack_of(one)
    if cues.hedges(answer, one.start):
        digits = f"{one.written:.0f}"
        zeros = len(digits) - len(digits.rstrip("0")) if one.written >= 10 else 0
        slack = max(slack, min(one.step * 10.0**zeros, one.value * 0.1))
    return slack


def _slack_of(one: Quantity) -> float:
    return one.step * 0.5 * (1 + 1e-9) + one.value * 1e-12


def _near(values: Sequence[float], value: float, slack: float) -> bool:
    place = bisect_left(values, value - slack)
    return place < len(values) and values[place] <= value + slack
