"""Answers → how far they are apart: one number a feature, each in a range of its own meaning.

A *signed* feature has a value in each answer, as its length; what is compared is who has more. A
*distance* is between two answers, 0 for the same and 1 for nothing in common. Personal data is
masked before anything is compared, so that surrogates make no difference.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from monitor import bodies
from monitor.errors import ParseError
from monitor.features.output_kind import kind
from monitor.finish_reasons import normal
from monitor.languages import language
from monitor.redrive.surrogates import masked
from monitor.types import Record

Encode = Callable[[str], list[float]]

MOST_TEXT, MOST_VALUES, MOST_WORDS = 20_000, 4096, 2000
"""So much of an answer is looked at."""
RELATIVE, ABSOLUTE = 1e-3, 1e-6
"""Numbers that differ by less are equal: another machine adds in another order."""
_NO_ANSWERS = ("error", "tool_call", "tool", "reasoning")
_VECTOR = 16


@dataclass(frozen=True)
class Feature:
    """What is compared. A contrast beyond `tolerance` matters; `words` says what it is of.

    `scale` makes a contrast a factor, `scale` ** contrast; without one it is a share or a distance.
    The tolerance is in contrasts, `margin` in what is shown: 0.02 for a share, 1.1 for a factor.
    """

    name: str
    words: str
    tolerance: float = 0.02
    scale: float = 0.0

    @property
    def margin(self) -> float:
        """The largest difference that does not matter: a share, or a factor where there is a
        `scale`.

        >>> FEATURES["exact"].margin, round(FEATURES["length"].margin, 2)
        (0.02, 1.07)
        """
        return self.scale**self.tolerance if self.scale else self.tolerance

    def within(self, size: float) -> Feature:
        """Return this feature with another margin: 0.1 is one answer of ten, or 10 % more.

        >>> round(FEATURES["length"].within(0.1).margin, 6), FEATURES["exact"].within(0.1).margin
        (1.1, 0.1)
        """
        tolerance = math.log(1 + size, self.scale) if self.scale else size
        return replace(self, tolerance=tolerance)

    def is_harmless(self, lower: float, upper: float) -> bool:
        """Whether no difference in an interval matters; its ends are factors where there is a
        `scale`.

        >>> FEATURES["exact"].is_harmless(-0.02, 0.01), FEATURES["exact"].is_harmless(-0.24, 0.24)
        (True, False)
        >>> FEATURES["length"].is_harmless(0.94, 1.07), FEATURES["length"].is_harmless(0.94, 1.08)
        (True, False)
        """
        most = self.margin
        return (1 / most if self.scale else -most) <= lower and upper <= most


SIGNED = (
    Feature("failed", "share of requests that fail", 0.01),
    Feature("length", "characters of an answer", 0.05, 4.0),
    Feature("tokens", "tokens of an answer", 0.05, 4.0),
    Feature("latency", "seconds of an answer", math.log(1.1, 4.0), 4.0),
    Feature("refusal", "share of refusals"),
    Feature("json", "share of answers that are JSON"),
    Feature("cut", "share of answers that reach the limit of tokens"),
    Feature("wording", "how well words tell the two apart", 0.1),
)
DISTANCES = (
    Feature("exact", "share of answers that differ at all"),
    Feature("words", "words that differ"),
    Feature("meaning", "distance of embeddings"),
    Feature("structure", "members of JSON, or columns, that differ"),
    Feature("values", "values in JSON, or in columns, that differ"),
    Feature("finish", "share of other reasons to end"),
    Feature("tools", "share of other tools that are called"),
    Feature("language", "share of other languages"),
)
FEATURES = {one.name: one for one in (*SIGNED, *DISTANCES)}


class Traits(msgspec.Struct, frozen=True):
    """What is compared of an answer. None is what it does not have."""

    ok: bool
    status: int | None
    outcome: str
    duration: float
    length: int | None = None
    tokens: int | None = None
    kind: str = ""
    finish: tuple[str, ...] = ()
    text: str = ""
    words: Mapping[str, int] = {}
    language: str = ""
    tools: tuple[str, ...] = ()
    values: Mapping[str, Any] | None = None
    vector: Any = None
    is_text: bool = True


def traits(record: Record, encode: Encode | None = None) -> Traits:
    """Return what is compared of the answer in a Record."""
    ok = record.is_accepted
    bare = Traits(ok, record.status, record.outcome.value, record.duration)
    if not ok:
        return bare
    said = [
        masked(part.text)
        for part in record.outputs
        if part.text is not None and part.role not in _NO_ANSWERS
    ]
    text = "\n".join(said)[:MOST_TEXT]
    columns = dict(_columns(record))
    found = kind(text) if said else ""
    values = columns or (_leaves(text) if found == "json" else None)
    return msgspec.structs.replace(
        bare,
        length=sum(map(len, said)) if said else None,
        tokens=None if record.tokens is None else record.tokens.output,
        kind=found,
        finish=tuple(sorted({normal(one) for one in record.finish_reasons})),
        text=text or (bodies.dump(columns)[:MOST_TEXT] if columns else ""),
        words=Counter(text.lower().split()[:MOST_WORDS]),
        language=language(text) if text else "",
        tools=tuple(sorted(_tools(record))),
        values=values,
        vector=_vector(record, text, encode),
        is_text=bool(said) or not columns,
    )


def _columns(record: Record) -> Iterator[tuple[str, Any]]:
    for place, part in enumerate(record.outputs):
        for index, value in enumerate((part.data or ())[:MOST_VALUES]):
            shown = masked(value) if isinstance(value, str) else value
            yield f"{part.name or place}[{index}]", shown


def _leaves(text: str) -> dict[str, Any]:
    """The scalars of a JSON text by their paths."""
    try:
        document = bodies.document(text.strip().strip("`").removeprefix("json").encode())
    except (ParseError, UnicodeEncodeError):
        return {}
    found: dict[str, Any] = {}
    waiting = [("", document)]
    while waiting and len(found) < MOST_VALUES:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{path}.{name}", one) for name, one in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{place}]", one) for place, one in enumerate(value)]
        else:
            found[path] = value
    return found


def _tools(record: Record) -> Iterator[str]:
    for part in record.outputs:
        if part.role == "tool_call" and part.text is not None:
            value = bodies.parsed(part.text)
            yield str(value.get("name")) if isinstance(value, dict) else ""


def _vector(record: Record, text: str, encode: Encode | None) -> Any:
    """Where an answer lies: its embedding, or what it is where it is one itself."""
    if encode is not None and text:
        return np.asarray(encode(text[:2000]))
    numbers = [part.data for part in record.outputs if part.data and len(part.data) >= _VECTOR]
    if len(numbers) == 1 and all(type(one) in (int, float) for one in numbers[0]):
        return np.asarray(numbers[0][:MOST_VALUES], np.float64)
    return None


# --- two answers ---------------------------------------------------------------------------------


def distances(one: Traits, other: Traits) -> dict[str, float]:
    """Return how far two good answers are apart, by the features of `DISTANCES` that both have."""
    found = {"exact": float(one.text != other.text or one.tools != other.tools)}
    if one.words or other.words:
        shared = sum(min(count, other.words.get(word, 0)) for word, count in one.words.items())
        total = sum(one.words.values()) + sum(other.words.values())
        found["words"] = 1 - 2 * shared / total
    if one.vector is not None and other.vector is not None:
        found["meaning"] = _cosine(one.vector, other.vector)
    if one.values is not None or other.values is not None:
        found |= _by_path(one.values or {}, other.values or {})
    if one.finish or other.finish:
        found["finish"] = float(one.finish != other.finish)
    if one.tools or other.tools:
        found["tools"] = float(one.tools != other.tools)
    if one.language and other.language:
        found["language"] = float(one.language != other.language)
    return found


def _cosine(one: Any, other: Any) -> float:
    if one.shape != other.shape:
        return 1.0
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    if not size or not math.isfinite(size):
        return float(not np.array_equal(one, other))
    return min(1.0, max(0.0, (1 - float(one @ other) / size) / 2))


def _by_path(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float]:
    """How many paths only one of them has, and how many values differ at those of both."""
    paths = one.keys() | other.keys()
    shared = one.keys() & other.keys()
    if not paths:
        return {"structure": 0.0, "values": 0.0}
    unlike = sum(not _equal(one[path], other[path]) for path in shared)
    return {
        "structure": 1 - len(shared) / len(paths),
        "values": unlike / len(shared) if shared else 1.0,
    }


def _equal(one: Any, other: Any) -> bool:
    numbers = (int, float)
    if type(one) in numbers and type(other) in numbers:
        return one == other or math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(one) is type(other) and bool(one == other)


def signs(one: Traits, other: Traits) -> dict[str, float]:
    """Return how much more of each signed feature `one` has than `other`, from -1 to 1.

    Of counts and times that is a logarithm: 1 is four times as much, or more.
    """
    found = {"failed": float(not one.ok) - float(not other.ok)}
    if not (one.ok and other.ok):
        return found
    found["latency"] = _logs(one.duration + 0.05, other.duration + 0.05)
    if one.length is not None and other.length is not None:
        found["length"] = _logs(one.length + 1, other.length + 1)
        for name, which in (("refusal", "refusal"), ("json", "json")):
            found[name] = float(one.kind == which) - float(other.kind == which)
    if one.tokens is not None and other.tokens is not None:
        found["tokens"] = _logs(one.tokens + 1, other.tokens + 1)
    if one.finish or other.finish:
        found["cut"] = float("length" in one.finish) - float("length" in other.finish)
    return found


def _logs(one: float, other: float) -> float:
    return min(1.0, max(-1.0, math.log(one / other, 4)))
