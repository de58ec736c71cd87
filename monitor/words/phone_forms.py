"""How telephone numbers are written: international (ITU-T E.164), North American and national forms, and
what looks like them."""

from __future__ import annotations

import re

from monitor.checkdigits import weighted
from monitor.lazy import lazy
from monitor.words.phone import THING

# Calling codes by the least and greatest length of their national numbers (Google's libphonenumber).
_CODES = (
    "4-5:290 4-7:683,690 4-10:98 4-11:352 4-13:43,598 5-5:500,682 5-6:247 5-7:676,677,678,688 "
    "5-8:47,386,686 5-10:27,64,685 5-11:31,852 5-12:358,971 5-14:82 5-15:49 "
    "6-6:298,299,672,687 6-7:597 6-9:40,252,355,376,421,508,681,689 6-10:46,53,95,880 "
    "6-11:375,595 6-12:39,61,359,381 6-13:63 7-7:238,239,246,248,269,291,297,592,673,674,680,691,692 "
    "7-8:241,599,670,675,853,961,965,975 7-9:220,231,245,265,354,385,423,967,968 10-10:1 "
    "7-10:44,48,84,230,243,254,263,267,353,372,960 7-11:501,503,507,679,886,974 "
    "7-12:86,882,972 7-13:90 7-15:62 8-8:45,216,222,223,226,227,228,232,235,236,253,257,266,350,356,"
    "357,370,371,373,374,389,505,509,800,808,973,993 8-9:32,36,51,213,224,233,237,250,258,264,268,"
    "377,382,387,591,962,963 8-10:20,60,378,506,850,855,856,964,970,976 "
    "8-11:55,57,65,502,504,593,977 8-12:92,383,883 8-13:66,91 8-15:81 "
    "9-9:33,34,41,93,94,211,212,218,221,240,242,244,249,251,255,256,260,261,262,351,420,590,594,596,"
    "979,992,994,995,998 9-10:380,881,966,996 9-11:56 9-12:870 10-10:52,58,225,229 10-11:54 "
    "10-12:30 10-14:7,234 11-11:888 12-12:878"
)

_LENGTHS = {
    code: tuple(map(int, lengths.split("-")))
    for lengths, _, codes in (entry.partition(":") for entry in _CODES.split())
    for code in codes.split(",")
}

LOCAL = {
    "AU": r"[2-9]\d{3}[ -]\d{4}",
    "CZ": r"[2-9]\d\d \d{3} \d{3}",
    "DK": r"[2-9]\d \d\d \d\d \d\d|[2-9]\d{3} \d{4}",
    "ES": r"[6-9]\d\d \d{3} \d{3}",
    "GR": r"2\d{2,4} \d{5,7}|2\d{2,4} \d{2,3} \d{3}|69\d\d \d{3} \d{3}",
    "IN": r"[6-9]\d{4}[ -]\d{5}",
    "IT": r"3\d\d[ -]\d{6,7}",
    "NO": r"[2-9]\d \d\d \d\d \d\d|[489]\d\d \d\d \d{3}",
    "NZ": r"[2-9]\d\d[ -]\d{4}",
    "PL": r"[4-8]\d\d[ -]\d{3}[ -]\d{3}",
    "PT": r"[239]\d\d \d{3} \d{3}",
}
"""How numbers are written in a region that elsewhere may be any numbers."""

_EXTENSION = r"(?:\s{0,2}(?:x|ext\.?|extension|#)\s{0,2}\d{1,6}(?!\d))?"

_AT_EXTENSION = lazy(_EXTENSION)
_EXTENDED = lazy("[xXeE#]")
_NO_DIGITS = lazy(r"\D+")
_GROUP = lazy(r"\(0\)|\d+")

_APART = r"(?<![A-Za-z0-9])(?<![A-Za-z0-9]_)"

BEFORE = _APART + r"(?<!\d[-./])(?<![$€£]\d)"

AFTER = r"(?!\d|[-./]\d|\w*@|(?![Xx]\d|[Ee]xt)[A-Za-z])"

_INTERNATIONAL = lazy(
    r"(?:\+|(?<![\d.,-])(?!(?<=\d )00\d )00)[ (]{0,2}([1-9](?:[ ()./-]{0,3}\d){6,16})"
)

_AFTER_ONE = AFTER.replace("[-./]", r"(?:[-.]|/(?!\(?\d{3}[-. )]))")
"""Another one may follow."""

NORTH_AMERICAN = lazy(
    BEFORE
    + r"(?:1[ .-]?)?(?:\([2-9]\d\d\)[ .-]{0,2}[2-9]\d\d[ .-]?\d{4}"
    + r"|\(?\d{3}\)?[ -]\d{3}-\d{4}|\(\d{3}\) ?\d{3}[ .-]\d{4}"
    + r"|(?<!\d)\d{3}([ .])\d{3}\1\d{4})"
    + _AFTER_ONE
    + _EXTENSION
)

TRUNK = (
    r"\(0\d{1,4}\)[ .-]?\d{2,5}(?:[ .-]?\d{2,6}){0,3}"
    r"|0\d{1,4}/[ ]?\d{2,8}(?:[ -]\d{2,4}){0,3}"
    r"|0\d{1,4}([ .-])\d{2,5}(?:\1\d{2,5}){1,4}"
    r"|0[1-9]\d{1,4}[ -]\d{5,8}|0[1-9] \d{7,8}"
    r"|0[1-9]\d{0,2}-\d{2,3}(?: \d{2,4}){1,3}|0[1-9] \d{3}-\d{4}"
    r"|\(\d{2}\) ?9?\d{4}-\d{4}|[1-9]\d (?!(?:19|20)\d\d-(?:19|20)\d\d)9?\d{4}-\d{4}"
    r"|\((?!19|20)\d{2,3}\)(?: \d{3}){3}|\(\d{3}\) ?\d{9}"
    r"|\(?06\)?[ -]?\d{1,2}/\d{3}[- ]\d{4}|\(\d\d\)/\d{3}-\d{4}|06 \d\d? \d{3} \d{3,4}"
    r"|[6-9]\d\d([ -])\d\d(?:\2\d\d){2}|[1-9]\d \d{3} \d\d \d\d|1[3-9]\d([ -])\d{4}\3\d{4}"
    r"|8[ -]?\([3489]\d\d\)[ -]?\d{3}-\d\d-\d\d|8[ -][3489]\d\d[ -]\d{3}-\d\d-\d\d"
)

FIRST_GROUP = lazy(
    r"0\d|8[ -]?\(?[3489]\d\d|1[-. ]?\(?\d{3}|\d\d(?: \d{3}| \d\d \d\d|[)/])|\d{3,6}[-. /)]"
)

ANY = lazy(_APART + r"(?<!\d\.)\+?\(?\d(?:[ ()./-]{0,3}\d){6,16}(?!\d)" + _EXTENSION)

OTHER = lazy(
    r"\(?(?:\d{4}([-/. ])[01]?\d\1[0-3]?\d|[0-3]?\d([-/. ])[0-3]?\d\2(?:19|20)\d\d)(?!\d)"
    r"|\d{3}-\d\d-\d{4}(?!\d)|(?:\d{4}[ -]){3}\d{2,4}(?!\d)|(?!(?:\d\d\.){3}\d\d(?!\d))\d{1,3}(?:\.\d{1,3}){3}(?![.\d])"
)
"""Dates, US social security numbers, cards and the like, IPv4 addresses."""

_HEX = lazy("[a-f]")

LOOKS = lazy(r"0[1-9]\d{6,10}|1?[2-9]\d\d[2-9]\d{6}|[1-9]{2}(?:9\d|[2-9])\d{7}")
"""Digits in a row as in many numbering plans: with a trunk zero, ten of North America, Brazil."""

_PLACED = lazy(r"[1-9]\d{7,8}")
"""Eight or nine digits in a row, which need a word just before them that places a call."""

PAIR = lazy(r"\d{4}[- .]\d{4}")
"""A range as well: needs the same."""

DAY = lazy(r"(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d|[0-3]\d(?:0\d|1[0-2])(?:19|20)\d\d")

_AMOUNT = lazy(r"\d+\.\d{1,2}|(?:19|20)\d\d-(?:19|20)\d\d")


def plus_before(text: str, start: int) -> int:
    """Where the `+` of a number is whose first digit is at `start`, or -1."""
    begin = start
    while begin and start - begin < 3 and text[begin - 1] in "+( ":
        begin -= 1
    return text.find("+", begin, start)


def by_form(text: str, start: int, forms: tuple[re.Pattern[str], ...]) -> tuple[int, int] | None:
    """The telephone number whose first digit is at `start`, where its form leaves no doubt."""
    opened = start - 1 if start and text[start - 1] == "(" else start
    plus = plus_before(text, start)
    if plus >= 0 or text.startswith("00", start):
        hit = _international(text, plus if plus >= 0 else start)
        if hit and (plus >= 0 or not THING.search(text, max(0, start - 32), start)):
            return hit
    if not text[start : start + 7].isdigit():
        for form in forms:
            match = form.match(text, opened) or (opened < start and form.match(text, start)) or None
            if match and 8 <= digits_of(match.group()) <= 18 and not _listed(text, *match.span()):
                return match.span()
    return None


def _listed(text: str, start: int, end: int) -> bool:
    """Whether these may be numbers of a list with spaces between."""
    if " " not in text[start:end]:
        return False
    after = text[end : end + 1].isspace() and text[end + 1 : end + 2].isdigit()
    return after or (
        text[max(0, start - 1) : start].isspace() and text[max(0, start - 2) : start - 1].isdigit()
    )


def _international(text: str, start: int) -> tuple[int, int] | None:
    if start and (text[start - 1].isdigit() or text[start - 1] == "+"):
        return None
    match = _INTERNATIONAL.match(text, start)
    if match is None:
        return None
    body = match.group(1)
    digits = _NO_DIGITS.sub("", body.replace("(0)", ""))
    code = next((digits[:size] for size in (1, 2, 3) if digits[:size] in _LENGTHS), None)
    if code is None or (code == "1" and digits[1:2] in ("0", "1")):
        return None
    if (
        body.isdigit()
        and text[start] == "0"
        and (_is_article("00" + body) or _HEX.match(text, match.end()))
    ):
        return None
    least, most = _LENGTHS[code]
    national = 0
    left = len(code)
    end = None
    for group in _GROUP.finditer(body):
        size = group.end() - group.start()
        if body[group.start()] == "(":
            continue
        taken = min(left, size)
        left -= taken
        national += size - taken
        if national > most + 1:
            break
        if national >= least:
            end = match.start(1) + group.end()
    if end is None or (end < len(text) and text[end].isdigit()):
        return None
    extension = _AT_EXTENSION.match(text, end)
    return start, extension.end() if extension else end


def _is_article(digits: str) -> bool:
    """Whether this may be the number of an article (GTIN-13)."""
    return len(digits) == 13 and weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def looks_like_one(value: str) -> bool:
    """Whether a telephone number may be written so: no date, no amount, not just any digits."""
    if DAY.fullmatch(value) or _AMOUNT.fullmatch(value):
        return False
    return not value.isdigit() or bool(LOOKS.fullmatch(value) or _PLACED.fullmatch(value))


def digits_of(value: str) -> int:
    """Digits, without those of an extension."""
    if not value[-8:].isdecimal() and (extension := _EXTENDED.search(value)):
        value = value[: extension.start()]
    return sum(map(str.isdigit, value))
