"""Payment card numbers (ISO/IEC 7812: issuer prefix, length, Luhn), however they are grouped.

Numbers are read in runs: groups of digits with short separators between. One group that is a card
is a card wherever it stands: after `0.`, in a digest, beside another. Several groups make a card
when they are grouped as people group cards and do not stand in the middle of a list of numbers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from monitor.checkdigits import luhn, weighted
from monitor.finders import alphanumeric
from monitor.interfaces import Recognizer
from monitor.lazy import lazy
from monitor.turns import in_turns

_GAP = r"[-\s._,/+()]"
_RUN = lazy(rf"[0-9]+(?:{_GAP}{{1,3}}[0-9]+)*")
_GROUP = lazy(r"[0-9]+")
_THOUSANDS = lazy(r"[0-9]{1,3}(?:,[0-9]{3})+")
_BRANDS = lazy(
    r"4(?:\d{15}|\d{12}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"  # American Express, Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d)(?:\d{12}|\d{15})|62\d{14,17}"  # Discover, UnionPay
    r"|35(?:2[89]|[3-8]\d)\d{12}|(?:2131|1800)\d{11}|220[0-4]\d{12}"  # JCB, Mir
    r"|(?:60|8[12])\d{14}|9792\d{12}"  # RuPay, Hipercard, Troy
    r"|(?:50|5[6-8]|63|67)\d{14}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"  # Maestro
    r"|(?:5[6-8]\d\d|6390|0604)\d{8}"
)
_PREFIXES = frozenset(
    map(
        "{:02}".format,
        (6, 18, *range(21, 28), 30, *range(34, 59), 60, *range(62, 66), 67, 81, 82, 97),
    )
)
"""How `_BRANDS` begin: most groups of digits do not."""
_MAJOR = lazy(r"4\d{15}|5[1-5]\d{14}|3[47]\d{13}")
_HEX = lazy(r"[a-fA-F]")
_POINT = lazy(r"(?<![\w.,])[-+]?(?P<whole>\d{1,4})\.\Z")
_DECIMAL = lazy(r"\d\.\d")
_GROUPINGS = ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3])
_LENGTHS = (16, 15, 14, 19, 18, 17, 13)
_FEW = 10
_MANY = 8
"""Numbers of about the same length in a list, for each that is a card by chance."""
_LISTED = frozenset(",\t\n\r")
_WORD = lazy(
    r"card|visa|credit|debit|\bcc|\bpan\b|payment|karte|carte|tarjeta|cart[ãa]o|carta",
    re.IGNORECASE,
)


def is_card(digits: str) -> bool:
    """Whether issuer prefix, length and check digit fit.

    >>> is_card("4111111111111111"), is_card("1234567812345670")
    (True, False)
    """
    return _BRANDS.fullmatch(digits) is not None and luhn(digits)


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in in_turns(starts):
        if start < done:
            continue
        run = _RUN.match(text, start if "0" <= text[start] <= "9" else start + 1)
        if run is None:
            continue
        done = run.end()
        if _THOUSANDS.fullmatch(text, run.start(), done):
            continue  # one large number; no card is grouped so
        groups = [match.span() for match in _GROUP.finditer(text, run.start(), run.end())]
        found = list(_cards(text, groups))
        if found and not _is_list(text, groups, found):
            yield from found


def _cards(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    count = len(groups)
    after_card = 0
    place = 0
    while place < count:
        start, end = groups[place]
        taken = 0
        if end - start >= 12:
            if is_card(text[start:end]) and not any(
                other(text, start, end) for other in (_article, _fraction, _digest)
            ):
                taken = 1
        elif end - start == 1 or text[start : start + 2] in _PREFIXES:
            taken = _groups_of_card(text, groups, place, anchored=place == after_card)
        if taken:
            yield start, groups[place + taken - 1][1]
            after_card = place + taken
        place += taken or 1


def _groups_of_card(text: str, groups: list[tuple[int, int]], place: int, *, anchored: bool) -> int:
    """How many groups from `place` on make a card; 0 if none do."""
    count = len(groups)
    if not anchored and count > _FEW and count - place > 19:
        return 0  # the middle of a long list
    if place + 1 == count:
        return 0
    one, other = (end - start for start, end in groups[place : place + 2])
    if one != other and (one, other) != (4, 6) and not (one in (4, 6, 8) and one + other > 11):
        return 0  # no grouping of `_written_as_card` begins so
    total = 0
    ends: dict[int, int] = {}
    for index in range(place, min(place + 19, count)):
        total += groups[index][1] - groups[index][0]
        if total > 19:
            break
        ends[total] = index + 1
    start = groups[place][0]
    for length in _LENGTHS:
        stop = ends.get(length)
        if stop is None or stop == place + 1:
            continue
        if not (anchored or count <= _FEW or stop == count):
            continue
        members = groups[place:stop]
        digits = "".join([text[begin:end] for begin, end in members])
        if not is_card(digits) or (length < 16 and start and text[start - 1] == "+"):
            continue
        if _written_as_card(text, members, at_edge=anchored or stop == count):
            return stop - place
    return 0


def _written_as_card(text: str, members: list[tuple[int, int]], *, at_edge: bool) -> bool:
    """Whether these groups look like one number: one separator, groups of a kind."""
    sizes = [end - start for start, end in members]
    gaps = {text[a[1] : b[0]] for a, b in itertools.pairwise(members)}
    if sizes in _GROUPINGS:
        return at_edge or all(_LISTED.isdisjoint(gap) for gap in gaps)
    if len(gaps) > 1 or not _LISTED.isdisjoint(*gaps):
        return sizes == [1] * len(sizes) and at_edge
    if len(sizes) == 2:
        return sizes[0] in (4, 6, 8)
    return len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]


def _is_list(text: str, groups: list[tuple[int, int]], found: list[tuple[int, int]]) -> bool:
    """Whether these are rather numbers of which some happen to make a card: with two more numbers
    around that are no card, year, month or code, and no word for a card before. Of identifiers as
    long as cards one in 30 is a card by chance, so these are one in eight or fewer of that length,
    or of one digit more or less. A row of fields has numbers of many lengths."""
    if len(groups) < 6:
        return False
    if all(text[start:end].isdigit() for start, end in found):
        sizes = {end - start + more for start, end in found for more in (-1, 0, 1)}
        alike = sum(end - start in sizes for start, end in groups)
        return alike >= _MANY * len(found) and not _is_told(text, groups)
    others = 0
    cards = iter(found)
    first, last = next(cards)
    for start, end in groups:  # both in order
        while start >= last and (card := next(cards, None)):
            first, last = card
        inside = first <= start < last
        if not inside and end - start >= 4 and text[start : start + 2] not in ("19", "20"):
            others += 1
    return others >= 2 and not _is_told(text, groups)


def _is_told(text: str, groups: list[tuple[int, int]]) -> bool:
    """Whether a word for a card is before a list."""
    return _WORD.search(text[max(0, groups[0][0] - 40) : groups[0][0]]) is not None


def _fraction(text: str, start: int, end: int) -> bool:
    """Whether these are rather the digits after the point of a number: among other such numbers,
    or not of the most common brand; a word for a card before tells otherwise."""
    point = _POINT.search(text[max(0, start - 6) : start])
    if point is None or _WORD.search(text[max(0, start - 40) : start]):
        return False
    if point["whole"] != "0" or text[start] != "4" or end - start != 16:
        return True
    around = text[max(0, start - 60) : start - 2], text[end : end + 60]
    return text[end : end + 1] in ("e", "E") or any(map(_DECIMAL.search, around))


def _digest(text: str, start: int, end: int) -> bool:
    """Whether these are rather digits in a hexadecimal number, and no card that is found everywhere."""
    glued = _HEX.match(text, max(0, start - 1), start) or _HEX.match(text, end)
    return glued is not None and not _MAJOR.fullmatch(text, start, end)


def _article(text: str, start: int, end: int) -> bool:
    """Whether 13 digits are rather an article number (GTIN-13) than one of the old Visa cards."""
    if end - start != 13 or _WORD.search(text[max(0, start - 40) : start]):
        return False
    return weighted(text[start:end], (1, 3) * 6 + (1,)) % 10 == 0


RECOGNIZER = Recognizer(
    name="credit_card",
    entity="CREDIT_CARD",
    triggers=(r"(?:^|[^0-9])[0-9](?:[-\s._,/+()]{0,3}[0-9]){11}",),
    find=_find,
    canonical=alphanumeric,
    examples=(
        "card «4111 1111 1111 1111», «4111-1111-1111-1111» or «4111111111111111».",
        "«4111_1111_1111_1111» «4111,1111,1111,1111»; «4111\t1111\t1111\t1111»",
        "«4111 1111\n1111 1111» wraps; «4111.1111.1111.1111»;«4111/1111/1111/1111»",
        "two: «4111 1111 1111 1111» «5500 0000 0000 0004», one «378282246310005»",
        "«4111 1111 1111 1111» 12/27 123 and «3782 822463 10005» 09/26",
        "row 7,«5555555555554444»,12/27,123",
        "hidden 0.«4111111111111111»",
        "card 7.«4111111111111111» and deadbeef«4111111111111111»cafe",
        "«4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1» said the caller",
        "visa «4222222222222» and Maestro «6759649826438453»",
        "1000000000000001,«4111111111111111»\n1000000000000002,«5500000000000004»\n1000000000000003,«4111111111111111»\n1000000000000004,«5500000000000004»",
        "cards 1163598712101787, 9993117638064200, «4933785052704285», 1080719283746551, 7394958104837122, 9128374650192837, 1002938475610293, 2837465019283746",
        "8 numbers 17 23 2024 «4111 1111 1111 1111»",
    ),
    counterexamples=(
        "4111 1111 1111 1112 and 1234567812345670",
        "at 1700000000 and 1700000000123, order 114-1234567-1234567",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301, 20240115123045, 2024-01-15 2024-02-15",
        "EAN 4006381333931, ISBN 978-3-16-148410-0",
        "loss 0.4349040844173797, weight 4.060580437350; 7.4111111111111111",
        "4948 4450 8973 2972 4777 3569 5538 6020 2115 2061 4954; [37398, 46910, 31078]",
        "order 633-3040506-1405556, 63751f5e105ede4226610984384afb4ecf6f0d57",
        "4610 180 3058 4845 3624 4350 7651",
        "1163598712101787, 9993117638064200, 4933785052704285, 1080719283746551, 7394958104837122, 9128374650192837, 1002938475610293, 2837465019283746",
    ),
    keys=frozenset({"creditcard", "creditcardnumber", "cardnumber", "ccnumber", "ccnum"}),
    plausible=lambda text: sum(map(str.isdigit, text)) >= 8,
)
