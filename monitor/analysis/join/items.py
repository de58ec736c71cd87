"""Feedback → Items, and the Items of one Record → what is known of it when its outcome is due.

Of several that say the same thing the one with the largest (`at`, `key`) holds, in whatever order
they came.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from monitor.analysis.join.predictions import LONGEST
from monitor.feedback import Feedback

LABEL = "label"
"""The name of the label that is the truth; one of another name is that where there is none."""
PASSED = "passed"
"""The event that a verdict is: 1 or 0."""


class Item(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """One thing that was said of an exchange.

    `names` are digests of what it names the exchange by, `came` is when it came to the store and
    `at` when it became known, in Unix seconds. An item that is in a file and has no time came in
    time (None). `name` is that of the label or event, or the reviewer. `by_id`: the first name is
    the id of a Record.
    """

    names: list[int]
    kind: str
    came: float | None
    at: float
    key: str
    name: str = ""
    value: str | float | dict[str, str] | None = None
    passed: bool | None = None
    weight: float = 1.0
    by_id: bool = False

    @property
    def rank(self) -> tuple[float, str, str]:
        """Of two that say the same thing, the larger holds; the last part settles ties."""
        return self.at, self.key, repr((self.value, self.passed))


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Item).decode


class Known(NamedTuple):
    """What feedback says of one exchange, as in `types.Truth`."""

    label: str | float | None
    weight: float
    events: dict[str, float]
    rating: float | None
    attributes: dict[str, str]
    correction: str | None = None
    verdicts: tuple[bool, bool] | None = None


UNKNOWN = Known(None, 1.0, {}, None, {})


def digest(which: str, value: str) -> int:
    """A name of an exchange in 64 bits: `which` is id, trace_id, response_id, or business.KEY."""
    spelled = f"{which}\0{value}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(spelled, digest_size=8).digest(), "big")


def item_of(said: Feedback, came: float | None, entry: str) -> Item:
    """One thing that was said, which came to the store at `came`; `entry` stands for its key where
    it has none."""
    which, value = said.subject
    names = [digest(which, value)]
    before = value
    for new, old in said.continues.items():
        before = before.replace(new, old)
    if before != value:  # the record may be older than the key
        names.append(digest(which, before))
    kind = said.kind
    name, passed = "", None
    worth: str | float | dict[str, str] | None = None
    if kind == LABEL:
        name, worth = said.name or LABEL, _label(said.label)
    elif kind == "attributes":
        worth = said.attributes
    elif kind == "correction":
        worth = _label(said.correction)
    elif kind == "rating":
        worth = said.rating
    elif kind == "event":
        name, worth = said.event or "", 1.0 if said.value is None else said.value
    elif said.verdict is not None:
        name, passed = said.verdict.reviewer, said.verdict.passed
        worth = _label(said.verdict.label)
    at = said.at if said.at is not None else came
    key = said.key or entry
    at = 0.0 if at is None else float(at)
    return Item(
        names, kind, came, at, key, name, worth, passed, 1 / said.propensity, by_id=which == "id"
    )  # fmt: skip


def _label(value: str | float | bool | None) -> str | float | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip()[:LONGEST]
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 63 else None
    return value


def known(items: Sequence[Item], prediction: str | float | None) -> Known:
    """What items say together, in whatever order they stand."""
    if not items:
        return UNKNOWN
    label, weight = _truth(items)
    correction = None
    if label is None:
        label, correction, weight = _corrected(items, prediction)
    events: dict[str, float] = {}
    attributes: dict[str, str] = {}
    for one in _ranked(items, "event"):
        if isinstance(one.value, int | float):
            events[one.name] = float(one.value)
    verdicts = _ranked(items, "verdict")
    if verdicts:
        events[PASSED] = float(bool(verdicts[-1].passed))
    for one in _ranked(items, "attributes"):
        if isinstance(one.value, dict):
            attributes |= one.value
    rating = None
    for one in _ranked(items, "rating"):
        rating = float(one.value) if isinstance(one.value, int | float) else rating
    return Known(
        label, weight, dict(sorted(events.items())), rating, _sorted(attributes), correction,
        _first_two(verdicts),
    )  # fmt: skip


def _first_two(verdicts: Sequence[Item]) -> tuple[bool, bool] | None:
    """What the first two people said of it first; None where fewer said anything."""
    first: dict[str, bool] = {}
    for one in verdicts:
        first.setdefault(one.name, bool(one.passed))
    several = list(first.values())
    return (several[0], several[1]) if len(several) > 1 else None


def _truth(items: Sequence[Item]) -> tuple[str | float | None, float]:
    """What was true, and how many labels that stands for: what somebody labelled."""
    labels = _ranked(items, "label")
    named = [one for one in labels if one.name == LABEL] or labels
    for one in named[-1:]:
        if isinstance(one.value, str | int | float):
            return one.value, one.weight
    return None, 1.0


def _corrected(
    items: Sequence[Item], prediction: str | float | None
) -> tuple[str | float | None, str | None, float]:
    """(label, correction, how many labels that stands for) of what nobody has labelled: the answer
    as it should have been, of a number the number, else what a reviewer says."""
    for one in _ranked(items, "correction")[-1:]:
        text = str(one.value)
        if isinstance(prediction, float) and (number := _as_number(text)) is not None:
            return number, None, one.weight
        return None, text, one.weight
    for one in reversed(_ranked(items, "verdict")):
        if isinstance(one.value, str | int | float):
            return one.value, None, one.weight
        if one.passed:
            return prediction, None, one.weight
    return None, None, 1.0


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _ranked(items: Iterable[Item], kind: str) -> list[Item]:
    return sorted((one for one in items if one.kind == kind), key=lambda one: one.rank)


def _sorted(values: dict[str, str]) -> dict[str, str]:
    return dict(sorted(values.items()))
