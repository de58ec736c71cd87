"""str → the same str without personal data: views, blobs, scan, pseudonyms; or nothing of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from monitor.bodies import Kept
from monitor.columns import EXPANSION
from monitor.errors import PrivacyError
from monitor.media import WithMedia, size_of, spelled
from monitor.metrics.labels import REDACTION_REASONS
from monitor.privacy.blobs import blobs, may_hold
from monitor.privacy.cache import NOTHING, Cache, Edit, Link
from monitor.privacy.hits import Hit, apart, back, blanked, glued, merged
from monitor.privacy.known_parts import Work
from monitor.privacy.patterns import Located, RecognizerError, Scanner, known_form
from monitor.privacy.pseudonyms import MARK, MARK_WHOLE, Tokens, escape
from monitor.privacy.text_tables import cells
from monitor.privacy.views import normalise, unescape, unplus, unprint
from monitor.turns import give_way, in_turns

LOOKAHEAD = 1024
"""Characters beyond the end of what is kept of a long text that are scanned with it."""

SMALLEST_CARD = 10**11
"""Whole numbers below have fewer digits than any payment card."""

ALLOWANCE = 256
"""Characters that pseudonyms may always add to a text, a side or a head."""

_MAX_LINKED = 256
"""Values of one Record that are sealed, and those that are linked to the key before."""
_LETTERS_AND_MARKS = 28
"""Characters of a pseudonym beside its entity and its key."""
_SHORTEST_NUMBER = 7
"""Digits of a telephone number: fewer by themselves are never personal, whatever stands around."""
_MAX_NESTING = 64
_NAMED = 128
"""Characters of a text that take as long to scan as a value by itself."""
_MAX_GLUED = 4

_ANY_TYPE = "application/octet-stream"
_USUAL_TYPES = frozenset((
    "application/pdf", "audio", "audio/mp3", "audio/mpeg", "audio/wav", "binary", "image",
    "image/gif", "image/jpeg", "image/png", "image/webp", "redacted_thinking", "video/mp4",
))  # fmt: skip

_media_type = re.compile(r"[\w.+-]{1,63}(?:/[\w.+-]{1,63})?", re.ASCII)
_member = re.compile(
    r"\"(?P<key>[^\"\\]{1,64})\"\s{0,8}:\s{0,8}(?:\[\s{0,8})?(?:\"(?P<text>(?:[^\"\\]|\\.){1,512})\"|(?P<number>\d{1,40}))"
)
NAMING = (
    "name", "key", "field", "label", "attribute", "column", "property", "code", "id", "type",
    "system",
)  # fmt: skip
"""Members of an object that say what the value beside them is."""
NAMED = ("value", "val", "content", "text", "answer")
"""Members that hold such a value."""
_pair = re.compile(
    rf"\"(?:{'|'.join(NAMING)})\""
    r"\s{0,8}:\s{0,8}\"(?P<key>[^\"\\]{1,64})\""
    rf"\s{{0,8}},\s{{0,8}}\"(?:{'|'.join(NAMED)})\""
    r"\s{0,8}:\s{0,8}(?:\"(?P<text>(?:[^\"\\]|\\.){1,512})\"|(?P<number>\d{1,40}))"
)


@dataclass(frozen=True)
class Bounds:
    """How much work one Record may be.

    `text`: characters of one text that are kept; `record`: characters of all texts, and of what is
    encoded in them, that are looked at; `seconds`: time for all of them; `depth`: encodings within
    each other; `unpacked`: bytes that one compressed run may hold.
    """

    text: int = 262144
    record: int = 8388608
    seconds: float = 2.0
    depth: int = 4
    unpacked: int = 1048576


Seal = Callable[[str, str], str]
"""(pseudonym, value) → what only the holder of the private key can open."""


class Scrub:
    """Scrubs the texts of one Record and counts what it did.

    `keys` are the names of fields that say what their values are, in `key_form`. With `trusted`,
    marks in the text are taken for our own and stay as they are (Records at rest); otherwise they
    are forgeries and escaped, except those in `own`, which somebody else put there for this
    Record. A text that is `Kept` stays as it is, by the operator's word. `failures` are what
    recognizers raised, by their names. `grown` counts at least the characters that were added,
    `taken` what rules left out or made coarser; `withheld` has by side the roles of whose texts
    they did so where no mark tells. A text that the `cache` has is not scanned again; the Record is
    the same as without it, except that a sealed value may be in the spelling that it had when the
    text was scanned.
    """

    def __init__(
        self,
        *,
        scanner: Scanner,
        keys: frozenset[str],
        tokens: Tokens,
        previous: Tokens | None,
        bounds: Bounds,
        clock: Callable[[], float],
        seal: Seal | None = None,
        trusted: bool = False,
        cache: Cache | None = None,
    ) -> None:
        self.pseudonyms: dict[str, int] = {}
        self.redactions: dict[str, int] = {}
        self.continues: dict[str, str] = {}
        self.sealed: dict[str, str] = {}
        self.own: set[str] = set()
        self.failures: dict[str, BaseException] = {}
        self.grown = 0
        self.taken = 0
        self.withheld: dict[str, set[str]] = {}
        self._scanner = scanner
        self._keys = keys
        self._tokens = tokens
        self._previous = previous
        self._bounds = bounds
        self._clock = clock
        self._deadline = clock() + bounds.seconds
        self._left = bounds.record
        self._seal = seal
        self._trusted = trusted
        self._cache = cache

    def pause(self) -> None:
        """Stop the time of the Record until `resume`: others have their turn."""
        self._deadline -= self._clock()

    def resume(self) -> None:
        """Let the time of the Record go on."""
        self._deadline += self._clock()

    def text(self, text: str, hint: str = "", *, cached: bool = True) -> str:
        """`text` with a pseudonym for every value found; never raises, never lets pass unscanned.

        `hint` is the name of the field the text was the value of. A text that is not `cached` is
        one that hardly ever comes again: it takes no room from others.
        """
        if not text:
            return ""
        if type(text) is not str:
            if isinstance(text, Kept):
                return self.literal(str(text))
            text = str(text)  # `media` has its media
        if len(text) < _SHORTEST_NUMBER and text.isdigit() and not self.is_key(hint):
            return text
        try:
            if self._cache is None or not cached or not self._is_all_there(text):
                return self._scrubbed(text, hint)
            return self._recalled(self._cache, text, hint)
        except Exception as error:  # noqa: BLE001  fail closed
            return self.failed(text, error)

    def value(self, value: Any, hint: str = "", depth: int = 0) -> Any:
        """A JSON value with every string, key and whole number in it scrubbed."""
        match value:
            case str():
                return self.text(value, hint)
            case None | bool():
                return value
            case int() | float():
                return self.number(value, hint)
            case dict() | list() | tuple() if depth < _MAX_NESTING:
                return self._inside(value, hint, depth + 1)
            case _:
                deep = isinstance(value, dict | list | tuple)
                return self.redacted("", "nesting" if deep else "type")

    def _inside(self, value: Any, hint: str, depth: int) -> Any:
        if isinstance(value, dict):
            items = ((str(key), item) for key, item in value.items())
            return {self.text(key): self.value(item, key, depth) for key, item in items}
        return [self.value(item, hint, depth) for item in value]

    def number(self, number: float, hint: str = "") -> int | float | str:
        """A number, or the pseudonym of the card (or of what the field's name says) that it is."""
        if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124
            return number
        whole = int(number)
        if whole != number:
            return number
        try:
            entity = self._scanner.scan_number(abs(whole)) if abs(whole) >= SMALLEST_CARD else None
            if entity is None and hint and self.is_key(hint):
                spans = self._scanner.scan(str(whole), hint)
                entity = spans[0].entity if spans else None
            return number if entity is None else self.token(entity, str(abs(whole)))
        except Exception as error:  # noqa: BLE001  fail closed
            return self.failed(str(number), error)

    def numbers(self, numbers: Sequence[Any], hint: str = "") -> list[Any]:
        """Tensor data; a column of numbers too small to be cards costs next to nothing."""
        try:
            if (
                not self.is_key(hint)
                and max(numbers, default=0) < SMALLEST_CARD
                and min(numbers, default=0) > -SMALLEST_CARD
            ):
                return list(numbers)
        except TypeError:
            pass
        return [self.value(item, hint, 1) for item in numbers]

    def token(self, entity: str, value: str, *, is_secret: bool = False) -> str:
        """The pseudonym of a value; counted, sealed and linked to its predecessor where asked."""
        give_way()
        canonical = self._scanner.canonical(entity, value)
        token = self._tokens(entity, canonical)
        self.pseudonyms[entity] = self.pseudonyms.get(entity, 0) + 1
        self.grown += len(token)
        if self._previous is not None and self._has_room(self.continues, token):
            self.continues[token] = self._previous(entity, canonical)
        if self._seal is not None and not is_secret and self._has_room(self.sealed, token):
            is_secret = entity == "SECRET" or any(
                span.entity == "SECRET" for span in self._scanner.scan(value)
            )
            if not is_secret:
                self.sealed[token] = self._seal(token, value)
        return token

    def _has_room(self, links: dict[str, str], token: str) -> bool:
        """Whether a pseudonym is not among `links` and has room there; none is counted."""
        if token in links:
            return False
        if len(links) < _MAX_LINKED:
            return True
        self._count("sealed" if links is self.sealed else "continues")
        return False

    def redacted(self, text: str, reason: str) -> str:
        """What stands for a text that cannot be made safe: reason, keyed digest, size in bytes."""
        self._count(reason)
        return self.hashed(text, reason)

    def failed(self, text: str, error: Exception) -> str:
        """Redact a text that raised. Only a PrivacyError's words are told: others may quote it."""
        if isinstance(error, RecognizerError):
            self.failures[error.name] = error.__cause__ or error
        said = str(error).replace(" ", "_") if isinstance(error, PrivacyError) else ""
        return self.redacted(text, said if said in REDACTION_REASONS else "error")

    def hashed(self, text: str, reason: str) -> str:
        """The same for a text that somebody did not want to be kept; not counted."""
        data = text.encode("utf-8", "surrogatepass")
        mark = f"<REDACTED:{reason}:{self._tokens.digest(text)}:{len(data)}>"
        self.grown += len(mark)
        return mark

    def media(self, *texts: Any) -> list[str] | None:
        """What is kept of the media in texts, in order: type, size and a keyed digest, which is the
        same as that of base64 in a text. None where there are none.

        What a rule has put in place of media has no digest, and a type in which something is found
        is not said.
        """
        marks = []
        for one in (one for text in texts if type(text) is WithMedia for one in text.media):
            give_way()
            letters = one.letters()
            if b"<" not in letters:
                marks.append(self._mark(one.type, letters))
                self.grown += len(marks[-1])
        return marks or None

    def _mark(self, said: str, letters: bytes) -> str:
        """What stands for media of the type that somebody said they are."""
        kind = said.lower()
        if kind not in _USUAL_TYPES and not self._is_media_type(kind):
            kind = _ANY_TYPE
        return f"<MEDIA:{kind}:{size_of(letters)}:{self._tokens.media(letters)}>"

    def _is_media_type(self, kind: str) -> bool:
        """Whether a text may be a media type, and nothing else is found in it."""
        try:
            return _media_type.fullmatch(kind) is not None and not self._find(kind, "", 0)
        except Exception:  # noqa: BLE001  fail closed
            return False

    def _count(self, reason: str) -> None:
        self.redactions[reason] = self.redactions.get(reason, 0) + 1

    # --- one text -----------------------------------------------------------------------------

    def _spend(self, characters: int) -> None:
        give_way()
        self._left -= characters
        if self._left < 0:
            raise PrivacyError("record too large")
        if self._clock() > self._deadline:
            raise PrivacyError("timeout")

    def is_key(self, hint: str) -> bool:
        """Whether the name of a field says what its value is."""
        return bool(hint) and bool(known_form(hint, self._keys))

    def looks_for(self, entity: str) -> bool:
        """Whether values of an entity are replaced at all."""
        return self._scanner.looks_for(entity)

    def _scrubbed(self, text: str, hint: str, key: bytes | None = None) -> str:
        """Scrub a text; what was done goes into the cache under `key`."""
        before = self._left, self.grown, sum(self.redactions.values())
        self._spend(min(len(text), self._bounds.text + LOOKAHEAD))
        if not text.isascii():
            text = self._encodable(text)
        limit = self._bounds.text
        rest = ""
        if len(text) > limit:
            head = text[: limit + LOOKAHEAD]
            hits = [hit for hit in merged(self._find(head, hint, 0)) if hit.start < limit]
            cut = max(limit, hits[-1].end) if hits else limit
            text, rest = text[:cut], text[cut:]
        else:
            hits = merged(self._find(text, hint, 0))
        tokens = self._tokens_of(text, hits) if hits else []
        replaced = self._put(text, hits, tokens)
        if rest:
            replaced += self.redacted(rest, "too_long")
        if key is not None:
            self._keep(key, text, hits, tokens, before)
        return replaced

    def found(self, text: str) -> list[Hit]:
        """What is found in a text that has no name, in order and apart. Raises PrivacyError."""
        self._spend(len(text))
        return merged(self._find(text, "", 0))

    def plain(self, text: str, located: Located) -> tuple[str, Work] | None:
        """What `text` gives for a plain text of which it is known where triggers fire, and how much
        work that was; None where it may come out otherwise."""
        begin = self.progress()
        try:
            self._spend(len(text))
            found = self.replaced(text, merged(self._scanned(text, "", 0, located)))
        except Exception:  # noqa: BLE001  `text` says what is wrong with it
            return None
        work = self.work(text, begin)
        return None if work is None else (found, work)

    def replaced(self, text: str, hits: Sequence[Hit]) -> str:
        """Return `text` with what takes the place of hits, which are in order and apart.

        Raises PrivacyError where that is much longer than the text.
        """
        return self._put(text, hits, self._tokens_of(text, hits))

    def _tokens_of(self, text: str, hits: Sequence[Hit]) -> list[list[str]]:
        """The pseudonyms of the values of each hit."""
        if self._size(hits) > EXPANSION * len(text) + ALLOWANCE:
            raise PrivacyError("expansion")
        return [[self.token(entity, value) for entity, value in hit.values] for hit in hits]

    def _put(self, text: str, hits: Sequence[Hit], tokens: list[list[str]]) -> str:
        if not hits:
            return self.literal(text)
        literal = str if self._trusted or "<" not in text else self.literal
        out: list[str] = []
        done = 0
        for hit, made in in_turns(zip(hits, tokens, strict=True)):
            out += (literal(text[done : hit.start]), hit.mark, *made)
            done = hit.end
        out.append(literal(text[done:]))
        return "".join(out)

    # --- what was done before -----------------------------------------------------------------

    def progress(self) -> tuple[int, int, int]:
        """How far the work on this Record is, for `work`."""
        return self._left, self.grown, sum(self.redactions.values())

    def work(self, text: str, since: tuple[int, int, int]) -> Work | None:
        """How much work a text has been `since` then; None where it may come out otherwise another
        time."""
        left, grown, redacted = since
        if redacted != sum(self.redactions.values()) or not self._is_all_there(text):
            return None
        return Work(left - self._left, self.grown - grown)

    def spares(self, work: Work) -> bool:
        """Count work that was done before; False where this Record has no room for it."""
        if work.characters > self._left:
            return False
        self._left -= work.characters
        self.grown += work.grown
        return True

    def _is_all_there(self, text: str) -> bool:
        """Whether the edit of a text depends on nothing else in the Record and tells all that
        changes: the text is within bounds, and there is no mark in it, ours or forged."""
        if len(text) > self._bounds.text:
            return False
        return self._trusted or "<" not in text or MARK.search(text) is None

    def _recalled(self, cache: Cache, text: str, hint: str) -> str:
        """Do to a text what was done to it before, or scrub it and keep that for the next time."""
        key = cache.key(text, hint, trusted=self._trusted)
        edit = cache.get(key)
        if edit is None or len(text) + edit.unpacked > self._left:
            return self._scrubbed(text, hint, None if edit else key)
        self._left -= len(text) + edit.unpacked
        return text if edit is NOTHING else self._edited(text, edit)

    def _keep(
        self,
        key: bytes,
        text: str,
        hits: Sequence[Hit],
        tokens: list[list[str]],
        before: tuple[int, int, int],
    ) -> None:
        """Put into the cache what was done to a text, unless some of it was left undone."""
        left, grown, redacted = before
        if self._cache is None or redacted != sum(self.redactions.values()):
            return
        unpacked = left - len(text) - self._left
        if not hits and not unpacked:
            self._cache.put(key, NOTHING)
            return
        is_linked = self._previous is not None or self._seal is not None
        places: list[int] = []
        marks: list[str] = []
        counts: dict[str, int] = {}
        links: list[Link] = []
        for hit, made in in_turns(zip(hits, tokens, strict=True)):
            places += (hit.start, hit.end)
            marks.append(hit.mark or (made[0] if len(made) == 1 else "".join(made)))
            for entity, _ in hit.values:
                counts[entity] = counts.get(entity, 0) + 1
            if is_linked:
                found = (self.continues, self.sealed)
                links += [Link(token, *(each.get(token, "") for each in found)) for token in made]
        grown = self.grown - grown
        self._cache.put(key, Edit.of(places, marks, counts, links, grown=grown, unpacked=unpacked))

    def _edited(self, text: str, edit: Edit) -> str:
        """Do to a text what was done to it before; the Record is told of it in the same way."""
        for entity, count in edit.pseudonyms:
            self.pseudonyms[entity] = self.pseudonyms.get(entity, 0) + count
        for link in edit.links:
            if self._previous is not None and self._has_room(self.continues, link.token):
                self.continues[link.token] = link.previous
            if self._seal is not None and self._has_room(self.sealed, link.token) and link.box:
                self.sealed[link.token] = link.box
        self.grown += edit.grown
        return edit.apply(text)

    # --- what is found ------------------------------------------------------------------------

    def _size(self, hits: Sequence[Hit]) -> int:
        """Characters of all that takes the place of hits."""
        each = _LETTERS_AND_MARKS + len(self._tokens.key.id)
        size = 0
        for hit in hits:
            size += len(hit.mark)
            if not hit.mark:
                for entity, _ in hit.values:
                    size += len(entity) + each
        return size

    def _encodable(self, text: str) -> str:
        """Surrogates paired where they are halves of a character, else replaced: UTF-8 has none."""
        try:
            text.encode()
        except UnicodeEncodeError:
            self._count("surrogates")
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def literal(self, text: str) -> str:
        """`text` as it is, except that no mark in it looks like one of ours."""
        if self._trusted or "<" not in text:
            return text
        out: list[str] = []
        done = 0
        for match in MARK_WHOLE.finditer(text) if self.own else ():
            if match[0] in self.own:
                out += (escape(text[done : match.start()]), match[0])
                done = match.end()
        escaped = "".join((*out, escape(text[done:])))
        self.grown += len(escaped) - len(text)
        return escaped

    def _find(self, text: str, hint: str, depth: int) -> list[Hit]:
        """What is to be replaced in `text`, in any order, overlaps included."""
        view = normalise(text)
        plain = text if view is None else view.text
        marks: list[tuple[int, int]] = []
        if "<" in plain:
            if self._trusted or self.own:
                found = MARK_WHOLE.finditer(plain)
                marks = [m.span() for m in found if self._trusted or m[0] in self.own]
            if not self._trusted:  # the scanner looks into no pseudonym: no forged one may be one
                genuine = {start for start, _ in marks}
                plain = MARK.sub(
                    lambda match: match[0] if match.start() in genuine else "(" + match[0][1:],
                    plain,
                )
        hits = self._scanned(plain, hint, depth)
        if "\n" in plain or ('"' in plain and ":" in plain):
            hits = self._fields(plain) + hits  # which go before what the words around say
        for other in (unescape(plain), unplus(plain), unprint(plain)):
            if other is not None:
                if depth >= self._bounds.depth:
                    raise PrivacyError("nesting")
                hits += back(other, self._find(other.text, hint, depth + 1))
        hits += self._blobs(plain, depth)
        if marks:
            hits = [hit for hit in in_turns(hits) if apart(hit, marks)]
        return hits if view is None else back(view, hits)

    def _scanned(
        self, text: str, hint: str, depth: int, located: Located | None = None
    ) -> list[Hit]:
        """What the scanner finds, also where something else was found right beside it."""
        hits = self._scan(text, hint, located)
        for _ in range(_MAX_GLUED if hits else 0):
            if not glued(text, hits):
                break
            rest = blanked(text, hits)
            more = self._scan(rest, "") + self._blobs(rest, depth)
            if not more:
                break
            hits += more
        return hits

    def _scan(self, text: str, hint: str, located: Located | None = None) -> list[Hit]:
        spans = self._scanner.scan(text, hint or None, located)
        return [
            Hit(span.start, span.end, ((span.entity, text[span.start : span.end]),))
            for span in (in_turns(spans) if spans else ())  # most texts have none
        ]

    def _fields(self, text: str) -> list[Hit]:
        """Values in a text of which a name says what they are: of a column of a table, of a JSON
        member, or in the member before it."""
        hits: list[Hit] = []
        fields: dict[str, int | None] = {}
        for name, start, end in in_turns(cells(text, self.is_key)):
            hits += self._named(text, fields, name, start, end)
        if '"' not in text or ":" not in text:
            return hits
        has_pairs = any(f'"{one}"' in text for one in NAMED)
        pairs = _pair.finditer(text) if has_pairs else ()
        for match in in_turns(chain(_member.finditer(text), pairs)):
            name, group = match["key"], "number" if match["text"] is None else "text"
            hits += self._named(text, fields, name, *match.span(group))
        return hits

    def _named(
        self, text: str, fields: dict[str, int | None], name: str, start: int, end: int
    ) -> list[Hit]:
        """What the value there is, in a field of that name; `fields` are those seen before."""
        if name not in fields:
            fields[name] = self._scanner.field(name)
        value = text[start:end]
        if not self._scanner.may_be(value, fields[name]):
            return []
        self._spend(_NAMED)
        return [
            Hit(
                start + span.start, start + span.end, ((span.entity, value[span.start : span.end]),)
            )
            for span in self._scanner.scan(value, name)
        ]

    def _blobs(self, text: str, depth: int) -> list[Hit]:
        if not may_hold(text):
            return []
        hits = []
        for blob in blobs(text, self._bounds.unpacked):
            if blob.content is None:
                run = text[blob.start : blob.end]
                letters = spelled(run.rpartition(",")[2])  # no comma is of any base64
                hits.append(Hit(blob.start, blob.end, (), self._mark(blob.kind, letters)))
                continue
            if depth >= self._bounds.depth:
                raise PrivacyError("nesting")
            self._spend(len(blob.content))
            held = merged(self._find(blob.content[: self._bounds.text], "", depth + 1))
            values = dict.fromkeys(value for hit in held for value in hit.values)
            if values:
                hits.append(Hit(blob.start, blob.end, tuple(values)[:16]))
            elif len(blob.content) > self._bounds.text:
                raise PrivacyError("nesting")
        return hits
