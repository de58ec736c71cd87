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
from itertools import chain, combinations, islice

from monitor.answers.arithmetic import IN_A_ROW, Made, wholes
from monitor.answers.combined import PAIRS, Pair, made_of, parts_of, rows_of, side_by_side
from monitor.answers.marks import EDGE, marks
from monitor.answers.matches import Claim, is_among, is_made
from monitor.answers.quantities import Amounts, Quantity, of_source, quantities
from monitor.lazy import once
from monitor.words import cues
from monitor.words.units import CURRENCIES

MOST = 1000
"""Of texts with more numbers nothing is said: an invented one would stand there by chance."""
_BESIDE, _COUNTS, _MANY = 40, 6, 1000
"""So many numbers beside one, and counts that are multiplied are looked at; counts up to a
thousand."""
_FEW = 64
"""So many pairs are held against each number; of more what they make is put in order first."""
_CENT = 0.01
"""The step of a number that may be a price."""
_OF = re.compile(r"%? ?(?:of|der|des|von|du|de)\b", re.IGNORECASE)
_MONTH = 30 * 86400.0
_KINDS = frozenset("+-~*%:")
_PRICED = CURRENCIES | {""}
_METRIC = frozenset(("g", "l", "length"))
_TOLD = _METRIC | {"%", "month", "time"}
"""Units of numbers that may be told in others."""
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
        self._has_metres = False
        has_prices = False
        self._found: list[Amounts] = []
        every: list[float] = []
        plain: list[float] = []
        measured: dict[str, list[float]] = {"": plain}
        for text in texts:
            if self.count >= MOST:
                break
            found = of_source(text, MOST - self.count)
            self._found.append(found)
            self.count += len(found)
            every += [one[0] for one in found]
            for value, step, unit, written, _, _ in found:
                if value != written:
                    every.append(written)
                if not unit:
                    plain.append(value)
                    if value != written:
                        plain.append(written)
                    if step == _CENT:
                        has_prices = True
                    continue
                if unit == "length" and value == written:  # 5 m may be millions
                    plain.append(value * 1e6)
                    self._has_metres = True
                if unit in measured:
                    measured[unit].append(value)
                else:
                    measured[unit] = [value]
                if "/" in unit:  # an answer may leave out of what
                    measured.setdefault(unit.partition("/")[0] + "/", []).append(value)
        for values in measured.values():
            values.sort()
        every.sort()
        self._values = measured
        self._written = every
        self._has_prices = has_prices or not CURRENCIES.isdisjoint(measured)

    @once
    def asked(self) -> Sequence[Quantity]:
        """The numbers of the question; those of one of the texts are known already."""
        for text, found in zip(self.texts, self._found, strict=False):
            if text == self._question:
                if found.most is not None and found.most <= _BESIDE:
                    return found
                break
        return quantities(self._question, _BESIDE)

    def support(self, one: Quantity, slack: float) -> bool:
        """Whether a number stands in the texts; `slack` is by how much of its own value it may be
        off, in its unit's measure."""
        value, _, unit, written, _, _ = one
        every = self._written
        place = bisect_left(every, value - slack)
        is_near = place < len(every) and every[place] <= value + slack
        is_scaled = value != written
        if not unit:
            if is_near or (is_scaled and self._stands(one, slack)):
                return True
        elif (is_near or is_scaled or unit in _TOLD or self._has_metres) and self._measured(
            one, slack
        ):
            return True
        if unit == "length" and not is_scaled:  # 5 m may be millions
            times = value * 1e6, slack * 1e6
            return any(_near(found, *times) for found in self._values.values())
        return written in cues.SPELLED and self._says(written)

    def _stands(self, one: Quantity, slack: float) -> bool:
        """Whether a number without a unit stands there as it is written, or in thousands."""
        plain = self._values[""]
        return _near(plain, one.written, slack / one.scale) or _near(
            plain, one.value / 1e3, slack / 1e3
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
        plain = self._values[""]
        if not plain:
            return False
        value, scale, written = one.value, 1.0, slack
        if value != one.written:
            scale = one.scale
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

    def _says(self, number: float) -> bool:
        """Whether the texts spell a number that has names."""
        if number not in self._spelled:
            spelled = cues.SPELLED[int(number)]
            self._spelled[number] = any(_spells(text, spelled) for text in self.texts)
        return self._spelled[number]

    def derive(self, claim: Claim, kinds: str) -> bool:
        """Whether a number is made in one of these ways (`combine`) of two of one sentence or row,
        or of one column in rows that follow one another, or of all of a row or column."""
        if _KINDS.isdisjoint(kinds):
            return False
        pairs, made = self._parts
        if len(pairs) + len(made) <= _FEW:
            return is_made(claim, pairs, kinds) or is_among(claim, made, kinds)
        for kind in kinds:
            for unit, found in self._combined.get(kind, ()):
                if any(_is_within(found, *ends) for ends in claim.ranges(unit)):
                    return True
        return False

    @once
    def multiplied(self) -> list[float]:
        """What rows say that several of a thing cost: `2 x pear 0.60`."""
        if not self._has_prices:
            return []
        pairs = chain.from_iterable(map(side_by_side, self._found))
        return sorted(a.written * b.value for a, b in islice(pairs, PAIRS) if _is_priced(a, b))

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

    @once
    def amounts(self) -> list[Quantity]:
        """Numbers that may be multiplied: money, and others with decimals."""
        every = (one for found in self._found for one in found)
        few = (one for one in every if one.step < 1.0 or one.unit in CURRENCIES)
        return list(islice(few, PAIRS))

    def _by_row(self) -> list[list[list[Quantity]]]:
        if self._rows is None:
            self._rows = list(map(rows_of, self._found))
        return self._rows

    @once
    def _parts(self) -> tuple[list[Pair], list[Made]]:
        """The pairs that stand side by side, and what whole rows and columns make."""
        pairs: list[Pair] = []
        made: list[Made] = []
        for text, amounts in zip(self.texts, self._found, strict=False):
            if len(amounts) > 1:
                some, more = parts_of(text, amounts)
                pairs += some
                made += more
        return pairs, made

    @once
    def _combined(self) -> dict[str, list[tuple[str, list[float]]]]:
        """What the numbers of a row or column make: kind → (unit, values in order)."""
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for text, amounts in zip(self.texts, self._found, strict=False):
            if len(amounts) > 1:
                for key, values in made_of(text, amounts).items():
                    found[key] += values
        by_kind: dict[str, list[tuple[str, list[float]]]] = defaultdict(list)
        for (unit, kind), every in found.items():
            every.sort()
            by_kind[kind].append((unit, every))
        return by_kind


def _is_priced(count: Quantity, price: Quantity) -> bool:
    """Whether the first of two numbers that stand side by side may be how many, the second what
    each of them costs."""
    return (
        (price.unit in CURRENCIES or (not price.unit and price.step == _CENT))
        and 1 < count.written < 1000 and count.written == int(count.written)
        and count.unit not in CURRENCIES and count.unit != "%"
    )  # fmt: skip


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
    """Return (how many numbers of an answer nothing supports, how many there are), each in all of
    its readings.

    Years are none, nor are 0, 1, 100 and, without a unit, whole numbers up to ten: they count what
    is told, which is not looked up. What an answer has worked out in a way that is not seen through
    here is left out of both.
    """
    marked = marks(answer)
    amounts = quantities(answer, most, marked=marked)
    missing, known, count = _missing(answer, amounts, sources)
    if not missing:
        return 0, count
    sentences = _Sentences(answer, marked, known)
    left = list(zip(missing, sentences.said(missing), strict=True))
    for _ in range(2):  # what follows from what is said after it
        before = len(left)
        unknown = []
        for some, said in left:
            for claim in some:
                if _follows(claim, sources, sentences, said):
                    sentences.know(some[0][0])
                    break
            else:
                unknown.append((some, said))
        left = unknown
        if len(left) in (0, before):
            break
    unsure = sum([said.is_computed for _, said in left])
    return len(left) - unsure, count - unsure


Stated = tuple[Quantity, float]
"""A number of an answer, and by how much it may be off."""


def _missing(
    answer: str, amounts: Sequence[Quantity], sources: Sources
) -> tuple[list[list[Stated]], list[Quantity], int]:
    """(the numbers of an answer that do not stand in the texts; those of which others may follow:
    small ones and those that do; how many say something)."""
    missing: list[list[Stated]] = []
    known: list[Quantity] = []
    right: list[Quantity] = []
    seen: set[tuple[float, str]] = set()
    supports, hedges = sources.support, cues.hedges
    some: list[Stated] = []
    first: Quantity | None = None
    is_settled, last = False, -1
    for one in amounts:
        value, _, unit, written, start, _ = one
        if (written <= _SMALL or written >= _YEARS or written == 100.0) and _is_idle(one):
            if 1.0 < written <= _SMALL or written == 100.0:
                known.append(one)
            continue
        if start != last:
            last, first, some = start, one, []
            is_settled = (value, unit) in seen
            seen.add((value, unit))
        if is_settled:
            continue
        slack = _slack_of(one)
        if hedges(answer, start):
            slack = _hedged(one, slack)
        if supports(one, slack):
            is_settled = True
            right.append(first or one)
            if some:
                missing.pop()
        else:
            if not some:
                missing.append(some)
            some.append((one, slack))
    return missing, known + right, len(seen)


_SMALL, _YEARS = 10.0, 1800.0


_NOTHING = cues.said("")


class _Sentences:
    """The sentences and rows of an answer, and which numbers of each are `known` to be right."""

    def __init__(self, answer: str, marked: bytes, right: Sequence[Quantity]) -> None:
        self._answer = answer
        self._marked = marked
        self.known: dict[int, list[Quantity]] = defaultdict(list)
        for one in right:
            self.know(one)

    def place(self, one: Quantity) -> int:
        """The number of the sentence in which a number stands."""
        return self._marked.count(EDGE, 0, one.start)

    def know(self, one: Quantity) -> None:
        """Let others follow from a number."""
        self.known[self.place(one)].append(one)

    def said(self, claims: Iterable[Sequence[Stated]]) -> list[cues.Said]:
        """What the sentence of each of some numbers, in order, says of how it was made."""
        found: list[cues.Said] = []
        answer, find = self._answer, self._marked.find
        end, said = 0, _NOTHING
        for some in claims:
            place = some[0][0].start
            if place >= end:
                begin = self._marked.rfind(EDGE, 0, place) + 1
                end = find(EDGE, place)
                if end < 0:
                    end = len(answer)
                said = cues.said(answer[begin:end])
            found.append(said)
        return found

    def goes_on(self, one: Quantity, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern follows a number."""
        return pattern.match(self._answer, one.end) is not None

    def beside(self, place: int) -> list[Quantity]:
        """What is known to be right in a sentence and in the one before."""
        return [*self.known.get(place, ()), *self.known.get(place - 1, ())][: IN_A_ROW + 2]

    def above(self, place: int) -> list[list[Quantity]]:
        """What is known in the rows before one, a list for each."""
        return [self.known[row] for row in range(max(place - 40, 0), place) if row in self.known]


def _follows(stated: Stated, sources: Sources, sentences: _Sentences, said: cues.Said) -> bool:
    """Whether a number follows from others of its sentence, or from the texts by what it says."""
    one = stated[0]
    kinds = said.kinds
    if one.unit == "%" and sentences.goes_on(one, _OF):
        kinds += ":"
    beside: list[Quantity] = []
    place = 0
    if sentences.known:
        place = sentences.place(one)
        beside = sentences.beside(place)
    multiplied = sources.multiplied
    if not (kinds or multiplied or len(beside) > 1):
        return False
    claim = Claim(*stated)
    if len(beside) > 1 and is_made(claim, combinations(beside, 2)):
        return True
    if len(beside) > 2 and is_among(claim, wholes([beside])):
        return True
    if multiplied and one.unit in _PRICED and _is_within(multiplied, *claim.same):
        return True
    return bool(kinds) and _is_derived(claim, sources, (sentences, place, beside), (said, kinds))


def _is_derived(
    claim: Claim,
    sources: Sources,
    where: tuple[_Sentences, int, list[Quantity]],
    how: tuple[cues.Said, str],
) -> bool:
    """Whether a number follows by what its sentence says: `where` are the sentences, which of them
    is its own, and what is known beside it; `how` what is said, and the kinds of that."""
    (sentences, place, beside), (said, kinds) = where, how
    if (
        sources.derive(claim, kinds)
        or ("+" in kinds and is_among(claim, wholes(sentences.above(place))))
        or ("*" in kinds and is_made(claim, _multiples(beside, sources, said.counts), "*"))
        or ("y" in kinds and is_among(claim, _by_month(sources)))
    ):
        return True
    return bool(beside) and is_made(claim, _linked(beside, sources))


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


def _hedged(one: Quantity, slack: float) -> float:
    """By how much a number behind a word like about may be off."""
    digits = f"{one.written:.0f}"
    zeros = len(digits) - len(digits.rstrip("0")) if one.written >= 10 else 0
    return max(slack, min(one.step * 10.0**zeros, one.value * 0.1))


def _slack_of(one: Quantity) -> float:
    """By how much a number may be off: half of its last digit."""
    return one.step * _HALF + one.value * 1e-12


_HALF = 0.5 * (1 + 1e-9)


def _near(values: Sequence[float], value: float, slack: float) -> bool:
    return _is_within(values, value - slack, value + slack)


def _is_within(values: Sequence[float], low: float, high: float) -> bool:
    """Whether one of some values, in order, lies between two."""
    place = bisect_left(values, low)
    return place < len(values) and values[place] <= high
