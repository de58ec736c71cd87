"""Telephone numbers: international (ITU-T E.164), North American and national forms.

What a number looks like without a word beside it must leave no doubt: a `+`, a country's own
grouping; where that is a grouping of any numbers, the region must be the configured one. With a word (phone, call me, Tel.) 7 to 15 digits are enough.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from monitor.checkdigits import weighted
from monitor.interfaces import Recognizer

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
REGIONS = {
    "AR": "54", "AT": "43", "AU": "61", "BE": "32", "BR": "55", "CA": "1", "CH": "41", "CN": "86",
    "CZ": "420", "DE": "49", "DK": "45", "ES": "34", "FI": "358", "FR": "33", "GB": "44", "GR": "30",
    "IE": "353", "IN": "91", "IT": "39", "JP": "81", "KR": "82", "MX": "52", "NL": "31", "NO": "47",
    "NZ": "64", "PL": "48", "PT": "351", "SE": "46", "US": "1", "ZA": "27",
}  # fmt: skip
"""Regions whose national numbers can be completed, with their calling codes."""

_LOCAL = {
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
_APART = r"(?<![A-Za-z0-9])(?<![A-Za-z0-9]_)"
_BEFORE = _APART + r"(?<!\d[-./])(?<![$€£]\d)"
_AFTER = r"(?!\d|[-./]\d|\w*@|(?![Xx]\d|[Ee]xt)[A-Za-z])"
_INTERNATIONAL = re.compile(
    r"(?:\+|(?<![\d.,-])(?!(?<=\d )00\d )00)[ (]{0,2}([1-9](?:[ ()./-]{0,3}\d){6,16})"
)
_NORTH_AMERICAN = re.compile(
    _BEFORE
    + r"(?:1[ .-]?)?(?:\([2-9]\d\d\)[ .-]{0,2}[2-9]\d\d[ .-]?\d{4}"
    + r"|\(?\d{3}\)?[ -]\d{3}-\d{4}|\(\d{3}\) ?\d{3}[ .-]\d{4}"
    + r"|(?<!\d)\d{3}([ .])\d{3}\1\d{4})"
    + _AFTER
    + _EXTENSION
)
_TRUNK = (
    r"\(0\d{1,4}\)[ .-]?\d{2,5}(?:[ .-]?\d{2,6}){0,3}"
    r"|0\d{1,4}/[ ]?\d{2,8}(?:[ -]\d{2,4}){0,3}"
    r"|0\d{1,4}([ .-])\d{2,5}(?:\1\d{2,5}){1,4}"
    r"|0[1-9]\d{1,4}[ -]\d{5,8}|0[1-9] \d{7,8}"
    r"|0[1-9]\d{0,2}-\d{2,3}(?: \d{2,4}){1,3}|0[1-9] \d{3}-\d{4}"
    r"|\(\d{2}\) ?9?\d{4}-\d{4}|[1-9]\d (?!(?:19|20)\d\d-(?:19|20)\d\d)9?\d{4}-\d{4}"
    r"|\((?!19|20)\d{2,3}\)(?: \d{3}){3}|\(\d{3}\) ?\d{9}"
    r"|\(?06\)?[ -]?\d{1,2}/\d{3}[- ]\d{4}|\(\d\d\)/\d{3}-\d{4}|06 \d\d? \d{3} \d{3,4}"
    r"|[6-9]\d\d([ -])\d\d(?:\2\d\d){2}|[1-9]\d \d{3} \d\d \d\d|1[3-9]\d([ -])\d{4}\3\d{4}"
)
_FIRST_GROUP = re.compile(r"0\d|1[-. ]?\(?\d{3}|\d\d(?: \d{3}| \d\d \d\d|[)/])|\d{3,6}[-. /)]")
_ANY = re.compile(_APART + r"(?<!\d\.)\+?\(?\d(?:[ ()./-]{0,3}\d){6,16}(?!\d)" + _EXTENSION)
_DATED = re.compile(
    r"\(?(?:\d{4}([-/. ])[01]?\d\1[0-3]?\d|[0-3]?\d([-/. ])[0-3]?\d\2(?:19|20)\d\d)(?!\d)"
)
_MY = r"(?:my|his|her|their|our|your)(?: \w{1,12})? (?:number|no\.?|nr\.?)"
_EDGE = r"(?:\b|_)"
_WORD = (
    r"(?:tele)?(?:phone|fono|foon)|fon\b|\btel\b|t.l.ph|\bmob(?:ile?)?\b|\bcell\b|cellulare"
    r"|\bfax\b|whatsapp|signal\b|\bsms\b|hotline|landline|helpline|\bhandy\b|rufnummer|portable|\bm.vil\b"
    r"|celular|telefone|\bgsm\b|kom.rk|\bdial|\bdirect line|\bcontact (?:no|number|me|us|her|him|them)\b"
    r"|\b(?:call(?:ed|ing|s)?|text(?:ed|ing|s)?|reach(?:ed|ing)?|ring|phon(?:ed|ing)|ping)"
    r" (?:me|us|him|her|them|back|on|at|now|mom|dad)\b|\b(?:number|no\.?) (?:to call|for calls)|\b"
).replace(r"\b", _EDGE) + _MY
_REACH = 80
_AT_WORD = re.compile(_WORD, re.IGNORECASE)
_AFTER_WORD = re.compile(
    r"[ ,]{0,2}\(?(?:is |as |= ?)?(?:\w+ ){0,2}?"
    r"(?:(?:tele)?phone|cell|mobile|tel\b|fax|whatsapp|landline|handy|number (?:to call|for calls)|"
    + _MY
    + ")",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"1[4-9]\d{8}(?:\d{3})?\Z")


def _finder(region: str) -> Callable[[str, Sequence[int]], Iterator[tuple[int, int]]]:
    local = f"|{_LOCAL[region]}" if region in _LOCAL else ""
    forms = (_NORTH_AMERICAN, re.compile(f"{_BEFORE}(?:{_TRUNK}{local}){_AFTER}"))

    def find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
        done = 0
        words = [
            word.span()
            for start in starts
            if not text[start].isdigit() and (word := _AT_WORD.match(text, start))
        ]
        first, count = 0, len(words)
        for place in starts:
            start = place + (text[place] == "_")
            if start < done or not text[start].isdigit():
                continue
            while first < count and words[first][0] < start - _REACH:
                first += 1
            is_near = first < count and words[first][0] < start + 2 * _REACH
            near = _near(words, start, first) if is_near else ()
            if not near and _hopeless(text, start):
                continue
            hit = _at(text, start, forms, near)
            if hit:
                done = hit[1]
                yield hit

    return find


def _near(words: list[tuple[int, int]], start: int, first: int) -> Sequence[tuple[int, int]]:
    """The words from `first` on that may speak of a number at `start`."""
    return words[first : bisect_left(words, (start + 2 * _REACH, 0), first)]


def _hopeless(text: str, start: int) -> bool:
    """Whether no form begins at `start`: amid a number, more digits in a row than any has, or in
    groups as none has."""
    if text[start - 1 : start] in ("-", "."):
        return text[start - 2 : start - 1].isdigit()
    return (
        not _FIRST_GROUP.match(text, start)
        and "+" not in text[max(0, start - 3) : start]
        and not text.startswith("00", start)
    )


def _at(
    text: str,
    start: int,
    forms: tuple[re.Pattern[str], ...],
    near: Sequence[tuple[int, int]],
) -> tuple[int, int] | None:
    """The telephone number whose first digit is at `start`, with the words `near` it."""
    begin = start
    while begin and start - begin < 3 and text[begin - 1] in "+( ":
        begin -= 1
    opened = start - 1 if start and text[start - 1] == "(" else start
    plus = text.find("+", begin, start)
    if plus >= 0 or text.startswith("00", start):
        hit = _international(text, plus if plus >= 0 else start)
        if hit:
            return hit
    if _DATED.match(text, start):
        return None
    if not text[start : start + 7].isdigit():
        for form in forms:
            match = form.match(text, opened) or (opened < start and form.match(text, start)) or None
            if match and 8 <= _size(match.group()) <= 18 and not _listed(text, *match.span()):
                return match.span()
    return _beside_word(text, plus if plus >= 0 else opened, near) if near else None


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
    digits = re.sub(r"\D", "", body.replace("(0)", ""))
    code = next((digits[:size] for size in (1, 2, 3) if digits[:size] in _LENGTHS), None)
    if code is None or (code == "1" and digits[1:2] in ("0", "1")):
        return None
    if body.isdigit() and text[start] == "0" and _is_article("00" + body):
        return None
    least, most = _LENGTHS[code]
    national = 0
    left = len(code)
    end = None
    for group in re.finditer(r"\(0\)|\d+", body):
        if group.group() == "(0)":
            continue
        size = len(group.group())
        taken = min(left, size)
        left -= taken
        national += size - taken
        if national > most + 1:
            break
        if national >= least:
            end = match.start(1) + group.end()
    if end is None or (end < len(text) and text[end].isdigit()):
        return None
    extension = re.compile(_EXTENSION).match(text, end)
    return start, extension.end() if extension else end


def _is_article(digits: str) -> bool:
    """Whether this may be the number of an article (GTIN-13)."""
    return len(digits) == 13 and weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def _beside_word(text: str, start: int, words: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    match = _ANY.match(text, start)
    if match is None:
        return None
    value = match.group()
    bare = value.isdigit()
    if not 7 <= (len(value) if bare else _size(value)) <= 15 or (bare and _EPOCH.match(value)):
        return None
    word = max((end for _, end in words if start - 40 <= end <= start), default=-1)
    if word < 0:
        return match.span() if _AFTER_WORD.match(text, match.end()) else None
    between = text[word:start]
    if any(map(str.isdigit, between)) and not re.search(r"\bor\b|\band\b|[,/;]", between):
        return None
    return match.span()


def _size(value: str) -> int:
    return sum(map(str.isdigit, re.split(r"[xe#]", value.lower(), maxsplit=1)[0]))


def canonical_in(region: str) -> Callable[[str], str]:
    """E.164 where the number says enough or the region completes it, else its digits; extensions
    do not count.

    >>> canonical_in("US")("(212) 555-0187 x12"), canonical_in("GB")("020 7946 0958")
    ('+12125550187', '+442079460958')
    """
    code = REGIONS[region]

    def canonical(value: str) -> str:
        value = re.split(r"[xe#]", value.strip().lower(), maxsplit=1)[0].replace("(0)", "")
        digits = re.sub(r"\D", "", value)
        if "+" in value:
            return "+" + digits
        if digits.startswith("00"):
            return "+" + digits[2:]
        if code == "1":
            if len(digits) == 11 and digits[0] == "1":
                return "+" + digits
            return "+1" + digits if len(digits) == 10 and digits[0] != "0" else digits
        if code in ("39", "34", "45", "47", "351", "420", "48"):  # without a trunk prefix
            return "+" + code + digits if len(digits) >= 8 else digits
        return "+" + code + digits[1:] if digits[0] == "0" else digits

    return canonical


def recognizer(region: str = "US") -> Recognizer:
    """The recognizer with the region that completes national numbers."""
    return Recognizer(
        name="phone_number",
        entity="PHONE_NUMBER",
        triggers=(r"(?:\b|_)[0-9](?:[ ()./-]{0,3}[0-9]){6}", _WORD),
        find=_finder(region),
        canonical=canonical_in(region),
        examples=EXAMPLES,
        counterexamples=COUNTEREXAMPLES,
        keys=frozenset(
            {
                "phone",
                "phonenumber",
                "telephone",
                "mobile",
                "mobilenumber",
                "cell",
                "cellphone",
                "fax",
            }
        ),
        plausible=lambda text: 7 <= sum(map(str.isdigit, text)) <= 20,
    )


EXAMPLES = (
    "«(212) 555-0187», «+1-212-555-0187», «212.555.0187», «212-555-0187», «1-212-555-0187»",
    "«+44 20 7946 0958» or «+442079460958» or «0044 20 7946 0958»",
    "Telefon: «0171 1234567», phone «2125550187», call me at «415 555 2671».",
    "«2125550187» is my cell; my new number is «2125550188»",
    "«01 23 45 67 89», «020 7946 0958», «(030) 1234567», «030/1234567», «07700 900123»",
    "«(11) 91234-5678» and «+55 11 91234-5678», «+91 98765 43210»",
    "«(212)555-0187x1234» «001-212-555-0187x99»",
    "tel «555-0187», «+49 (0)30 1234567»",
    "reach her on «612 345 678»",
    "我的号码是«(212) 555-0187»谢谢, _«(212) 555-0187»_",
)
COUNTEREXAMPLES = (
    "at 1700000000, 1700000000123, number 2125550187, order 2125550187",
    "2024-01-15 10:30, 15.01.2024, 10-20-30-40, 01/02/2024 12",
    "1.234.567,89 and 1,234,567.89; 192.0.2.1; 0.1234567; 114-1234567-1234567",
    "article 0039653914020, 556ccd7e-0609-4790-90b7-51dfc811e6a9",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301, v1.2.3, +5, +1000000 users, 40.7128, -74.0060",
    "mobile app released 2024-01-15, the phone costs 1299.00",
)

RECOGNIZER = recognizer()
