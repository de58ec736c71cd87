"""Numbers as people write them → floats; the decimal sign is a column's, all else a value's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from monitor.lazy import lazy

Decimal = Literal[".", ","]

GROUPED = 20
"""So many values that could be grouped, and none that could not, show the sign of a group."""

_CODES = (
    "AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|ISK|JPY|KRW|"
    "MXN|MYR|NGN|NOK|NZD|PEN|PHP|PLN|RMB|RON|RSD|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR|"
    r"(?:A|C|R|US|NZ|HK|S|NT)\$|Fr\.?|SFr\.?|kr\.?|zł|Kč|Ft|lei|Rs\.?|руб\.?|р\."
)
_SIGNS = "$¢£¤¥฿₡₦₩₪₫€₭₮₱₲₴₵₸₹₺₼₽₾₿﷼"
_MONEY = rf"(?:{_CODES}|[{_SIGNS}])"
_SPACE = " \u00a0\u2007\u2009\u202f"
_WRITTEN = lazy(
    rf"(?:{_MONEY}[{_SPACE}]*(?=\())?(?P<open>\()?[{_SPACE}]*(?P<sign>[-+\u2212])?[{_SPACE}]*(?:{_MONEY}[{_SPACE}]*)?"
    rf"(?P<late>[-+\u2212])?(?P<digits>[.,]?[0-9](?:[0-9.,'’{_SPACE}]*[0-9])?[.,]?)"
    rf"(?P<power>[eE][-+]?[0-9]{{1,3}})?"
    rf"[{_SPACE}]*(?:{_MONEY}|[%‰])?[{_SPACE}]*(?P<trailing>[-\u2212])?"
    rf"(?:(?P<close>\))(?:[{_SPACE}]*(?:{_MONEY}|[%‰]))?)?"
)
_GROUPS = lazy(rf"[1-9][0-9]{{0,2}}(?P<group>[.,'’{_SPACE}])(?:[0-9]{{2,3}}(?P=group))*[0-9]{{3}}")
_CLOCK = lazy(
    r"(?:(?P<days>[-+]?[0-9]{1,6}) days?,? \+?|(?P<sign>[-+]))?"
    r"(?P<hours>[0-9]{1,6}):(?P<minutes>[0-5][0-9]):(?P<seconds>[0-5][0-9](?:[.,][0-9]{1,9})?)"
)
_ASCII = str.maketrans(
    "".join(chr(zero + digit) for zero in (0x660, 0x6F0, 0x966, 0xFF10) for digit in range(10))
    + "\u066b\u066c\u066a\uff0e\uff0c\uff05",
    "0123456789" * 4 + ".,%.,%",
)
"""Digits of Arabic, Persian, Hindi and of full width, and the signs between them."""

_INFINITE = {"inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
_LONGEST = 64
_AMBIGUOUS = lazy(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")


def number(text: str, decimal: Decimal = ".") -> float | None:
    """A number in any spelling, or None.

    Signs of money and of percent are left out: 12.5 % is 12.5. Brackets and a minus behind it make
    it negative, as accounts do. Digits may be grouped by what is not the decimal sign.

    >>> number("1.234,56", ","), number("1,234.56"), number("1'234.56"), number("1 234,56 €", ",")
    (1234.56, 1234.56, 1234.56, 1234.56)
    >>> number("(1,234.50)"), number("$ -3"), number("12,5 %", ","), number("7.5-"), number("1e3")
    (-1234.5, -3.0, 12.5, -7.5, 1000.0)
    >>> number("1.5", ","), number("1,23"), number("1_000"), number("-"), number("12 Main St")
    (None, None, None, None, None)
    """
    if decimal == "." and "_" not in text:  # Python reads 1_000; a table that holds it means a name
        try:
            return float(text)
        except ValueError:
            pass
    found = _parts(text)
    if found is None:
        return _INFINITE.get(text.strip().lower())
    digits, power, negative = found
    whole, _, fraction = digits.partition(decimal)
    if not (fraction.isdigit() or not fraction) or not (whole or fraction):
        return None
    if whole and not whole.isdigit():
        groups = _GROUPS.fullmatch(whole)
        if groups is None or groups["group"] == decimal:
            return None
        whole = whole.replace(groups["group"], "")
    value = float(f"{whole or '0'}.{fraction or '0'}{power}")
    return -value if negative else value


def duration(text: str) -> float | None:
    """Seconds of hours, minutes and seconds, also after days as Python and pandas write them; else
    None.

    >>> duration("1:02:03"), duration("26:00:00.5"), duration("-0:00:30"), duration("12:30")
    (3723.0, 93600.5, -30.0, None)
    >>> duration("1 day, 0:00:01"), duration("2 days 00:00:00"), duration("-1 days +23:00:00")
    (86401.0, 172800.0, -3600.0)
    """
    match = _CLOCK.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    late, days = float(match["seconds"].replace(",", ".")), match["days"]
    found = int(match["hours"]) * 3600 + int(match["minutes"]) * 60 + late
    if days is not None:
        return int(days) * 86400 + found
    return -found if match["sign"] == "-" else found


def _parts(text: str) -> tuple[str, str, bool] | None:
    """(digits with their signs, exponent, whether it is negative) of what may be a number."""
    if not text.isascii():
        text = text.translate(_ASCII)
    match = _WRITTEN.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        return None
    signs = [match[name] for name in ("sign", "late", "trailing") if match[name]]
    brackets = bool(match["open"])
    if brackets != bool(match["close"]) or len(signs) + brackets > 1:
        return None
    return match["digits"], match["power"] or "", brackets or (bool(signs) and signs[0] != "+")


class Signs:
    """What values of a column say of its decimal sign; more may be added until it `is_certain`."""

    def __init__(self) -> None:
        self._dots = 0
        """Values that can be read with a decimal point only."""
        self._commas = 0
        self._either = {".": 0, ",": 0}
        """Values such as 1,234, by the sign in them."""
        self._small = 0
        """Whole numbers below 1,000, which show no sign however numbers are grouped."""
        self._large = 0
        """Whole numbers from 1,000 on that are not grouped."""

    def add(self, text: str) -> None:
        """Count how one more text of the column writes its number."""
        if text.isalpha():
            return  # letters alone, the most common of what is no number
        whole, point, fraction = text.partition(".")
        if point and whole.lstrip("-").isdigit() and fraction.isdigit() and len(fraction) != 3:
            self._dots += 1  # the most common by far, without a pattern
            return
        found = _parts(text)
        if found is None:
            return
        digits, power, _ = found
        if digits.isdigit():
            if len(digits) > 3:
                self._large += 1
            else:
                self._small += 1
            return
        match = None if power else _AMBIGUOUS.fullmatch(digits)
        if match is not None:
            self._either[match[1]] += 1
            return
        dot, comma = number(text), number(text, ",")
        self._dots += dot is not None and comma is None
        self._commas += comma is not None and dot is None

    def merged(self, other: Signs) -> Signs:
        """What the values of both say."""
        both = Signs()
        both._dots, both._commas = self._dots + other._dots, self._commas + other._commas
        both._small, both._large = self._small + other._small, self._large + other._large
        both._either = {sign: self._either[sign] + other._either[sign] for sign in self._either}
        return both

    @property
    def tells(self) -> bool:
        """Whether a value can be read in one way only."""
        return bool(self._dots or self._commas)

    @property
    def is_certain(self) -> bool:
        """Whether more values would not change what `decide` says, or none has shown a sign yet."""
        return self.tells or not any(self._either.values())

    def decide(self, usual: Decimal) -> tuple[Decimal, str]:
        """The decimal sign, and what to say of it where values could be read either way.

        `usual` is the sign where the values do not tell: a comma in a file of semicolons.
        """
        if self.tells:
            return (".", "") if self._dots >= self._commas else (",", "")
        dots, commas = self._either["."], self._either[","]
        if not dots and not commas:
            return usual, ""
        sign: Decimal = "," if commas > dots else "."
        other: Decimal = "." if sign == "," else ","
        # Written to three places, 987 would be 987.000; grouped, 1234 would be 1,234.
        if self._small and not self._large and max(dots, commas) >= GROUPED:
            return other, ""
        if self._large and not self._small:
            return sign, ""
        means: Decimal = "." if sign == "." and usual == "." else usual
        value = "1.234" if sign == means else "1234"
        return means, f"1{sign}234 can be read in two ways; it was read as {value}"


def signs(texts: Iterable[str]) -> Signs:
    """What texts say of their decimal sign.

    >>> signs(["26,84", "1.234,5"]).decide(".")
    (',', '')
    >>> signs(["1,234"]).decide(".")
    ('.', '1,234 can be read in two ways; it was read as 1234')
    """
    found = Signs()
    for text in texts:
        found.add(text)
    return found


def octave(number: float) -> str:
    """The bin of a number, from one power of two to the next.

    >>> octave(100.0), octave(-0.3), octave(0.0)
    ('64 to 128', '-0.5 to -0.25', '0')
    """
    if not number:
        return "0"
    _, power = math.frexp(abs(number))
    low, high = math.ldexp(1.0, power - 1), math.ldexp(1.0, min(power, 1023))
    return f"{low:g} to {high:g}" if number > 0 else f"{-high:g} to {-low:g}"
