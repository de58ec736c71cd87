"""Text → the amounts in it: value, unit and the place of the last digit that was written.

Dates, times, versions, identifiers, numbers of chapters and marks of lists are no amounts.
Measures are those of the SI (BIPM, The International System of Units, 9th edition) and of the trade.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

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
    (?P<no>
        [0-9]{{3}}[-./][0-9]{{1,2}}[-./][0-9]{{1,2}}(?:[T\ ][0-9:.]{{4,15}}Z?)?(?![0-9])   # ISO 8601
      | [0-9]?[-./][0-9]{{1,2}}[-./](?:[0-9]{{4}}|[0-9]{{2}})(?![0-9.,])
      | [0-9]?:[0-5][0-9](?::[0-5][0-9])?(?![0-9])                                 # a time
      | [0-9]{{2,4}}-[0-9]{{3,4}}(?:-[0-9]{{2,4}}){{1,4}}(?![0-9])                        # a telephone
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
_AFTER = re.compile(rf"[ {_SPACE}-]?(?:(?:working|business|calendar|consecutive|full|more|additional) )?([%‰°€£$¥₹]?[A-Za-zµμäüé]*(?:\.(?=[ \n]))?)((?:/| per )[A-Za-z]{{1,7}})?")
_DASHED = re.compile(
    r"(?:, ?)?[ \u00a0]?(?:[-–—/]|to|bis|à|and|or|of|out of|von|und|oder|et|,)[ \u00a0]?[$€£¥₹]?(?=[0-9])"
)
_KEYED = re.compile(r"[\"']?, ?[\"']units?[\"']: ?[\"']([^\"'\n]{1,12})")
_NAMES = frozenset((
    "section sections sec article articles art clause clauses chapter ch page pages p pp table figure fig"
    " step phase type grade stage level line item no nr number room version ver appendix annex exhibit"
    " schedule paragraph para rule part form case order ticket invoice option question q volume vol"
    " equation eq reference ref source note footnote iso din rfc day week lot batch sku model gate"
    " flight tier class kapitel seite abschnitt artikel ziffer schritt tabelle abbildung nummer"
    " bestellung rechnung § # №"
).split())  # fmt: skip
"""What a number behind it names, and does not count."""
_MONTHS = frozenset("jan feb mar apr may jun jul aug sep oct nov dec mär mai okt dez".split())
_MONTH_AFTER = re.compile(
    r"\.? (?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-zä]{0,7}\b",
    re.IGNORECASE,
)
_LOOK_BACK = 16
_SCALES = {
    "thousand": 1e3, "k": 1e3, "K": 1e3, "tsd": 1e3, "tausend": 1e3, "mille": 1e3, "mil": 1e3,
    "lakh": 1e5, "lakhs": 1e5, "crore": 1e7, "crores": 1e7,
    "million": 1e6, "millions": 1e6, "mn": 1e6, "mio": 1e6, "mm": 1e6, "M": 1e6, "m": 1e6,
    "millionen": 1e6, "millones": 1e6,
    "billion": 1e9, "billions": 1e9, "bn": 1e9, "b": 1e9, "B": 1e9, "mrd": 1e9, "milliarden": 1e9,
    "milliards": 1e9, "trillion": 1e12, "tn": 1e12, "T": 1e12,
}  # fmt: skip
_AMBIGUOUS_SCALES = frozenset(("k", "K", "mm", "M", "m", "b", "B", "T", "mil"))
"""Scales where money stands before; else they may be units."""
_ANYWHERE = frozenset(("k", "K", "M", "B"))
"""Scales even without money, where they follow a digit at once."""
_MONEY = {
    "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "€": "EUR", "eur": "EUR",
    "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "¥": "JPY", "jpy": "JPY", "yen": "JPY",
    "₹": "INR", "inr": "INR", "rupees": "INR", "chf": "CHF", "cad": "CAD", "aud": "AUD",
    "sek": "SEK", "nok": "NOK", "dkk": "DKK", "kr": "SEK", "pln": "PLN", "zł": "PLN", "cny": "CNY",
    "czk": "CZK", "Kč": "CZK",
}  # fmt: skip
CURRENCIES = frozenset(_MONEY.values())
UNITS: dict[str, tuple[str, float]] = {
    **{one: ("%", 1.0) for one in ("%", "percent", "per cent", "pct", "prozent", "pp", "percentage")},
    **{one: ("%", 0.01) for one in ("bp", "bps", "basis")},
    "‰": ("%", 0.1),
    **{one: (money, 1.0) for one, money in _MONEY.items()},
    "p": ("GBP", 0.01), "pence": ("GBP", 0.01), "ct": ("EUR", 0.01), "cent": ("EUR", 0.01), "cents": ("USD", 0.01),
    "x": ("", 1.0), "X": ("", 1.0), "×": ("", 1.0), "times": ("", 1.0), "fold": ("", 1.0),
    **{one: ("g", 1e-9) for one in ("ng", "nanograms")},
    **{one: ("g", 1e-6) for one in ("mcg", "µg", "μg", "ug", "micrograms", "microgram", "mikrogramm")},
    **{one: ("g", 1e-3) for one in ("mg", "milligrams", "milligram", "milligramm")},
    **{one: ("g", 1.0) for one in ("g", "grams", "gram", "gramm")},
    **{one: ("g", 1e3) for one in ("kg", "kilograms", "kilogram", "kilos", "kilo", "kilogramm")},
    **{one: ("g", 1e6) for one in ("t", "tonnes", "tonne", "tons", "tonnen")},
    **{one: ("lb", 1.0) for one in ("lb", "lbs", "pounds")},
    **{one: ("oz", 1.0) for one in ("oz", "ounces", "ounce")},
    **{one: ("l", 1e-3) for one in ("ml", "mL", "millilitres", "milliliters", "milliliter")},
    **{one: ("l", 0.1) for one in ("dl", "dL")},
    **{one: ("l", 1.0) for one in ("l", "L", "litres", "liters", "litre", "liter")},
    **{one: ("l", 1e-6) for one in ("µl", "μl", "µL", "μL")},
    **{one: ("length", 1e-9) for one in ("nm", "nanometres", "nanometers")},
    **{one: ("length", 1e-6) for one in ("µm", "μm", "micrometres", "micrometers", "microns")},
    **{one: ("length", 1e-3) for one in ("mm", "millimetres", "millimeters")},
    **{one: ("length", 1e-2) for one in ("cm", "centimetres", "centimeters", "zentimeter")},
    **{one: ("length", 1.0) for one in ("m", "metres", "meters", "metre", "meter")},
    **{one: ("length", 1e3) for one in ("km", "kilometres", "kilometers", "kilometer")},
    **{one: ("mile", 1.0) for one in ("mile", "miles", "mi")},
    **{one: ("ft", 1.0) for one in ("ft", "feet", "foot")},
    **{one: ("in", 1.0) for one in ("inch", "inches")},
    **{one: ("time", 1e-3) for one in ("ms", "milliseconds", "millisecond")},
    **{one: ("time", 1.0) for one in ("s", "sec", "secs", "seconds", "second", "sekunden")},
    **{one: ("time", 60.0) for one in ("min", "mins", "minutes", "minute", "minuten")},
    **{one: ("time", 3600.0) for one in ("h", "hr", "hrs", "hours", "hour", "stunden", "stunde")},
    **{one: ("time", 86400.0) for one in ("day", "days", "tage", "tagen", "tag", "jours", "días")},
    **{one: ("time", 604800.0) for one in ("week", "weeks", "wochen", "woche", "semaines")},
    **{one: ("month", 1.0) for one in ("month", "months", "monate", "monaten", "monat", "mois")},
    **{one: ("month", 3.0) for one in ("quarters", "quartale")},
    **{one: ("month", 12.0) for one in ("year", "years", "yr", "yrs", "jahre", "jahren", "jahr", "ans")},
    **{one: ("°", 1.0) for one in ("°", "°C", "°F")},
    **{one: ("K", 1.0) for one in ("kelvin",)},
    **{one: ("W", 1.0) for one in ("W", "watts", "watt")},
    "mW": ("W", 1e-3), "kW": ("W", 1e3), "MW": ("W", 1e6), "GW": ("W", 1e9),
    "Wh": ("Wh", 1.0), "kWh": ("Wh", 1e3), "MWh": ("Wh", 1e6), "GWh": ("Wh", 1e9), "TWh": ("Wh", 1e12),
    "bytes": ("B", 1.0), "KB": ("B", 1e3), "kB": ("B", 1e3), "MB": ("B", 1e6), "GB": ("B", 1e9),
    "TB": ("B", 1e12), "Hz": ("Hz", 1.0), "kHz": ("Hz", 1e3), "MHz": ("Hz", 1e6), "GHz": ("Hz", 1e9),
    "V": ("V", 1.0), "mV": ("V", 1e-3), "kV": ("V", 1e3), "mA": ("A", 1e-3), "mAh": ("Ah", 1e-3),
    "Pa": ("Pa", 1.0), "kPa": ("Pa", 1e3), "MPa": ("Pa", 1e6), "hPa": ("Pa", 1e2), "bar": ("Pa", 1e5),
    "mmHg": ("mmHg", 1.0), "kcal": ("kcal", 1.0), "calories": ("kcal", 1.0), "kJ": ("J", 1e3),
    "mmol": ("mol", 1e-3), "µmol": ("mol", 1e-6), "μmol": ("mol", 1e-6), "mol": ("mol", 1.0),
    "nmol": ("mol", 1e-9), "mM": ("mol/l", 1e-3), "µM": ("mol/l", 1e-6), "μM": ("mol/l", 1e-6),
    "nM": ("mol/l", 1e-9), "IU": ("IU", 1.0), "units": ("IU", 1.0), "bpm": ("bpm", 1.0),
    "mEq": ("mEq", 1.0), "mph": ("mph", 1.0),
}  # fmt: skip
"""A unit as it is written → what it measures, and how many of that one is."""
_LOWER = {one.lower(): unit for one, unit in UNITS.items() if len(one) > 2 or one in _MONEY}


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


def quantities(text: str, most: int, *, names: bool = False) -> list[Quantity]:
    """Return the amounts of a text, in order, `most` at about; with `names` also numbers of
    chapters, days of a month, and marks of lists and citations.

    A number that can be read in two ways (1.234) gives both. Texts of many more numbers are read
    as far as `most`, so that the time is bounded.

    >>> [(one.value, one.step, one.unit) for one in quantities("up 1.5% to $12.3 million", 9)]
    [(1.5, 0.1, '%'), (12300000.0, 100000.0, 'USD')]
    >>> [(one.value, one.unit) for one in quantities("5-10 mg at 08:30, see section 4 or v1.2", 9)]
    [(0.005, 'g'), (0.01, 'g')]
    """
    if not text.isascii() and _OTHER_DIGITS.search(text):
        text = text.translate(_DIGITS)
    found: list[Quantity] = []
    opened = until = 0  # the first of a range or list without a unit yet; what was read up to
    money = ""
    for match in islice(_TOKEN.finditer(text), most):
        start, end = match.span()
        if len(found) >= most:
            break
        if start < until or match.lastgroup == "no" or _is_part(text, start):
            continue
        if opened == len(found):
            money = ""
        unit, factor, until = _unit(text, start, end, money)
        if unit is None:
            until = end + (text[end : end + 1] == "-")
            continue
        if not (names or unit or factor != 1.0) and _is_name(text, start, end):
            continue
        new = list(_read(match[0], start, end, until, factor, unit, text[start - 1 : start]))
        if not new:
            continue
        if unit or factor != 1.0:
            found[opened:] = [_of_range(one, factor, unit) for one in found[opened:]]
        is_open = (not unit or unit in CURRENCIES) and factor == 1.0
        if not is_open:
            opened = len(found)
        found += new
        if not (is_open and _DASHED.match(text, until)) or _is_year(new[0]):
            opened = len(found)
        elif unit:
            money = unit
    return found


def _is_year(one: Quantity) -> bool:
    """Whether four digits look like a year."""
    return one.end - one.start == 4 and not one.unit and 1800 <= one.written <= 2100


def _of_range(one: Quantity, factor: float, unit: str) -> Quantity:
    """The first number of a range, by the unit of the second."""
    if one.value != one.written or one.unit not in ("", unit):
        return one
    return one._replace(value=one.written * factor, step=one.step * factor, unit=unit)


def _read(
    run: str, start: int, end: int, until: int, factor: float, unit: str, before: str
) -> Iterator[Quantity]:
    """The readings of a run of digits, and of the cells of a row that commas part."""
    numbers = _readings(run)
    for number, step in numbers:
        yield Quantity(number * factor, step * factor, unit, number, start, until)
    if "," in run and (before == "," or (not numbers and "." not in run)):
        for cell in run.split(","):
            for number, step in _readings(cell):
                yield Quantity(number, step, "", number, start, start + len(cell))
            start += len(cell) + 1


def _is_part(text: str, start: int) -> bool:
    """Whether digits at a place are a part of a word, of a path or of an address."""
    before = text[start - 1] if start else " "
    if before.isalpha() or before in "_@\\":
        return not _money_before(text, start)
    if before in "-/." and start > 1:
        earlier = text[start - 2]
        return earlier.isalpha() or (before == "." and earlier.isdigit())
    return False


def _is_name(text: str, start: int, end: int) -> bool:
    """Whether a number is that of a chapter or a day of a month, a citation or the mark of a list."""
    before, after = text[start - 1 : start] or "\n", text[end : end + 1]
    if before == "[" and after and after in "],":
        return True
    if after and after in ".):" and end - start <= 3 and _is_mark(text, start, end):
        return True
    words = text[max(start - _LOOK_BACK, 0) : start].rstrip(" .:([\u00a0").rsplit(None, 1)
    word = words[-1].lower() if words else ""
    if word in _NAMES or word[-1:] in ("§", "#", "№"):
        return True
    if end - start > 2:
        return False
    return word[:3] in _MONTHS or bool(_MONTH_AFTER.match(text, end))


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
        return [(number, 10.0 ** (int(power) - places))] if number < 1e300 else []
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
    after = _AFTER.match(text, end)
    word = after[1].rstrip(".") if after else ""
    if not after or not word:
        keyed = _KEYED.match(text, end) if text[end : end + 1] in (",", '"') else None
        if keyed is None:
            return money, 1.0, end
        head, _, rest = keyed[1].partition("/")
        kind, one = UNITS.get(head) or _LOWER.get(head.lower()) or ("", 1.0)
        return (f"{kind}/{_head(rest.lower())}" if rest and kind else kind), one, end
    scale, at = 1.0, after.end(1)
    is_close = after.start(1) == end
    factor = _SCALES.get(word) or _SCALES.get(word.lower() if len(word) > 2 else word)
    if factor and (money or word not in _AMBIGUOUS_SCALES or (is_close and word in _ANYWHERE)):
        scale, until = factor, at
        if money:
            return money, scale, until
        after = _AFTER.match(text, until)
        word = after[1].rstrip(".") if after else ""
        if not after or not word:
            return "", scale, until
        is_close, at = False, after.end(1)
    else:
        until = end
    if money:
        return money, scale, until
    unit = UNITS.get(word) or _LOWER.get(word.lower())
    if unit is None and word == "per" and text[at : at + 5] == " cent":
        unit, at = UNITS["%"], at + 5
    if unit is None:
        return (None if is_close and text[end] != "-" and word[0].isalpha() else ""), scale, until
    kind, one = unit
    if after[2]:
        kind, at = f"{kind}/{_head(after[2][1:].lower())}", after.end(2)
    elif kind == "" and not is_close:
        return "", scale, until
    return kind, scale * one, at


def _head(word: str) -> str:
    return word.strip().removeprefix("per ").removesuffix("s")


def _money_before(text: str, start: int) -> str:
    """The money whose sign or code stands before a number; empty where none does."""
    back = text[max(start - 5, 0) : start].rstrip(" \u00a0")
    if not back:
        return ""
    sign = _MONEY.get(back[-1])
    if sign:
        return sign
    code = back[-3:]
    return _MONEY.get(code.lower(), "") if code.isupper() and len(code) == 3 else ""
