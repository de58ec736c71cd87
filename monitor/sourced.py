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
from itertools import combinations, islice, pairwise

from monitor.quantities import CURRENCIES, Quantity, quantities

MOST = 2000
"""Of texts with more numbers nothing is said: an invented one would stand there by chance."""
_IN_A_ROW, _PAIRS, _BESIDE = 8, 800, 40
"""Rows with more numbers are not combined; so many pairs, and numbers beside one, are looked at."""
_EDGE = re.compile(r"[.!?](?=[\s\"”)])|\n|\}")
_CUES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kinds, re.compile(rf"\b(?:{words})", re.IGNORECASE))
    for kinds, words in (
        ("+*", r"total|sum\b|combined|together|altogether|overall|comes? to|came to|amounts? to|used to|before"
               r"|plus\b|worth|summe|gesamt|insgesamt|zusammen|somme|ensemble"),
        ("~", r"average|mean\b|durchschnitt|moyenne|midpoint"),
        ("-%:", r"differ|more\b|less\b|fewer|higher|lower\b|larger|smaller|increas|decreas|rise|rising|rose\b"
                r"|risen|grew|grow|fall|fell\b|drop|declin|reduc|chang|up\b|down\b|gain|lost\b|loss|improv"
                r"|jump|climb|slipp|unterschied|differenz|mehr\b|weniger|gestiegen|gesunken|écart|hausse|baisse"
                r"|slower|faster|longer|shorter|earlier|later|over\b|under\b|short|gap\b|spread|margin"),
        (":", r"times\b|ratio|double|triple|half\b|share|split|anteil"),
        ("-*%", r"saving|save|remain|left\b|balance|discount|off\b|net\b|rest\b|refund|back\b"),
    )
)  # fmt: skip
"""What a sentence says of how its numbers were made: kinds of `combine`."""
_LINK = re.compile(r"\b(?:after|before|of|so|thus|that is|which|share|per|each|every|rest|due|owe|or|i\.e)\b|[(=:]",
                   re.IGNORECASE)  # fmt: skip
"""The same, where one of the numbers stands there."""
_OF = re.compile(r"%? ?(?:of|der|des|von|du|de)\b", re.IGNORECASE)
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
_METRIC = frozenset(("g", "l", "length"))
_TIMES = (100.0, 1000.0, 0.001, 0.01)
"""From one unit of the same kind to another: a table has it in its head, or in a key."""


class Sources:
    """The numbers of some texts, ready to be asked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.count = 0
        self._rows: list[list[list[Quantity]]] | None = None
        self._multiplied: list[float] | None = None
        self._found: list[list[Quantity]] = []
        measured: dict[str, list[float]] = defaultdict(list)
        for text in texts:
            found = quantities(text, MOST - self.count, names=True) if self.count < MOST else []
            self._found.append(found)
            self.count += len(found)
            for one in found:
                measured[one.unit].append(one.value)
                if "/" in one.unit:  # an answer may leave out of what
                    measured[one.unit.partition("/")[0] + "/"].append(one.value)
                if not one.unit and one.value != one.written:
                    measured[""].append(one.written)
                if one.unit == "length" and one.value == one.written:  # 5 m may be millions
                    measured[""].append(one.written * 1e6)
        self._values = {unit: sorted(values) for unit, values in measured.items()}
        self._written = sorted(
            {x for found in self._found for one in found for x in (one.written, one.value)}
        )
        self._derived: dict[tuple[str, str], list[float]] | None = None

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
        head, slash, _ = one.unit.partition("/")
        units = (one.unit, head if slash else f"{head}/")
        if any(_near(values.get(unit, ()), value, slack) for unit in units):
            return True
        if _near(plain, value, slack) or _near(plain, one.written, slack / one.scale):
            return True
        if one.unit == "%" and value <= 200 and _near(plain, value / 100, slack / 100):
            return True
        if one.unit in ("month", "time"):
            other, times = ("time", _MONTH) if one.unit == "month" else ("month", 1 / _MONTH)
            if _near(values.get(other, ()), value * times, value * times * 0.02):
                return True
        if one.unit in _METRIC and any(
            _near(plain, one.written * times, slack / one.scale * times) for times in _TIMES
        ):
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

    def derive(self, one: Quantity, slack: float, kinds: str) -> bool:
        """Whether a number is made in one of these ways (`combine`) of two of one sentence or row,
        or of one column in rows that follow one another, or of all of a row or column."""
        if self._derived is None:
            self._derived = self._combined()
        return any(
            kind in kinds and _is_near(found, one, slack, unit)
            for (unit, kind), found in self._derived.items()
        )

    def multiplied(self, one: Quantity, slack: float) -> bool:
        """Whether a number is what a row says that several of a thing cost: `2 x pear 0.60`."""
        if self._multiplied is None:
            rows = (row for of in self._by_row() for row in of)
            pairs = (pair for row in rows for pair in pairwise(row))
            self._multiplied = sorted(
                a.value * b.value
                for a, b in islice(pairs, _PAIRS)
                if a.step == 1.0 and not a.unit and 1 < a.value < 1000 and b.step < 1.0
                and b.unit != "%"
            )  # fmt: skip
        return _near(self._multiplied, one.value, slack)

    def beside(self, known: Quantity) -> list[Quantity]:
        """The numbers of the rows in which a number stands, and of those before and behind."""
        found: list[Quantity] = []
        slack = _slack_of(known)
        for rows in self._by_row():
            for place, row in enumerate(rows):
                if any(one.unit == known.unit and abs(one.value - known.value) <= slack for one in row):
                    for near in rows[max(place - 1, 0) : place + 2]:
                        found += near
            if len(found) > _BESIDE:
                break
        return found[:_BESIDE]

    def _by_row(self) -> list[list[list[Quantity]]]:
        if self._rows is None:
            pairs = zip(self.texts, self._found, strict=True)
            self._rows = [list(_rows(text, found)) for text, found in pairs]
        return self._rows

    def _combined(self) -> dict[tuple[str, str], list[float]]:
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for rows in self._by_row():
            within = (pair for row in rows if len(row) <= _IN_A_ROW for pair in combinations(row, 2))
            columns = (
                (a, b)
                for above, below in pairwise(rows)
                for a, b in zip(above[:_IN_A_ROW], below, strict=False)
                if a.unit == b.unit
            )
            for a, b in (*islice(within, _PAIRS), *islice(columns, _PAIRS)):
                for unit, kind, value in combine(a, b):
                    found[unit, kind].append(value)
            for unit, kind, value in _wholes(rows):
                found[unit, kind].append(value)
        return {made: sorted(values) for made, values in found.items()}


def _is_near(values: Sequence[float], one: Quantity, slack: float, unit: str) -> bool:
    """Whether a claim is among values in a unit, or in none."""
    if unit == one.unit and _near(values, one.value, slack):
        return True
    if unit and one.unit:
        return False
    written = slack / one.scale
    return (
        _near(values, one.value, slack)
        or _near(values, one.written, written)
        or (one.scale >= 1e6 and _near(values, one.value / 1e3, slack / 1e3))
    )


def claims(answer: str, amounts: Iterable[Quantity]) -> Iterator[list[Quantity]]:
    """Yield the amounts of an answer that say something, each in all of its readings.

    Years are none, nor are 0, 1, 100 and, without a unit, whole numbers up to ten: they count what
    is told, which is not looked up.
    """
    readings: list[Quantity] = []
    for one in amounts:
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
    return written <= 10 or _is_year(one)


def _is_year(one: Quantity) -> bool:
    return not one.unit and one.end - one.start == 4 and 1800 <= one.written <= 2100


def unsupported(answer: str, sources: Sources, most: int) -> tuple[int, int]:
    """Return (how many numbers of an answer nothing supports, how many there are)."""
    amounts = quantities(answer, most)
    found = list(claims(answer, amounts))
    if not found:
        return 0, 0
    sentences = _Sentences(answer, amounts)
    missing: list[list[Quantity]] = []
    seen: set[tuple[float, str]] = set()
    for readings in found:
        first = readings[0]
        if (first.value, first.unit) in seen:
            continue
        seen.add((first.value, first.unit))
        if any(sources.support(one, _slack(one, answer)) for one in readings):
            sentences.know(first)
        else:
            missing.append(readings)
    wrong = 0
    for readings in missing:
        if any(_follows(one, _slack(one, answer), sources, sentences) for one in readings):
            sentences.know(readings[0])
        else:
            wrong += 1
    return wrong, len(seen)


class _Sentences:
    """The sentences and rows of an answer, and which numbers of each are known to be right."""

    def __init__(self, answer: str, amounts: Sequence[Quantity]) -> None:
        self._answer = answer
        self._edges = [match.start() for match in _EDGE.finditer(answer)]
        self._known: dict[int, list[Quantity]] = defaultdict(list)
        for one in amounts:
            if _is_idle(one, answer) and one.written > 1 and not _is_year(one):
                self.know(one)

    def know(self, one: Quantity) -> None:
        """Let others follow from a number."""
        self._known[bisect_left(self._edges, one.start)].append(one)

    def text(self, one: Quantity) -> str:
        """The sentence of a number."""
        place = bisect_left(self._edges, one.start)
        start = self._edges[place - 1] if place else 0
        end = self._edges[place] if place < len(self._edges) else len(self._answer)
        return self._answer[start:end]

    def goes_on(self, one: Quantity, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern follows a number."""
        return pattern.match(self._answer, one.end) is not None

    def beside(self, one: Quantity) -> list[Quantity]:
        """What is known to be right in the sentence of a number and in the one before."""
        place = bisect_left(self._edges, one.start)
        return [*self._known.get(place, ()), *self._known.get(place - 1, ())][: _IN_A_ROW + 2]

    def above(self, one: Quantity) -> list[list[Quantity]]:
        """What is known in the rows up to that of a number, a list for each."""
        place = bisect_left(self._edges, one.start)
        return [self._known[row] for row in range(max(place - 40, 0), place) if row in self._known]


def _follows(one: Quantity, slack: float, sources: Sources, sentences: _Sentences) -> bool:
    """Whether a number follows from others of its sentence, or from the texts by what it says."""
    beside = sentences.beside(one)
    if _is_made(one, slack, combinations(beside, 2)) or sources.multiplied(one, slack):
        return True
    if any(_is_near([value], one, slack, unit) for unit, _, value in _wholes([beside])):
        return True
    sentence = sentences.text(one)
    kinds = "".join(kinds for kinds, cue in _CUES if cue.search(sentence))
    if one.unit == "%" and sentences.goes_on(one, _OF):
        kinds += ":"
    if kinds and sources.derive(one, slack, kinds):
        return True
    if "+" in kinds and any(
        _is_near([value], one, slack, unit) for unit, _, value in _wholes(sentences.above(one))
    ):
        return True
    if not (kinds or _LINK.search(sentence)):
        return False
    pairs = ((a, b) for a in beside[:4] if a.unit for b in sources.beside(a))
    return _is_made(one, slack, ((a, b) for a, b in pairs if b.unit == a.unit or "%" in (a.unit, b.unit)))


def _is_made(one: Quantity, slack: float, pairs: Iterable[tuple[Quantity, Quantity]]) -> bool:
    return any(
        _is_near([value], one, slack, unit) for a, b in pairs for unit, _, value in combine(a, b)
    )


def _slack(one: Quantity, answer: str) -> float:
    """By how much a number may be off: half of its last digit, and more behind a word like about."""
    slack = _slack_of(one)
    if _HEDGE.search(answer[max(one.start - 16, 0) : one.start]):
        digits = f"{one.written:.0f}"
        round_ = 10.0 ** (len(digits) - len(digits.rstrip("0"))) if one.written >= 10 else 1.0
        slack = max(slack, min(round_ * one.scale, one.value * 0.1))
    return slack


def _slack_of(one: Quantity) -> float:
    return one.step * 0.5 * (1 + 1e-9) + one.value * 1e-12


def combine(a: Quantity, b: Quantity) -> Iterator[tuple[str, str, float]]:
    """Yield (unit, kind, value) of what two numbers of one row make: sum (+), difference (-), mean
    (~), product or part (*), change (%), share or ratio (:)."""
    if "%" in (a.unit, b.unit) and a.unit != b.unit:
        share, amount = (a, b) if a.unit == "%" else (b, a)
        part = amount.value * share.value / 100
        yield from (
            (amount.unit, "*", value) for value in (part, amount.value - part, amount.value + part)
        )
        return
    for rate, of in ((a, b), (b, a)):
        if "/" in rate.unit and "/" not in of.unit:
            yield rate.unit.partition("/")[0], "*", rate.value * of.written
        elif rate.unit in CURRENCIES and of.unit not in CURRENCIES:
            yield rate.unit, "*", rate.value * of.written
    x, y, unit = a.value, b.value, a.unit or b.unit
    if a.unit != b.unit:
        if a.unit and b.unit:
            return
        for one, count in ((a, b), (b, a)):
            if count.value > 0 and not count.unit:
                yield unit, ":", one.value / count.value
        yield unit, "*", x * y
        x, y = (x, y * a.scale) if a.unit else (x * b.scale, y)  # 41.5 hours against 24
    elif not unit:
        yield unit, "*", x * y
    if x < y:
        x, y = y, x
    yield unit, "+", x + y
    yield unit, "-", x - y
    yield unit, "~", (x + y) / 2
    if y > 0:
        yield from (("%", "%", value) for value in (100 * (x - y) / y, 100 * (x - y) / x))
        yield from (("%", ":", value) for value in (100 * y / x, 100 * x / y))
        yield "", ":", x / y
        if not unit:
            yield "", ":", y / x


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


def _wholes(rows: Sequence[Sequence[Quantity]]) -> Iterator[tuple[str, str, float]]:
    """Yield (unit, kind, value) of sums, means and shares of rows, and of columns of rows that are
    alike."""
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
            yield from ((unit, "+", one) for one in (total, total - values[-1], total - values[0]))
            yield unit, "~", total / len(values)
            if total > 0 and len(values) <= _IN_A_ROW:
                yield from (("%", ":", 100 * value / total) for value in values)


def _near(values: Sequence[float], value: float, slack: float) -> bool:
    return bisect_left(values, value - slack) < bisect_right(values, value + slack)
