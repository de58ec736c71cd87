"""An answer is in the language of the question. The rule is that of `other_language`."""

from __future__ import annotations

from monitor.edge_cases import other_language
from monitor.edge_cases.other_language import Thresholds
from monitor.interfaces import Check
from monitor.types import Part, Verdict
from monitor.view import View

_RULE = other_language.EDGE_CASE


def look(view: View, thresholds: Thresholds) -> Verdict | None:
    """Whether both are clearly of one language each, and of the same. Who asks for another
    language, or for a translation, may have it."""
    is_other = other_language.is_other(view, thresholds)
    return None if is_other is None else Verdict(not is_other, int(is_other), 1)


_TEXT = (
    "My parcel has not arrived and I would like to know where it is, because the shop has told me "
    "that it was sent on Monday and that I am to have it by now."
)

CHECK = Check(
    "language",
    lambda given: (
        f"whether an answer of {given.words} words or more is in the language of the question"
    ),
    look,
    Thresholds(),
    passing=(
        View(inputs=[Part(role="user", text=_TEXT)], outputs=[Part(role="assistant", text=_TEXT)]),
    ),
    failing=_RULE.examples,
    skipped=tuple(
        view for view in _RULE.near_misses if other_language.is_other(view, Thresholds()) is None
    ),
)
