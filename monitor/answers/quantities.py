"""Text → the amounts in it: value, unit and the place of the last digit that was written.

Dates, times, versions, identifiers, numbers of chapters and marks of lists are no amounts.
"""

from __future__ import annotations

import re
import sys
from array import array
from functools import lru_cache
from typing import NamedTuple

from monitor.answers.marks import DIGIT, marks
from monitor.words import cues, units

_DIGITS = {
    **{0xFF10 + n: str(n) for n in range(10)},
    **{0x0660 + n: str(n) for n in range(10)},
    **{0x06F0 + n: str(n) for n in range(10)},
    **{0x0966 + n: str(n) for n in range(10)},
    0x066B: ".", 0x066C: ",", 0xFF0E: ".", 0xFF0C: ",", 0xFF05: "%", 0x066A: "%",
}  # fmt: skip
"""Digits and their signs in other scripts → ASCII, a character for a character."""
_OTHER_DIGITS = re.compile("[\uff10-\uff19\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]")

_SPACE = "\u00a0\u2007\u2009\u202f"
_TOKEN = re.compile(
    rf"""[0-9](?:
    (?:(?<!0)|(?![0-9]))
    (?:(?<=[a-z,;:.=|(!?*\n]\ [0-9])|(?<=[\n($€£][0-9])|(?<=\A[0-9]))
    [0-9]{{0,8}}(?:\.[0-9]{{1,2}})?(?:  # nothing but a word or a sign behind it: most are so
        (?P<plain>(?=(?:\ (?P<word>[A-Za-z]{{1,20}})|%)(?:[,;:!?)\n]|\.[ \n]|\ (?!per\ )|\Z)))
      | (?P<bare>(?=[;!?\n]|[.:)](?:[ \n]|\Z)|,(?:\n|\ [^"'])|\ \(|\Z)))
  | (?P<no>
        [0-9]{{3}}[-./][0-9]{{1,2}}[-./][0-9]{{1,2}}(?:[T\ ][0-9:.]{{4,15}}Z?)?(?![0-9])
      | [0-9]?[-./][0-9]{{1,2}}[-./](?:[0-9]{{4}}|[0-9]{{2}})(?![0-9]|[.,][0-9])
      | [0-9]?:[0-5][0-9](?::[0-5][0-9])?(?![0-9])                                 # a time
      | [0-9]{{2,4}}-[0-9]{{3,4}}(?:-[0-9]{{2,4}}){{1,4}}(?![0-9])  # a telephone
      | 4/7(?![0-9])
      | [0-9]?(?:st|nd|rd|th|er|ère|ème)\b
    )
    | (?P<sci>[0-9]*(?:\.[0-9]+)?[eE][-+]?[0-9]{{1,3}}(?![0-9A-Za-z]))
    | (?P<spaced>[0-9]{{0,2}}(?:\ [0-9]{{3}}){{1,6}}(?:,[0-9]+)?
        (?=\ ?(?:€|kr|zł|Kč|Ft|₽|EUR|SEK|NOK|DKK|PLN|CHF)))
    | (?P<digits>[0-9]*(?:[.,'’_{_SPACE}][0-9]+){{0,24}})
    )""",
    re.VERBOSE,
)
_GROUPED = re.compile(
    rf"[0-9]{{1,3}}(?:(?P<group>[,.'’_\ {_SPACE}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*"
    r"|(?:,[0-9]{2})+,[0-9]{3})(?:(?P<decimal>[.,])[0-9]+)?"
)
_AFTER = re.compile(
    rf"[ {_SPACE}-]?(?:(?:working|business|calendar|consecutive|full|more|additional) )?"
    r"([%‰°€£$¥₹]?[^\W\d_]*(?:\.(?=[ \n]))?)((?:/| per )[A-Za-z]{1,7})?"
)
_DASHED = re.compile(
    r"(?:, ?)?[ \u00a0]?(?:[-–—/]|to|bis|à|and|or|of|out of|von|und|oder|et|,)[ \u00a0]?"
    r"[$€£¥₹]?(?=[0-9])"
)
_KEYED = re.compile(r"[\"']?, ?[\"']units?[\"']: ?[\"']([^\"'\n]{1,12})")
_MONTH_AFTER = re.compile(
    r"\.? (?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-zä]{0,7}\b",
    re.IGNORECASE,
)
_LOOK_BACK = 16


NAME = "#"
"""The unit of a number that names something."""


class Quantity(NamedTuple):
    """An amount: `value` in its unit's own measure, positive; `step` is one of its last digit.

    `written` is the number without unit and scale. Equal `start`s are readings of one number.
    """

    value: float
    step: float
    unit: str
    written: float
    start: int
    end: int

    @property
    def scale(self) -> float:
        """What one of the number as it is written stands for."""
        return self.value / self.written if self.written else 1.0


def quantities(
    text: str, most: int, *, names: bool = False, marked: bytes | None = None
) -> list[Quantity]:
    """Return the amounts of a text, in order, `most` at about; with `names` also numbers of
    chapters, days of a month, and marks of lists and citations, with the unit `NAME`.

    A number that can be read in two ways (1.234) gives both. Texts of many more numbers are read
    as far as `most`, so that the time is bounded.

    >>> [(one.value, one.step, one.unit) for one in quantities("up 1.5% to $12.3 million", 9)]
    [(1.5, 0.1, '%'), (12300000.0, 100000.0, 'USD')]
    >>> [(one.value, one.unit) for one in quantities("5-10 mg at 08:30, see section 4 or v1.2", 9)]
    [(0.005, 'g'), (0.01, 'g')]
    """
    return _read_all(text, most, marks(text) if marked is None else marked, names=names).all


class Amounts(tuple[Quantity, ...]):
    """The amounts of a text, and what was made of them (`combined`): of a short text both are
    remembered.

    `marked` are the marks of the text. `most` is from how many on `quantities` gives the same
    without `names`; None where some number names something, or that is not known.
    """

    marked: bytes
    most: int | None = None
    rows: list[list[Quantity]] | None = None
    made: dict[tuple[str, str], array[float]] | None = None
    came_before = False


def of_source(text: str, most: int) -> Amounts:
    """Return the same with `names`. Those of short texts are remembered: the next request of a
    conversation has all texts of the last one."""
    found = _of_short(text) if len(text) <= _SHORT and most >= _FEW else None
    return _of(text, most)[0] if found is None else found


_SHORT, _FEW, _REMEMBERED = 4096, 256, 256
"""Characters and numbers of texts that are remembered, and how many are: 30 MB at most."""


@lru_cache(maxsize=_REMEMBERED)
def _of_short(text: str) -> Amounts | None:
    found, reading = _of(text, _FEW)
    if not reading.is_whole:
        return None
    if not reading.has_names and "_" not in text:  # behind which a number may be a part of a name
        found.most = max(reading.runs, len(found))
    return found


def _of(text: str, most: int) -> tuple[Amounts, _Reading]:
    marked = marks(text)
    reading = _read_all(text, most, marked, names=True)
    found = Amounts(reading.all)
    found.marked = marked
    return found, reading


def _read_all(text: str, most: int, marked: bytes, *, names: bool) -> _Reading:
    """The amounts of a text with these marks."""
    if not text.isascii() and _OTHER_DIGITS.search(text):
        text = text.translate(_DIGITS)
        marked = marks(text)
    found = _Reading(text)
    every = found.all
    token, find = _TOKEN.match, marked.find
    next_one, until = find(DIGIT), 0
    runs = 0
    while next_one >= 0 and runs < most and (match := token(text, next_one)):
        runs += 1
        start, end = match.span()
        next_one = find(DIGIT, end)
        if len(every) >= most:
            break
        if start < until:
            continue
        form, after = match.lastgroup, 0
        if form == "plain":
            if not found.is_open:
                after = _plainly(found, start, end, match["word"] or "%", names)
        elif form == "bare":
            if not found.is_open:
                after = _barely(found, start, end, names)
        elif form == "no":
            continue
        until = after or _carefully(found, start, end, until, names)
    found.runs = runs
    found.is_whole = len(every) < most and next_one < 0
    return found


def _carefully(found: _Reading, start: int, end: int, until: int, names: bool) -> int:
    """Add a number by all that stands beside it; return where it ends, or `until` where what was
    read before ends."""
    text = found.text
    if _is_part(text, start, names=names):
        return until
    unit, factor, until = _unit(text, start, end, found.money)
    if unit is None or not (unit or factor != 1.0 or not _is_name(text, start, end)):
        if not names:
            return until if unit is not None else end + (text[end : end + 1] == "-")
        unit, found.has_names = NAME, True
    found.add(_read(text, (start, end, until), unit, factor), unit, factor)
    return until


def _plainly(found: _Reading, start: int, end: int, word: str, names: bool) -> int:
    """Add a number of which one look at what stands beside it tells all, as most do; return where
    it ends. Return 0 where it has to be read with care, which comes to the same everywhere else.
    `word` stands behind it, or the sign of percent."""
    least, unit, factor, signs, may_go_on = _BEHIND[word]
    length = end - start
    if length < least:
        return 0
    text = found.text
    until = end + signs
    before = text[start - 1 : start]
    if before in _SIGNS:
        unit, factor, may_go_on, until = _SIGNS[before], 1.0, True, end
    elif signs:
        if text[until : until + 1] == ".":
            until += 1
    else:
        space = text.rfind(" ", start - _LOOK_BACK if start > _LOOK_BACK else 0, start - 1)
        if space >= 0 and before == " ":
            is_named = length <= _NAMING[text[space + 1 : start - 1]]
        else:
            is_named = _is_named(text, start, end)
        if is_named:
            found.has_names = True
            if not names:
                return end
            unit = NAME
    run = text[start:end]
    written = float(run)
    step = 1.0 if length < _FRACTION or run.isdigit() else _STEPS[len(run.partition(".")[2])]
    new = _quantity(Quantity, (written * factor, step * factor, unit, written, start, until))
    if may_go_on and _DASHED.match(text, until):
        found.add([new], unit, factor)
    else:
        found.all.append(new)
    return until


def _barely(found: _Reading, start: int, end: int, names: bool) -> int:
    """Do the same with a number behind which there is neither."""
    text = found.text
    unit = money = _SIGNS.get(text[start - 1 : start], "")
    if not money and _is_name(text, start, end):
        found.has_names = True
        if not names:
            return end
        unit = NAME
    run = text[start:end]
    value, step = float(run), 1.0 if run.isdigit() else _STEPS[len(run.partition(".")[2])]
    new = Quantity(value, step, unit, value, start, end)
    if (money or text[end : end + 1] == ",") and _DASHED.match(text, end):
        found.add([new], unit, 1.0)
    else:
        found.all.append(new)
    return end


_Word = tuple[int, str, float, int, bool]


class _Behind(dict[str, _Word]):
    """A word behind a number → (how long a number must be, so that the word tells all; what the
    word measures; how many of that one is; how far it reaches, where it measures something; whether
    a range may go on behind it). Of words that come often it is remembered."""

    def __missing__(self, word: str) -> _Word:
        lower = word.lower()
        kind, one = units.UNITS.get(word) or units.IN_ANY_CASE.get(lower, _NO_UNIT)
        least = _NEVER if lower in _UNPLAIN else 3 if lower[:3] in cues.MONTHS else 0
        signs = 0
        if kind or one != 1.0:
            signs = 1 if word == "%" else 1 + len(word)
        if len(self) >= _WORDS:
            self.clear()
        found = self[word] = least, kind, one, signs, kind in units.CURRENCIES
        return found


_BEHIND = _Behind()
_WORDS, _NEVER = 2048, 99
_SIGNS = {sign: units.MONEY[sign] for sign in "$€£"}
_quantity = tuple.__new__
_NO_UNIT = ("", 1.0)
_STEPS = (1.0, 0.1, 0.01)
_FRACTION = 3
"""Signs that a number with a fraction has at least."""
_BEFORE_UNITS = "working business calendar consecutive full more additional per"
_JOINING = "to bis and or of out von und oder et"
_UNPLAIN = {*_BEFORE_UNITS.split(), *_JOINING.split(), *map(str.lower, units.SCALES)}
"""Words behind a number after which one has to look at what follows."""


class _Reading:
    """The amounts of a text so far. Those of a range or a list get the unit of the last."""

    __slots__ = ("_opened", "all", "has_names", "is_open", "is_whole", "money", "runs", "text")

    def __init__(self, text: str) -> None:
        self.all: list[Quantity] = []
        self.is_whole = False  # whether those are all
        self.has_names = False
        self.runs = 0  # how many runs of digits were looked at
        self.is_open = False  # whether a range or list goes on
        self.money = ""
        self.text = text
        self._opened = 0  # the first of a range or list without a unit yet

    def add(self, new: list[Quantity], unit: str, factor: float) -> None:
        if not new:
            return
        if not self.is_open:
            self._opened = len(self.all)
        elif unit or factor != 1.0:
            waiting = self.all[self._opened :]
            self.all[self._opened :] = [_of_range(one, factor, unit) for one in waiting]
        self.all += new
        self.is_open = (
            (not unit or unit in units.CURRENCIES)
            and factor == 1.0
            and _DASHED.match(self.text, new[0].end) is not None
            and not _is_year(new[0])
        )
        self.money = (unit or self.money) if self.is_open else ""


def _is_year(one: Quantity) -> bool:
    """Whether four digits look like a year."""
    return one.end - one.start == 4 and not one.unit and 1800 <= one.written <= 2100


def _of_range(one: Quantity, factor: float, unit: str) -> Quantity:
    """The first number of a range, by the unit of the second."""
    if one.value != one.written or one.unit not in ("", unit):
        return one
    if one.written >= 1000:  # all of it is written
        factor = 1.0
    return one._replace(value=one.written * factor, step=one.step * factor, unit=unit)


def _read(text: str, places: tuple[int, int, int], unit: str, factor: float) -> list[Quantity]:
    """The readings of a run of digits, and of the cells of a row that commas part. `places` are
    where the digits begin and end, and where the unit does."""
    start, end, until = places
    run = text[start:end]
    found = [
        Quantity(number * factor, step * factor, unit, number, start, until)
        for number, step in _readings(run)
    ]
    if "," in run and (text[start - 1 : start] == "," or (not found and "." not in run)):
        for cell in run.split(","):
            found += [
                Quantity(number, step, "", number, start, start + len(cell))
                for number, step in _readings(cell)
            ]
            start += len(cell) + 1
    return found


def _is_part(text: str, start: int, *, names: bool) -> bool:
    """Whether digits at a place are a part of a word, of a path or of an address."""
    before = text[start - 1] if start else " "
    if before == "_" and names:
        return False
    if before.isalpha() or before in "_@\\":
        return not _money_before(text, start)
    if before in "-/." and start > 1:
        earlier = text[start - 2]
        return earlier.isalpha() or (before == "." and earlier.isdigit())
    return False


def _is_name(text: str, start: int, end: int) -> bool:
    """Whether a number is that of a chapter, a day or a citation, or the mark of a list."""
    before, after = text[start - 1 : start] or "\n", text[end : end + 1]
    opened = start - 1 if before == "[" else text.rfind("[", max(start - 8, 0), start)
    if opened >= 0 and after and after in "],":
        return text[max(opened - 2, 0) : opened].rstrip()[-1:] != ":"  # that is a list in JSON
    if after and after in ".):" and end - start <= 3 and _is_mark(text, start, end):
        return True
    return _is_named(text, start, end) or (end - start <= 2 and _is_of_month(text, end))


def _is_named(text: str, start: int, end: int) -> bool:
    """Whether the word before a number says what it names, or of which month it is a day."""
    before = text[max(start - _LOOK_BACK, 0) : start]
    space = before.rfind(" ", 0, -1)
    longest = _NAMING[before[space + 1 : -1]] if space >= 0 and before[-1] == " " else -1
    return end - start <= (_named_by(before) if longest < 0 else longest)


def _named_by(before: str) -> int:
    """The digits of the longest number that the last word before it names, or makes a day; -1
    where there is no word."""
    words = before.rstrip(" .:([\u00a0").rsplit(None, 1)
    word = words[-1].lower().lstrip("([") if words else ""
    if word in cues.NAMES or word[-1:] in ("§", "#", "№"):
        return sys.maxsize
    return 2 if word[:3] in cues.MONTHS else 0 if words else -1


class _Naming(dict[str, int]):
    """The same of a word, which is remembered."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _WORDS:
            self.clear()
        found = self[word] = _named_by(word)
        return found


_NAMING = _Naming()


def _is_of_month(text: str, end: int) -> bool:
    return _MONTH_AFTER.match(text, end) is not None


def _is_mark(text: str, start: int, end: int) -> bool:
    """Whether digits begin a line, and a sign and a space follow them."""
    line = text.rfind("\n", max(start - 12, 0), start) + 1
    if not line and start > 12:
        return False
    return not text[line:start].strip(" \t*->(") and text[end + 1 : end + 2] in (" ", "\t", "*")


def _readings(run: str) -> list[tuple[float, float]]:
    """(number, its step) of what a run of digits can mean; none where it is a version.

    >>> _readings("1,234.5"), _readings("1.234"), _readings("1.2.3"), _readings("1,2")
    ([(1234.5, 0.1)], [(1.234, 0.001), (1234.0, 1.0)], [], [(1.2, 0.1)])
    """
    if run.isdigit():
        return [(float(run[:300]), 1.0)] if len(run) == 1 or run[0] != "0" or not int(run) else []
    if "e" in run or "E" in run:
        number = float(run)
        digits, _, power = run.lower().partition("e")
        places = len(digits.partition(".")[2])
        is_sound = number < 1e300 and abs(int(power)) < 300
        return [(number, 10.0 ** (int(power) - places))] if is_sound else []
    whole, _, fraction = run.partition(".")
    if len(fraction) != 3 and whole.isdigit() and fraction.isdigit():
        return [(float(run), 10.0 ** -len(fraction))]
    grouped = _GROUPED.fullmatch(run)
    plain = run.translate(_NO_GROUPS)
    signs = plain.translate(_SIGNS_ONLY)
    found = []
    if len(signs) <= 1:
        whole, _, fraction = plain.replace(",", ".").partition(".")
        if plain == run or grouped:
            step = 10.0 ** -len(fraction[:300])
            found.append((float(f"{whole[:300]}.{fraction[:300] or 0}"), step))
    if grouped and signs and not (signs in {",", "."} and run.startswith("0")):
        decimal = grouped["decimal"]
        if decimal and decimal == grouped["group"]:
            return found
        if not decimal and len(signs) > 1 and len(set(signs)) > 1:
            return found
        whole, _, fraction = plain.rpartition(decimal) if decimal else (plain, "", "")
        whole = whole.replace(",", "").replace(".", "")
        both = (float(f"{whole[:300]}.{fraction[:300] or 0}"), 10.0 ** -len(fraction[:300]))
        found.insert(0, both) if "," in signs and signs != "." else found.append(both)
    return found


_NO_GROUPS = {ord(one): None for one in "'’_ " + _SPACE}
_SIGNS_ONLY = {ord(str(n)): None for n in range(10)}


def _unit(text: str, start: int, end: int, money: str) -> tuple[str | None, float, int]:
    """(what is measured, times what, where it ends); None where letters make it a name. `money` is
    that of a range which began before."""
    money = _money_before(text, start) or money
    word, per, is_close, at = _word(text, end)
    if not word:
        keyed = _KEYED.match(text, end) if text[end : end + 1] in (",", '"') else None
        kind, one = ("", 1.0) if keyed is None else _known(*_parted(keyed[1]))
        return money or kind, 1.0 if money else one, end
    scale, until = 1.0, end
    factor = units.SCALES.get(word) or (units.SCALES.get(word.lower()) if len(word) > 2 else None)
    if factor and (money or word not in units.UNSURE or (is_close and word in units.CLOSE)):
        scale, until = factor, at
        word, per, is_close, at = _word(text, until)
    if money or not word:
        return money, scale, until
    if word == "per" and text[at : at + 5] == " cent":
        word, at = "%", at + 5
    kind, one = _known(word, per)
    if not kind and one == 1.0:
        is_name = is_close and word[0].isalpha() and word not in units.UNITS and until == end
        return (None if is_name else ""), scale, until
    return kind, scale * one, at


def _word(text: str, place: int) -> tuple[str, str, bool, int]:
    """(a word behind a number, for each of what, whether it follows at once, where it ends)."""
    after = _AFTER.match(text, place)
    if after is None:
        return "", "", False, place
    return after[1].rstrip("."), after[2] or "", after.start(1) == place, after.end()


def _known(word: str, per: str) -> tuple[str, float]:
    """(what a unit measures, how many of that one is); nothing where it is none."""
    kind, one = units.UNITS.get(word) or units.IN_ANY_CASE.get(word.lower()) or ("", 1.0)
    head = per.lower().strip("/ ").removeprefix("per ").removesuffix("s")
    return (f"{kind}/{head}" if head and kind else kind), one


def _parted(said: str) -> tuple[str, str]:
    head, _, rest = said.partition("/")
    return head, rest


def _money_before(text: str, start: int) -> str:
    """The money whose sign or code stands before a number; empty where none does."""
    back = text[max(start - 5, 0) : start].rstrip(" \u00a0")
    if not back or back[-1].islower():
        return ""
    sign = units.MONEY.get(back[-1])
    if sign:
        return sign
    code = back[-3:]
    return units.MONEY.get(code.lower(), "") if code.isupper() and len(code) == 3 else ""
