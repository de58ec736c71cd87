"""The exchange is full of personal data, all of it replaced."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.view import View


class Thresholds(msgspec.Struct, frozen=True):
    """The least `count` of values that were replaced by pseudonyms."""

    count: Annotated[int, msgspec.Meta(ge=1)] = 10


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether so many values of both sides were replaced; a value counts as often as it comes."""
    return sum(view.pseudonyms.values()) >= thresholds.count


EDGE_CASE = EdgeCase(
    "many_pseudonyms",
    lambda given: f"at least {given.count} values replaced by pseudonyms",
    holds,
    Thresholds(),
    examples=(
        View(pseudonyms={"EMAIL_ADDRESS": 10}),
        View(pseudonyms={"EMAIL_ADDRESS": 4, "PHONE_NUMBER": 7}),
    ),
    near_misses=(View(pseudonyms={"EMAIL_ADDRESS": 5, "PHONE_NUMBER": 4}), View()),
)
