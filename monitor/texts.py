"""What features and reports need to know about a text: its words, free of pseudonyms."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

from monitor import marks
from monitor.hidden import ALL, is_gone
from monitor.types import Observation, Record

CATEGORY = 64
"""A string of more characters is a text, not a category."""

CELLS = 64
"""Cells for hashed words: enough to tell topics apart, few enough that a few hundred texts fill
them."""

VOCABULARY = 1 << 14
"""Cells of a hashed vocabulary: a few thousand words seldom share one."""

OPENING = 400
"""So many characters of a text are held against the vocabulary."""

REMEMBERED = 1024
"""Openings of texts of which is remembered what was computed of them: many begin alike."""

LONGEST = 200
"""Characters of a name that somebody else chose: of a feature, a segment, a category."""

_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, line ends, halves of characters, and what turns the direction of a line."""

_PSEUDONYM = re.compile(f"(<{marks.ENTITY}):(?:{marks.TOKEN}|[a-z_]+:{marks.DIGEST}:[0-9]+)(?=>)")
"""A pseudonym, or a digest in place of a text, but for its last character: a text split by it and
joined has entities instead."""

DATE = re.compile(r"([0-9]{4}|[0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{1,2})(?![0-9])")
"""A date in figures: what the second group parts."""

_NAMED = re.compile(
    r"(?:(?P<day>[0-9]{1,2})[ ./-]{1,2}(?P<month>[A-Za-z]{3,9})|(?P<first>[A-Za-z]{3,9})\.? "
    r"(?P<second>[0-9]{1,2}),?)[ .,/-]{1,2}(?P<year>[0-9]{4}(?![0-9])|[0-9]{2}(?![0-9:]))"
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_OFFSET = re.compile(r"(.*[0-9]) ?(Z|z|UTC|GMT|utc|[-+][0-9]{2}(?::?[0-9]{2})?)")

_WORD = re.compile(r"<[A-Z_]+>|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")
"""A placeholder, one character of a script that is written without spaces, or a run of letters."""


def visible(text: str) -> str:
    """A text as it may stand in a label or in a line of a log.

    It has at most `LONGEST` characters, and a space for each that cannot be seen. Texts that are
    cut stay apart by a digest.

    >>> visible("income"), visible("a\\r\\n\\x1b[31mb"), len(visible("long" * 100))
    ('income', 'a   [31mb', 200)
    """
    if len(text) > LONGEST:
        whole = text.encode(errors="surrogatepass")
        mark = blake2b(whole, digest_size=8).hexdigest()
        text = f"{text[: LONGEST - len(mark) - 1]}…{mark}"
    return text if text.isprintable() else printable(text)


def printable(text: str) -> str:
    """A text with a space for each character that cannot be seen, or ends or turns a line."""
    return text if text.isprintable() else _UNPRINTABLE.sub(" ", text)


def plain(text: str) -> str:
    """The text with every pseudonym reduced to its entity.

    The token of a pseudonym depends on the key, so a new key would look like new words and longer
    texts; its entity does not.

    >>> plain("write to <EMAIL_ADDRESS:k1:c29tZSBzaXh0ZWVuKw>")
    'write to <EMAIL_ADDRESS>'
    """
    # Split and join stay in C; before Python 3.12 `sub` calls a function for every match.
    return "".join(_PSEUDONYM.split(text)) if "<" in text else text


def words(text: str, most: int) -> list[str]:
    """The first `most` words of a plain text, in lower case; placeholders stay as they are.

    >>> words("Call <PHONE_NUMBER>, or 你好!", 10)
    ['call', '<PHONE_NUMBER>', 'or', '你', '好']
    """
    found: list[str] = []
    for match in _WORD.finditer(text):
        if len(found) == most:
            break
        word = match.group()
        found.append(word if word[0] == "<" else word.lower())
    return found


def pick(text: str, seed: str) -> str:
    """One word of a plain text, chosen by `seed`; empty when there is none.

    Words of one text belong together, so only one of them is evidence that is independent of the
    evidence of other texts. Longer words are chosen more often, in every text alike.

    >>> pick("to be or not to be", "a"), pick("to be or not to be", "b"), pick("...", "a")
    ('not', 'not', '')
    """
    return pick_at(text, drawn(seed))


def drawn(seed: str) -> int:
    """The number by which `pick` chooses."""
    return crc32(seed.encode(errors="surrogatepass"))


def pick_at(text: str, number: int) -> str:
    """The word that `pick` chooses by this number."""
    if not text:
        return ""
    start = text.rfind(" ", 0, number % len(text) + 1) + 1
    match = _WORD.search(text, start) or _WORD.search(text)
    if match is None:
        return ""
    word = match.group()
    return word if word[0] == "<" else word.lower()


@lru_cache(maxsize=4)
def runs(start: str) -> list[str]:
    """What stands between white space in the first characters of a text, in lower case.

    Several features ask for it, of the question and of the answer of a Record. It is theirs to
    read only.
    """
    return start.lower().split()


def numbered(text: str) -> int:
    """A number of 64 bits that stands for a text.

    >>> numbered("anna") == numbered("anna") != numbered("bert")
    True
    """
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def hashed(text: str) -> bytes:
    """The words a plain text begins with as cells of a vocabulary, two bytes each, for `hashes`.

    Every number is the same word: no vocabulary could hold them all.

    >>> list(hashes(hashed("order 4711"))) == list(hashes(hashed("Order 12, 5")))[:2]
    True
    """
    return _hashed(text[:OPENING], len(text) > OPENING)


@lru_cache(maxsize=REMEMBERED)
def _hashed(start: str, is_cut: bool) -> bytes:
    # An ASCII text is a matter of spaces; the pattern takes eight times as long.
    lower = start.lower()
    found = runs(start) if lower.isascii() else _WORD.findall(lower)
    if is_cut:
        found = found[:-1]  # the last one may be a part of a word
    return vocabulary_cells(found)


_known_words: dict[str, bytes] = {}


def vocabulary_cells(words: Sequence[str]) -> bytes:
    """The cells of words in lower case, two bytes each."""
    known = _known_words.get
    try:
        return b"".join(map(known, words))  # type: ignore[arg-type]
    except TypeError:  # one of them is new
        return b"".join([known(word) or _vocabulary_cell(word) for word in words])


def _vocabulary_cell(word: str) -> bytes:
    """The cell of a word, which is remembered unless it is long."""
    bare = word.strip(".,;:!?()[]{}<>\"'`*_#-") or word
    bare = "0" if bare[0].isdigit() else bare
    found = (crc32(bare.encode(errors="surrogatepass")) % VOCABULARY).to_bytes(2, sys.byteorder)
    if len(word) <= CATEGORY:
        if len(_known_words) >= VOCABULARY:
            _known_words.clear()
        _known_words[word] = found
    return found


def vocabulary(text: str) -> dict[int, str]:
    """The words that a plain text begins with, by the cells that `hashed` gives them.

    >>> [word for cell, word in vocabulary("My order, 4711").items()]
    ['my', 'order', '0']
    """
    found = {}
    for word in words(text[:OPENING], OPENING):
        bare = "0" if word[0].isdigit() else word
        found[int.from_bytes(_vocabulary_cell(word), sys.byteorder)] = bare
    return found


def hashes(packed: bytes) -> array[int]:
    """The cells of words that `hashed` has packed; a byte too many is left out."""
    return array("H", packed[: len(packed) // 2 * 2])


def cell(text: str, cells: int) -> str:
    """The name of one of `cells` hashed cells; equal texts share one, and none can be read back.

    >>> cell("hello", 64)
    '#6'
    """
    return f"#{crc32(text.encode(errors='surrogatepass')) % cells}"


def seconds(text: str, day_first: bool | None = None) -> float | None:
    """Unix seconds of a date or a date and time, UTC where no offset is said; else None.

    ISO 8601 in all its forms, also with slashes, with a space before the offset; RFC 5322 and
    HTTP, where a day of the week may come first; day/Mon/year:time of access logs; day.month.year;
    day/month/year where `day_first`, month/day/year where not. Where nobody knows (None), the
    second, unless the first number is no month.

    >>> seconds("2024-02-29T12:00:00Z"), seconds("29.2.2024 12:00"), seconds("02/29/2024")
    (1709208000.0, 1709208000.0, 1709164800.0)
    >>> seconds("2024-02-30"), seconds("29/02/2024"), seconds("1.2.3")
    (None, 1709164800.0, None)
    >>> seconds("2024-02-29 14:00:00,000 +02"), seconds("20240229T120000Z"), seconds("20240229")
    (1709208000.0, 1709208000.0, None)
    >>> seconds("3/4/2024", day_first=True) - seconds("4/3/2024", day_first=False)
    0.0
    >>> seconds("29-Feb-24 1:30 PM", True) == seconds("Feb 29, 2024 13:30")
    True
    >>> seconds("Thu, 29 Feb 2024 12:00:00 GMT"), seconds("Thu, 29 Feb 2024 14:00:00 +0200")
    (1709208000.0, 1709208000.0)
    >>> seconds("29/Feb/2024:04:00:00 -0800"), seconds("Feb 29, 24:12:00:00")
    (1709208000.0, None)
    >>> seconds("29/2/24 13:30", True), seconds("29/2/24 13:30")
    (1709213400.0, None)
    """
    if not 8 <= len(text) <= 40:
        return None
    if text[3:5] == ", " and text[:3].lower() in _DAYS:
        text = text[5:]
    if not text[:1].isdigit():
        text = _named(text, day_first) if text[:3].lower() in _MONTHS else ""
    elif not (text[4:5] == "-" == text[7:8] and text[:4].isdigit()):
        text = _compact(text) or _iso(text, day_first)
    if not text:
        return None
    try:
        return _moment(text)
    except (ValueError, OverflowError):
        tidy = _tidy(text)
    try:
        return _moment(tidy) if tidy else None
    except (ValueError, OverflowError):
        return None


def _moment(iso: str) -> float:
    moment = datetime.fromisoformat(iso)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _tidy(iso: str) -> str:
    """ISO 8601 as `fromisoformat` wants it: no space before the offset, no name of UTC."""
    match = _OFFSET.fullmatch(iso)
    if match is None:
        return ""
    offset = match[2]
    return match[1] + ("Z" if offset in ("UTC", "GMT", "utc", "z", "Z") else offset)


def _compact(text: str) -> str:
    """The basic format of ISO 8601, with a time; a date alone is a number."""
    return text if text[:8].isdigit() and text[8:9] in ("T", "t", " ") else ""


def _iso(text: str, day_first: bool | None) -> str:
    """A date as ISO 8601 writes it; what is none stays none."""
    match = DATE.match(text)
    if match is None:
        return _named(text, day_first)
    first, second, third = match[1], match[3], match[4]
    if len(first) > 2:
        year, month, day = first, second, third
    elif match[2] == "-" and day_first is None:
        return ""  # one value alone may be anything
    elif not ((match[2] == "." or int(first) > 12) if day_first is None else day_first):
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    return _joined(year, month, day, text[match.end() :], day_first)


def _named(text: str, day_first: bool | None) -> str:
    match = _NAMED.match(text)
    if match is None:
        return ""
    month = _MONTHS.get((match["month"] or match["first"])[:3].lower())
    if month is None:
        return ""
    day, rest = match["day"] or match["second"], text[match.end() :]
    rest = f" {rest[1:]}" if rest[:1] == ":" else rest
    return _joined(match["year"], str(month), day, rest, day_first)


def _joined(year: str, month: str, day: str, rest: str, day_first: bool | None) -> str:
    if len(year) == 2 and day_first is not None:  # one value alone may be a version
        year = f"{'20' if year < '70' else '19'}{year}"
    if len(year) != 4 or (rest and rest[0] not in " T,"):
        return ""
    hour = rest.lstrip(" T,")
    hour = f"0{hour}" if hour[1:2] == ":" else hour
    if hour[-2:].lower() in ("am", "pm") and hour[:2].isdigit():
        late = 12 * (hour[-2:].lower() == "pm")
        hour = f"{int(hour[:2]) % 12 + late:02}{hour[2:-2].rstrip()}"
    return f"{year}-{month:>02}-{day:>02}" + (f"T{hour}" if hour else "")


def observe_string(feature: str, value: str, seed: str) -> Iterator[Observation]:
    """What to look at in a string of which nothing is known: a category, a time, or a text."""
    text = plain(value)
    moment = seconds(text) if len(text) <= CATEGORY else None
    if moment is None:
        yield from observe_text(feature, text, seed)
    else:
        yield Observation(feature, "datetime", moment)


def observe_text(feature: str, text: str, seed: str) -> Iterator[Observation]:
    """What to look at in a plain string: a category, or a text.

    Of a text one word is observed, as a hashed cell, and beside it `feature.length` and
    `feature.unknown_words`.
    """
    if len(text) <= CATEGORY:
        yield Observation(feature, "categorical", text)
    else:
        yield from observe_words(feature, text, seed)


def observe_words(feature: str, text: str, seed: str) -> Iterator[Observation]:
    """What to look at in a plain text: one word as a hashed cell, its length, its words."""
    yield Observation(feature, "categorical", cell(pick(text, seed), CELLS))
    yield Observation(f"{feature}.length", "numeric", len(text))
    yield Observation(f"{feature}.unknown_words", "words", hashed(text) or None)


def question(record: Record) -> str:
    """What was asked: the last text of the user, else the last input text; plain."""
    return _said(record)[1]


def answer(record: Record) -> str:
    """What was answered: the first text that is no error, nor of or by a tool; plain."""
    return _said(record)[2]


_latest: tuple[Record | None, str, str] = (None, "", "")


def _said(record: Record) -> tuple[Record | None, str, str]:
    """A Record, its question and its answer; every feature asks for those of the same Record."""
    global _latest  # noqa: PLW0603  one Record is remembered, by identity
    said = _latest
    if said[0] is not record:
        said = _latest = (record, asked(record), told(record))
    return said


def asked(record: Record) -> str:
    """The same as `question`, not remembered: for many Records."""
    if record.withheld and not {"user", ALL}.isdisjoint(record.withheld.get("inputs", ())):
        return ""
    last = ""
    for part in reversed(record.inputs):
        if part.text is not None:
            text = part.text
            if text[:1] == "<" and is_gone(text):
                text = ""
            if part.role == "user":
                return plain(text) if "<" in text else text
            last = last or text
        elif part.role == "user" and part.data is None:
            return ""  # a rule left it out
    return plain(last)


_NO_ANSWERS = ("error", "tool_call", "tool", "reasoning")


def told(record: Record) -> str:
    """The same as `answer`, not remembered: for many Records."""
    for part in record.outputs:
        if part.text is not None and part.role not in _NO_ANSWERS:
            text = part.text
            if "<" not in text:  # as nearly always
                return text
            return "" if is_gone(text) else plain(text)
    return ""
