"""The scanner: str → spans of personal data, in one pass and then only where it counts.

All triggers of all recognizers stand in one Hyperscan block-mode database; where one fires, its
recognizer looks closer with anchored expressions and check digits. The text handed to Hyperscan
is ASCII with one byte a character (`?` for the rest), so its byte offsets are our offsets, lone
surrogates included. Without the wheel, `re` finds the same starts, more slowly.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import msgspec

from monitor.errors import PrivacyError
from monitor.interfaces import Recognizer
from monitor.marks import PSEUDONYM
from monitor.privacy.kept import Kept
from monitor.turns import give_way, in_turns

try:
    import hyperscan
except ImportError:  # no wheel for this platform
    hyperscan = None  # type: ignore[assignment]

_LONGEST_VALUE = 512
"""Characters of a value that the name of its field says something of."""
_SIGNS = re.compile(r"[\W_]+")
_BEYOND = re.compile("[\u0370-\u1fff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")

Located = Mapping[int, Sequence[int]]
"""Where triggers of each recognizer fire in a text, by its place; empty in most texts. Of several
with the same `find` the first is asked for all."""
Event = tuple[int, int, int]
"""A trigger that fires: the place of its recognizer, first character, and the end."""
_Locate = Callable[[str], dict[int, list[int]]]


class Span(msgspec.Struct, frozen=True, gc=False):
    """Characters `start` to `end` (exclusive) of a text are one value of `entity`."""

    start: int
    end: int
    entity: str


class RecognizerError(PrivacyError):
    """A recognizer raised: `name` says which, the cause what. Nothing is known of the text then."""

    def __init__(self, name: str) -> None:
        super().__init__("error")
        self.name = name


class Scanner:
    """Finds what the recognizers know. The earlier a recognizer stands, the stronger it is.

    `max_events` bounds what one text may trigger; beyond it `scan` raises PrivacyError. `kept` are
    places where the next process finds what is compiled; it is written to the first that takes it.
    """

    def __init__(
        self,
        recognizers: Sequence[Recognizer],
        *,
        max_events: int = 100_000,
        kept: Sequence[Kept] = (),
    ) -> None:
        self.recognizers = tuple(recognizers)
        self._finds = [recognizer.find for recognizer in self.recognizers]
        self._entities = [recognizer.entity for recognizer in self.recognizers]
        self._canonical: dict[str, Recognizer] = {}
        self._keys: dict[str, int] = {}
        for index, recognizer in enumerate(self.recognizers):
            self._canonical.setdefault(recognizer.entity, recognizer)
            for key in recognizer.keys:
                self._keys.setdefault(key, index)
        alike: dict[tuple[object, ...], dict[str, int]] = defaultdict(dict)
        for index, recognizer in enumerate(self.recognizers):
            same = alike[recognizer.triggers, recognizer.find]
            same.setdefault(recognizer.entity, index)
        self._alike = {min(same.values()): same for same in alike.values()}
        triggers = [(first, self.recognizers[first].triggers) for first in self._alike]
        self._beyond = [first for first, each in triggers if not each]
        self._locate: _Locate
        self._events: Callable[[str], list[Event] | None] | None = None
        if hyperscan is None:
            self._locate = _locate_with_re(triggers, max_events)
        else:
            self._locate, self._events = _locate_with_hyperscan(triggers, max_events, kept)

    def scan(
        self, text: str, hint: str | None = None, located: Located | None = None
    ) -> list[Span]:
        """The values in a normalised text: sorted, apart from each other, none inside a pseudonym.

        Where finds overlap the stronger keeps its whole value and the weaker keeps what is left of
        it: no found character is dropped. `hint` is the name of the field (JSON key, column) the
        text was the value of; `located` where triggers fire, if that is known of a text that is not
        beyond them (`is_beyond`). Raises PrivacyError when there is too much to look at, and
        RecognizerError.
        """
        if located is None:
            located = self._locate(text)
            if not text.isascii() and self.is_beyond(text):
                located = {**located, **dict.fromkeys(self._beyond, (0,))}
        if not located and hint is None:
            return []
        found: list[tuple[int, int, int]] = []
        for first, starts in in_turns(located.items()):
            ordered = starts if len(starts) == 1 else sorted(set(starts))
            try:
                for hit in in_turns(self._finds[first](text, ordered)):
                    index = first if len(hit) == 2 else self._alike[first].get(hit[2])
                    if index is not None:
                        found.append((hit[0], hit[1], index))
            except Exception as error:
                raise RecognizerError(self.recognizers[first].name) from error
        if hint is not None:
            found += self._by_key(text, hint, found)
        if not found:
            return []
        if "<" in text:
            found += [(*match.span(), -1) for match in PSEUDONYM.finditer(text)]
        if len(found) > 1:
            found = _settle(text, sorted(found))
        return [
            Span(start, end, self._entities[index])
            for start, end, index in in_turns(found)
            if index >= 0
        ]

    def is_beyond(self, text: str) -> bool:
        """Whether a text beyond ASCII has letters of another script than Latin, which no trigger
        can read, and something is looked for in them."""
        return bool(self._beyond) and _BEYOND.search(text) is not None

    def events(self, text: str) -> list[Event] | None:
        """Whatever a recognizer would look closer at. Where texts are joined by line ends there
        are in each those that are there alone, and others only across its edges: a trigger sees
        nothing of what stands around it but whether a letter or a digit does. None where that
        cannot be said."""
        return None if self._events is None else self._events(text)

    def looks_for(self, entity: str) -> bool:
        """Whether there is a recognizer of an entity."""
        return entity in self._canonical

    def field(self, name: str) -> int | None:
        """What the name of a field says its values are, for `may_be`; None where it does not."""
        return self._keys.get(known_form(name, self._keys))

    def may_be(self, text: str, field: int | None) -> bool:
        """Whether a text may be what its field says; raises RecognizerError as `scan` does."""
        if field is None or len(text) > _LONGEST_VALUE:
            return False
        try:
            return self.recognizers[field].plausible(text)
        except Exception as error:
            raise RecognizerError(self.recognizers[field].name) from error

    def scan_number(self, number: int | str) -> str | None:
        """The entity of a whole number that stood bare in JSON: a payment card, or None."""
        digits = str(number)
        if not (12 <= len(digits) <= 19 and digits.isascii() and digits.isdigit()):
            return None
        spans = self.scan(digits)
        if len(spans) == 1 and spans[0].end - spans[0].start == len(digits):
            return spans[0].entity
        return None

    def canonical(self, entity: str, value: str) -> str:
        """The one form that all spellings of the value share; the value itself if unknown.

        Raises RecognizerError.
        """
        recognizer = self._canonical.get(entity)
        if recognizer is None:
            return value
        try:
            return recognizer.canonical(value)
        except Exception as error:
            raise RecognizerError(recognizer.name) from error

    def _by_key(
        self, text: str, hint: str, found: list[tuple[int, int, int]]
    ) -> list[tuple[int, int, int]]:
        index = self.field(hint)
        if index is None or not self.may_be(text, index):
            return []
        entity = self._entities[index]
        if any(self._entities[other] == entity for _, _, other in found):
            return []
        value = text.strip()
        start = text.index(value)
        return [(start, start + len(value), index)] if value else []


def key_form(name: str) -> str:
    """A field's name as recognizers list it: the last step of a path, letters and digits only.

    >>> key_form("customer.Date_of-Birth")
    'dateofbirth'
    """
    return _SIGNS.sub("", name.rpartition(".")[2]).lower()


_OWNER = re.compile(
    r"(?:customer|client|patient|user|employee|worker|staff|contact|emergency|primary|secondary|alternate"
    r"|alternative|preferred|home|work|business|office|private|personal|billing|shipping|delivery|sender"
    r"|receiver|recipient|beneficiary|payer|payee|debtor|creditor|owner|holder|cardholder|policyholder"
    r"|applicant|borrower|lender|guarantor|tenant|landlord|spouse|partner|parent|father|mother|guardian"
    r"|child|relative|nextofkin|insured|subscriber|member|student|teacher|guest|passenger|traveller"
    r"|traveler|donor|buyer|seller|caller|agent|candidate|lead|person|individual|doctor|physician|provider"
    r"|my|your|his|her|their|new|old|current|previous|other|main)+(?!name$|page$|number$|identity)(?=..)"
)
"""Whose or which one something is, before the name of what it is."""


def known_form(name: str, keys: Container[str]) -> str:
    """The key form of a field's name that is among `keys`, as it is or without whose it is; empty
    where neither is.

    >>> [known_form(name, {"ssn", "phone"}) for name in ("SSN", "customer_ssn", "homePhone")]
    ['ssn', 'ssn', 'phone']
    """
    form = key_form(name)
    if form in keys:
        return form
    if "." in name:  # "customer.name": the last two steps may say what the last does not
        both = _SIGNS.sub("", "".join(name.rsplit(".", 2)[-2:])).lower()
        if both in keys:
            return both
    owner = _OWNER.match(form)
    return form[owner.end() :] if owner and form[owner.end() :] in keys else ""


# --- where triggers fire ---------------------------------------------------------------------


def _locate_with_hyperscan(
    triggers: Sequence[tuple[int, tuple[str, ...]]], max_events: int, kept: Sequence[Kept] = ()
) -> tuple[_Locate, Callable[[str], list[Event] | None]]:
    """One database for all triggers; the id of an expression is its recognizer's place. Beside it
    what `Scanner.events` asks."""
    ids = [index for index, each in triggers for _ in each]
    expressions = [trigger.encode() for _, each in triggers for trigger in each]
    if not ids:
        return lambda text: {}, lambda text: []
    database = _loaded(expressions, ids, kept) if kept else _compiled(expressions, ids)
    local = threading.local()  # a scratch serves one thread at a time

    def note(index: int, start: int, end: int, flags: int, found: Any) -> bool | None:
        starts = found[index]
        starts.append(start)
        give_way()
        return len(starts) > max_events or None

    def note_event(index: int, start: int, end: int, flags: int, found: Any) -> bool | None:
        found.append((index, start, end))
        return len(found) > max_events or None

    def scan(text: str, into: Any, found: Any) -> None:
        try:
            scratch = local.scratch
        except AttributeError:
            scratch = local.scratch = database.scratch.clone()
        try:
            database.scan(text.encode("ascii", "replace"), into, context=found, scratch=scratch)
        except hyperscan.ScanTerminated:
            raise PrivacyError("too many candidates") from None
        except hyperscan.error:
            raise PrivacyError("scan failed") from None

    def locate(text: str) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        scan(text, note, found)
        if sum(map(len, found.values())) > max_events:
            raise PrivacyError("too many candidates")
        return found

    def events(text: str) -> list[Event] | None:
        found: list[Event] = []
        try:
            scan(text, note_event, found)
        except PrivacyError:
            return None
        return found

    return locate, events


def _loaded(expressions: list[bytes], ids: list[int], kept: Sequence[Kept]) -> hyperscan.Database:
    """A database that an earlier process compiled: 5 ms and 2 MB instead of half a second and
    27 MB. Otherwise a new one, for the next process."""
    release = hyperscan.__version__  # type: ignore[attr-defined]
    made_of = msgspec.msgpack.encode((release, expressions, ids))
    for place in kept:
        if (dump := place.read(made_of)) is not None:
            with contextlib.suppress(hyperscan.error):  # of a machine with other instructions
                database = hyperscan.loadb(dump, hyperscan.HS_MODE_BLOCK)
                database.scratch = hyperscan.Scratch(database)
                return database
    database = _compiled(expressions, ids)
    with contextlib.suppress(hyperscan.error):
        dump = hyperscan.dumpb(database)
        any(place.write(made_of, dump) for place in kept)
    return database


def _compiled(expressions: list[bytes], ids: list[int]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_CASELESS
    database.compile(expressions=expressions, ids=ids, flags=[flags] * len(ids))
    return database


def _locate_with_re(triggers: Sequence[tuple[int, tuple[str, ...]]], max_events: int) -> _Locate:
    expressions = [
        (index, re.compile(f"(?={'|'.join(each)})", re.IGNORECASE | re.ASCII))
        for index, each in triggers
        if each
    ]

    def locate(text: str) -> dict[int, list[int]]:
        shadow = text.encode("ascii", "replace").decode("ascii")
        found: dict[int, list[int]] = {}
        for index, expression in expressions:
            starts = [match.start() for match in expression.finditer(shadow)]
            if len(starts) > max_events:
                raise PrivacyError("too many candidates")
            if starts:
                found[index] = starts
        return found

    return locate


# --- overlaps --------------------------------------------------------------------------------


def _settle(text: str, found: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Sorted finds → finds that stand apart."""
    settled: list[tuple[int, int, int]] = []
    cluster = [found[0]]
    reach = found[0][1]
    for item in in_turns(found[1:]):
        if item[0] < reach:
            cluster.append(item)
            reach = max(reach, item[1])
        else:
            settled += cluster if len(cluster) == 1 else _paint(text, cluster)
            cluster, reach = [item], item[1]
    settled += cluster if len(cluster) == 1 else _paint(text, cluster)
    return settled


def _paint(text: str, cluster: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Overlapping finds, painted weakest first: what is left in sight of each, without scraps of
    mere punctuation."""
    origin = cluster[0][0]
    canvas = [-1] * (max(end for _, end, _ in cluster) - origin)
    painted = sorted(cluster, key=lambda item: (-item[2], item[1] - item[0]))
    for number, (start, end, _) in enumerate(painted):
        canvas[start - origin : end - origin] = [number] * (end - start)
    pieces: list[tuple[int, int, int]] = []
    begin = 0
    for place in range(1, len(canvas) + 1):
        if place == len(canvas) or canvas[place] != canvas[begin]:
            start, end = origin + begin, origin + place
            whole = painted[canvas[begin]]
            if whole[:2] == (start, end) or any(map(str.isalnum, text[start:end])):
                pieces.append((start, end, whole[2]))
            begin = place
    return pieces
