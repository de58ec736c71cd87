"""Telephone numbers: international (ITU-T E.164), North American and national forms.

What a number looks like without a word beside it must leave no doubt: a `+`, a country's own
grouping; where that is a grouping of any numbers, the region must be the configured one. With a word (phone, call me, Tel.) 7 to 15 digits are enough.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from monitor.interfaces import Recognizer
from monitor.lazy import lazy
from monitor.turns import in_turns
from monitor.words.phone import (
    AFTER_WORD,
    AT_LEAD,
    AT_PLACE,
    BEFORE_PLACE,
    COUNTED,
    STARTS,
    THING,
    TOLD,
    end_of_word_before,
    is_led,
    kind_of_lead,
)
from monitor.words.phone_forms import (
    AFTER,
    ANY,
    BEFORE,
    DAY,
    FIRST_GROUP,
    LOCAL,
    LOOKS,
    NORTH_AMERICAN,
    OTHER,
    PAIR,
    TRUNK,
    by_form,
    digits_of,
    looks_like_one,
    plus_before,
)

REGIONS = {
    "AR": "54", "AT": "43", "AU": "61", "BE": "32", "BR": "55", "CA": "1", "CH": "41", "CN": "86",
    "CZ": "420", "DE": "49", "DK": "45", "ES": "34", "FI": "358", "FR": "33", "GB": "44", "GR": "30",
    "IE": "353", "IN": "91", "IT": "39", "JP": "81", "KR": "82", "MX": "52", "NL": "31", "NO": "47",
    "NZ": "64", "PL": "48", "PT": "351", "RU": "7", "SE": "46", "US": "1", "ZA": "27",
}  # fmt: skip
"""Regions whose national numbers can be completed, with their calling codes."""
_INSIDE = frozenset("-.")
_DIGITS = frozenset("0123456789")
_OR = lazy(r"\bor\b|\band\b|[,/;]")
_LIST = lazy(r"\s?(?:[,;/|&\n]|\b(?:and|or|und|oder|et|ou|y|o|e)\b)\s{0,3}\(?")
_REACH = 48
_BEHIND = lazy("[xe#]")
_STROKE = lazy(r" ?/ ?")
_NO_DIGITS = lazy(r"\D+")
_CODE = lazy(
    r"\b(?:ndc|sku|part|p/?n|model|serial|s/n|item|catalog(?:ue)?|article|lot|batch|drawing)"
    r"(?: ?(?:no\b\.?|nr\b\.?|num\b|number|id|code))?[-\s#:\"'=]{0,5}\Z",
    re.IGNORECASE,
)
"""Codes of medicines in the US (21 CFR 207.33) and of parts are grouped like telephone numbers."""
_EPOCH = lazy(r"1[4-9]\d{8}(?:\d{3})?\Z")


def _finder(region: str) -> Callable[[str, Sequence[int]], Iterator[tuple[int, int]]]:
    local = f"|{LOCAL[region]}" if region in LOCAL else ""
    forms = (NORTH_AMERICAN, lazy(f"{BEFORE}(?:{TRUNK}{local}){AFTER}"))

    def find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
        numbers: list[int] = []
        words: list[int] = []
        for start in in_turns(starts):
            at = start + 1 if text[start] == "_" else start
            is_word = text[at] > "9" or (
                text[at + 1] not in _DIGITS and AT_PLACE.match(text, at) is not None
            )
            (words if is_word else numbers).append(at)
        done = -99
        for start in numbers:
            hit = _at(text, start, words, done, forms) if start >= done else None
            if hit:
                done = hit[1]
                yield hit

    return find


def _at(
    text: str, start: int, words: list[int], done: int, forms: tuple[re.Pattern[str], ...]
) -> tuple[int, int] | None:
    """The telephone number whose first digit is at `start`; the one before it ended at `done`.

    Most numbers are others: what is cheap to see comes first."""
    if text[start : start + 7].isdigit():  # in a row, no form is sure but those of abroad
        hit = by_form(text, start, ()) if _is_abroad(text, start) else None
    elif (
        start > 1 and text[start - 1] in _INSIDE and text[start - 2] in _DIGITS and start > done + 8
    ) or (OTHER.match(text, start) and plus_before(text, start) < 0):
        return None
    else:
        may_be = FIRST_GROUP.match(text, start) or _is_abroad(text, start)
        hit = by_form(text, start, forms) if may_be else None
    if hit:
        is_code = text[hit[0]].isdigit() and _CODE.search(text, max(0, hit[0] - 24), hit[0])
        return None if is_code else hit
    is_told = start - done <= 8 or (words and _is_near(words, start)) or is_led(text, start)
    return (
        _beside_word(text, start, words, done) if is_told and not _amid(text, start, done) else None
    )


def _is_abroad(text: str, start: int) -> bool:
    """Whether a number at `start` may have a calling code: there is `+` or `00`."""
    return text.startswith("00", start) or "+" in text[start - 3 if start > 3 else 0 : start]


def _is_near(words: list[int], start: int) -> bool:
    """Whether a word begins near a number at `start`."""
    after = bisect_left(words, start)
    return (after < len(words) and words[after] - start < _REACH) or (
        after > 0 and start - words[after - 1] < _REACH
    )


def _amid(text: str, start: int, done: int) -> bool:
    """Whether the digits at `start` go on a number that no word can make one of telephones."""
    if start < 2 or text[start - 1] not in " -./" or not text[start - 2].isdigit():
        return False
    if start - done <= 8:  # or the next of a list
        return False
    return text[start - 1] != " " or not text[start : start + 7].isdigit()


def _beside_word(text: str, start: int, words: list[int], done: int) -> tuple[int, int] | None:
    """The number whose first digit is at `start` if a word is about it, or about the one before it,
    which ended at `done`, in a list."""
    if text[start - 1 : start] in ("+", "("):
        plus = plus_before(text, start)
        start = plus if plus >= 0 else start - 1
    match = ANY.match(text, start)
    if match is None or OTHER.match(text, start):
        return None
    value = match.group()
    if "/" in value:
        match = _first(text, match)
        value = match.group()
    bare = value.isdigit()
    if not 7 <= (len(value) if bare else digits_of(value)) <= 15 or (bare and _EPOCH.match(value)):
        return None
    is_day = DAY.fullmatch(value) and not TOLD.search(text, max(0, start - 6), start)
    if is_day or text[max(0, start - 1) : start] in ("$", "€", "£", "¥"):
        return None
    word = end_of_word_before(text, words, start)
    if _is_next(text, match, word, done) or _told_after(text, match):
        is_other = THING.search(text, max(word, start - 32, 0), start) is not None
    else:
        is_other = not _is_lead_enough(text, match)
    return None if is_other or COUNTED.match(text, match.end()) else match.span()


def _first(text: str, match: re.Match[str]) -> re.Match[str]:
    """The number before a `/` after which there is another one, else all of it."""
    for stroke in _STROKE.finditer(match.group()):
        end = match.start() + stroke.start()
        if digits_of(text[match.start() : end]) >= 7 and ANY.match(text, end + len(stroke[0])):
            return ANY.match(text, match.start(), end) or match
    return match


def _is_next(text: str, match: re.Match[str], word: int, done: int) -> bool:
    """Whether a word that ended at `word` speaks of a number, or of the one in a list with it that
    ended at `done`."""
    start = match.start()
    if start - done <= 8 and _LIST.fullmatch(text, done, start):
        return True
    between = text[word:start]
    return word >= 0 and (not any(map(str.isdigit, between)) or bool(_OR.search(between)))


def _is_lead_enough(text: str, match: re.Match[str]) -> bool:
    """Whether the word that leads to a number is enough for how it is written."""
    start, value = match.start(), match.group()
    kind = kind_of_lead(text, start) if looks_like_one(value) else ""
    if not kind or (kind == "place" and not value.isdigit()):
        return kind != ""
    is_sure = LOOKS.fullmatch(value) or not (value.isdigit() or PAIR.fullmatch(value))
    return bool(is_sure or AT_LEAD.search(text, max(0, start - 12), start))


def _told_after(text: str, match: re.Match[str]) -> bool:
    """Whether the word after a number says what it is."""
    return bool(
        AFTER_WORD.match(text, match.end())
        or (looks_like_one(match.group()) and AT_PLACE.match(text, match.end() - 1))
    )


def canonical_in(region: str) -> Callable[[str], str]:
    """E.164 where the number says enough or the region completes it, else its digits; extensions
    do not count.

    >>> canonical_in("US")("(212) 555-0187 x12"), canonical_in("GB")("020 7946 0958")
    ('+12125550187', '+442079460958')
    >>> canonical_in("RU")("8 (912) 346-23-31"), canonical_in("RU")("+7 912 346-23-31")
    ('+79123462331', '+79123462331')
    """
    code = REGIONS[region]

    def canonical(value: str) -> str:
        value = _BEHIND.split(value.strip().lower(), maxsplit=1)[0].replace("(0)", "")
        digits = _NO_DIGITS.sub("", value)
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
        has_trunk = digits[0] == "8" and len(digits) == 11 if code == "7" else digits[0] == "0"
        return "+" + code + digits[1:] if has_trunk else digits

    return canonical


def recognizer(region: str = "US") -> Recognizer:
    """The recognizer with the region that completes national numbers."""
    return Recognizer(
        name="phone_number",
        entity="PHONE_NUMBER",
        triggers=(r"(?:\b|_)[0-9](?:[ ()./-]{0,3}[0-9]){6}", *STARTS, BEFORE_PLACE),
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
                "mobilephone",
                "fax",
                "faxnumber",
                "tel",
                "telecomvalue",
                "telnumber",
                "telephonenumber",
                "phoneno",
                "mobileno",
                "landline",
                "contactnumber",
                "msisdn",
                "whatsapp",
                "telefon",
                "telefonnummer",
                "rufnummer",
                "handynummer",
                "telefono",
                "teléfono",
                "telefone",
                "celular",
            }
        ),
        plausible=lambda text: 7 <= sum(map(str.isdigit, text)) <= 20,
    )


EXAMPLES = (
    "«(212) 555-0187», «+1-212-555-0187», «212.555.0187», «212-555-0187», «1-212-555-0187»",
    "«+44 20 7946 0958» or «+442079460958» or «0044 20 7946 0958»",
    "«8 (912) 346-23-31», «8-912-346-23-31» и «8(495)123-45-67»",
    "Telefon: «0171 1234567», phone «2125550187», call me at «415 555 2671».",
    "«2125550187» (office), «07700900123», desk",
    "«212-555-0187»/«212-555-0188», Tel. «030 1234567»/«030 1234568», call «0171/1234567» / «0171/7654321»",
    "I am on «212-555-0187». Or «1 212-555-0188».",
    "«2125550187» is my cell; my new number is «2125550188»",
    "«01 23 45 67 89», «020 7946 0958», «(030) 1234567», «030/1234567», «07700 900123»",
    "«(11) 91234-5678» and «+55 11 91234-5678», «+91 98765 43210»",
    "«(212)555-0187x1234» «001-212-555-0187x99»",
    "tel «555-0187», «+49 (0)30 1234567»",
    "reach her on «612 345 678», messages to «07700900123», «555-0187» (office), not answering at «020 79460958»",
    "Desk: «1234-5678», contact «2125550187» or «2125550188»\nM «0171 234567», Sie erreichen mich unter «01712345678».",
    "我的号码是«(212) 555-0187»谢谢, _«(212) 555-0187»_",
)
COUNTEREXAMPLES = (
    "at 1700000000, 1700000000123, number 2125550187, order 2125550187",
    "2024-01-15 10:30, 15.01.2024, 10-20-30-40, 01/02/2024 12",
    "1.234.567,89 and 1,234,567.89; 192.0.2.1; 0.1234567; 114-1234567-1234567",
    "article 0039653914020, 556ccd7e-0609-4790-90b7-51dfc811e6a9",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301, v1.2.3, +5, +1000000 users, 40.7128, -74.0060",
    "mobile app released 2024-01-15, the phone costs 1299.00",
    "Contact us on order 2125550187, call me about ticket no. 0049091440, text 20240115, office 1999-2005",
    'NDC 0069-2587-10, NDC: 0002-8215-01, "ndc": "0069-2587-10"',
    "reached 12345678 people; sent to 2125550187 users; message 2024-01-15; line 1234-5678; answer: 45678901",
)

RECOGNIZER = recognizer()
