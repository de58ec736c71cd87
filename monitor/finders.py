"""Ways to look closer where a trigger fired: the `find` of a recognizer from expressions.

Recognizers alone use it. It stands beside their room, whose files do not know each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from monitor.interfaces import Recognizer
from monitor.lazy import lazy

Find = Callable[[str, Sequence[int]], Iterable[tuple[int, int]]]

_DIGIT = lazy(r"[0-9]")
_ASIDE = lazy(r"[,;!?]")
_STOP = lazy(r"[,.;:!?\n]")
_LONGEST = 32
"""Characters, more than any value has."""
_LETTERS = 16
"""Of a value, more than stand before its first digit."""
_LIST = lazy(r"(?:[\s,;/|&]|\b(?:and|or|und|oder|och|og|et|ou|y|e|i)\b){0,6}")
"""What may stand between two values of which the word speaks of the first."""


def anchored(pattern: str, valid: Callable[[str], bool] | None = None) -> Find:
    """A finder whose expression must match where the trigger began; its value is the group
    `value`, or all of the match. Expressions look at case; write `(?i)` where they should not."""
    expression = lazy(pattern)
    group = "value" if "(?P<value>" in pattern else 0

    def find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
        done = 0
        for start in starts:
            if start < done:
                continue
            match = expression.match(text, start)
            if match and (valid is None or valid(match[group])):
                done = match.end(group)
                yield match.span(group)

    return find


def beside(
    words: str, value: str, valid: Callable[[str], bool] | None = None, *, reach: int = 40
) -> Find:
    """A finder for values that count only near a word: at most `reach` characters after it, and
    those in a list with it, else before it; without `valid`, with nothing else between. `words`
    and `value` are expressions; the trigger is `words`, and every value holds a digit."""
    word = lazy(words, re.IGNORECASE)
    expression = lazy(value)
    one = anchored(value, valid)

    def find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
        near = _Near(text, expression, valid, reach)
        done = 0
        for start in starts:
            match = word.match(text, start) if start >= done else None
            hit = (near.after(match.end()) or near.before(start, done)) if match else None
            while hit:
                done = hit[1]
                yield hit
                gap = _LIST.match(text, done)
                hit = next(iter(one(text, [gap.end()])), None) if gap and gap[0] else None

    return find


class _Near:
    """The values near one word of a text after the other; remembers where none are, so that many
    words do not look at the same place."""

    def __init__(
        self,
        text: str,
        expression: re.Pattern[str],
        valid: Callable[[str], bool] | None,
        reach: int,
    ) -> None:
        self._text = text
        self._expression = expression
        self._valid = valid
        self._reach = reach
        self._bare = self._bare_to = 0  # no value begins between these two

    def after(self, end: int) -> tuple[int, int] | None:
        """The first value after a word that ends at `end`."""
        hit = next(self._look(end, end + self._reach + _LONGEST), None)
        if hit is None:
            if not self._bare <= end <= self._bare_to:
                self._bare = end
            self._bare_to = end + self._reach
        if hit is None or hit[0] > end + self._reach:
            return None
        return hit if self._valid or not _ASIDE.search(self._text, end, hit[0]) else None

    def before(self, start: int, done: int) -> tuple[int, int] | None:
        """The last value before a word at `start`, but not before `done`."""
        found = None
        for span in self._look(max(done, start - self._reach - _LONGEST), start + 1):
            is_near = start - self._reach <= span[1] <= start
            if is_near and (self._valid or _joined(self._text[span[1] : start])):
                found = span
        return found

    def _look(self, begin: int, limit: int) -> Iterator[tuple[int, int]]:
        """The values of a window, which end within it."""
        text, valid = self._text, self._valid
        begin = self._bare_to if self._bare <= begin < self._bare_to else begin
        stop = min(limit, len(text))
        digit = _DIGIT.search(text, begin, stop)
        if digit is None:
            return
        for match in self._expression.finditer(text, max(begin, digit.start() - _LETTERS), stop):
            cut = match.end() == stop < len(text)  # what follows was not seen
            if not cut and (valid is None or valid(match.group())):
                yield match.span()


def _joined(between: str) -> bool:
    """Whether a value and the word after it belong together."""
    return len(between) <= 16 and not _STOP.search(between)


def grouped(*sizes: int) -> str:
    """An expression for digits in groups of these sizes, with at most two separators between.

    >>> re.fullmatch(grouped(3, 3), "123-456") is not None
    True
    """
    return r"[-. /]{0,2}".join(rf"\d{{{size}}}" for size in sizes)


def identifier(
    *,
    name: str,
    entity: str,
    words: str,
    form: str,
    keys: set[str],
    examples: tuple[str, ...],
    counterexamples: tuple[str, ...],
    valid: Callable[[str], bool] | None = None,
    alone: tuple[str, str] | None = None,
    lead: int = 0,
    triggers: tuple[str, ...] = (),
    reach: int = 40,
    default: bool = True,
) -> Recognizer:
    """The recognizer of a number that a word names: `form` near `words`, if `valid` says so of its
    canonical form, its letters and digits.

    A `\\b` in `words` stands at an underscore too. `alone`, a trigger and the expression that
    belongs to it, is a way to write the number that needs no word; the trigger may leave out its
    first `lead` characters. `triggers` are more ways to see the words where their script is none
    that a trigger can read.
    """
    words = words.replace(r"\b", r"(?:\b|_)")

    def check(value: str) -> bool:
        return valid is None or valid(alphanumeric(value))

    edged = rf"(?a)(?<![A-Za-z0-9])(?:{form})(?![A-Za-z0-9])"
    near = beside(words, edged, valid and check, reach=reach)
    find = near
    if alone is not None:
        by_itself = anchored(
            rf"(?a)(?<![A-Za-z0-9])(?<!\d[-./])(?:{alone[1]})(?![A-Za-z0-9]|[-./]\d)", check
        )

        def find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
            done = 0
            firsts = [start - lead for start in starts if start >= lead] if lead else starts
            for start, end in sorted({*near(text, starts), *by_itself(text, firsts)}):
                if start >= done:
                    done = end
                    yield start, end

    whole = lazy(rf"(?a)(?:{form})")
    return Recognizer(
        name=name,
        entity=entity,
        triggers=(words, *triggers, *(() if alone is None else alone[:1])),
        find=find,
        canonical=alphanumeric,
        examples=examples,
        counterexamples=counterexamples,
        keys=frozenset(keys),
        plausible=lambda text: whole.fullmatch(text.strip()) is not None,
        default=default,
    )


Named = tuple[int, int, str]
"""Where a value begins and ends, and what it is."""


def of_message(
    *,
    name: str,
    triggers: tuple[str, ...],
    read: Callable[[str, Sequence[int]], Iterable[Named]],
    examples: Mapping[str, tuple[str, ...]],
    counterexamples: tuple[str, ...],
) -> tuple[Recognizer, ...]:
    """The recognizers of a format whose fields hold values of several entities: one for each of
    which there are examples. They are ranked behind those that know the values themselves, which
    say what their canonical form is."""
    return tuple(
        Recognizer(
            name=f"{name}_{entity.lower()}",
            entity=entity,
            triggers=triggers,
            find=read,
            canonical=alphanumeric,
            examples=shown,
            counterexamples=counterexamples,
        )
        for entity, shown in examples.items()
    )


_PIECE = lazy(r"[A-Za-z0-9]+")
_WORDS = lazy(
    r"(?:[A-Z]?[a-z]{1,20}(?:[A-Z][a-z]{3,20}){0,3}|[A-Z]{1,9})\d{0,4}(?:(?<=\d)[a-z]{3,20})?|\d{1,8}"
)
_TURN = lazy(r"[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])")


def is_slug(value: str) -> bool:
    """Whether words and small numbers make up a value, as in the name of a file. A key has
    a piece of six characters that is no word, or changes case and kind more often than words do.

    >>> is_slug("task-list-for-resnet50-2026"), is_slug("Abc-9xK2_mQ7vT1"), is_slug("a1b2c3d4e5f6")
    (True, False, False)
    """
    if any(len(piece) >= 6 and not _WORDS.fullmatch(piece) for piece in _PIECE.findall(value)):
        return False
    return len(_TURN.findall(value)) < 4


_SEPARATORS = lazy(r"[\W_]+")
_ASCII_SEPARATORS = bytes(code for code in range(128) if not chr(code).isalnum())


def alphanumeric(value: str) -> str:
    """Upper-case letters and digits only: the canonical form of most identifiers.

    >>> alphanumeric("de89 3704-0044")
    'DE8937040044'
    """
    if value.isascii():  # as nearly always
        return value.encode().translate(None, _ASCII_SEPARATORS).decode().upper()
    return _SEPARATORS.sub("", value).upper()
