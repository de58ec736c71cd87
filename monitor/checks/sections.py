"""An answer has the headings that it should have, in their order."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec

from monitor.interfaces import Check
from monitor.types import Part, Verdict
from monitor.view import WRITING, View

Heading = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]

_LOOK = 100_000
"""Characters of an answer that are looked at."""
_MOST = 200
"""Headings of an answer that are looked at: a name may come several times."""
_NO_END = frozenset(("length", "incomplete", "filter", "refusal", "error", "pause"))
_AROUND = " \t>#*_|.—–-•"
"""What may stand around a heading on its line."""
_LEAD = 24
"""So many characters of it at most before the heading."""
_NUMBER = re.compile(r"\(?(?:[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}|[ivx]{1,5}|[a-z])[.)]?[ \t*_]{0,4}")
_AFTER = re.compile(r"[ \t*_#|.—–-]{0,24}(?:[:：]|\r?\n|\Z)")
_FENCED = re.compile(
    r"^[ \t]{0,3}(?:```|~~~).*?(?:^[ \t]{0,3}(?:```|~~~)|\Z)", re.DOTALL | re.MULTILINE
)


class Thresholds(msgspec.Struct, frozen=True):
    """The headings that are `required`, in their order. Case does not matter."""

    required: Annotated[list[Heading], msgspec.Meta(max_length=50)] = []


def look(view: View, thresholds: Thresholds) -> Verdict | None:
    """Whether each answer has all of them in this order, outside code. Others may stand between.
    What was cut off, refused or replaced whole cannot be judged."""
    required = [one.strip(_AROUND + ":：").casefold() for one in thresholds.required]
    if not required or view.operation not in WRITING or view.calls_tools or not view.answers:
        return None
    if view.outputs_hidden or view.redactions or not _NO_END.isdisjoint(view.finish):
        return None
    if view.refuses:
        return None
    texts = view.answers
    if len(texts) != len(view.finish):
        texts = ["\n".join(texts)]  # blocks of one answer, not several answers
    wrong = sum(len(required) - _in_order(required, _headings(one, required)) for one in texts)
    return Verdict(not wrong, wrong, len(required) * len(texts))


def _headings(text: str, required: list[str]) -> list[str]:
    """The required headings that stand in a text, as often as they do: alone on a line, or before
    a colon at its beginning."""
    text = text[:_LOOK]
    if "```" in text or "~~~" in text:
        text = _FENCED.sub("", text)
    text = text.lower() if text.isascii() else text.casefold()
    found: list[tuple[int, int, str]] = []
    for name in required:
        place = text.find(name)
        for _ in range(_MOST):
            if place < 0:
                break
            end = place + len(name)
            if _AFTER.match(text, end) and _begins_line(text[max(0, place - _LEAD) : place], place):
                found.append((place, -end, name))
            place = text.find(name, end)
    return [name for _, _, name in sorted(found)[:_MOST]]


def _begins_line(before: str, place: int) -> bool:
    """Whether between the beginning of its line and a heading stands what may stand there."""
    _, line_end, before = before.rpartition("\n")
    if not line_end and place > _LEAD:
        return False
    before = before.strip(_AROUND)
    return not before or _NUMBER.fullmatch(before) is not None


def _in_order(required: list[str], found: list[str]) -> int:
    """How many of the required stand in this order among those found: the longest common
    subsequence (Wagner and Fischer 1974)."""
    if found == required:
        return len(required)
    row = [0] * (len(required) + 1)
    for name in found:
        before = 0
        for place, wanted in enumerate(required, 1):
            above = row[place]
            row[place] = before + 1 if name == wanted else max(above, row[place - 1])
            before = above
    return row[-1]


def complaint(thresholds: Thresholds) -> str:
    """Without a heading nothing is looked at."""
    if not thresholds.required:
        return "required: name the headings, as [Findings, Impression]"
    if not all(one.strip(_AROUND + ":：") for one in thresholds.required):
        return "required: a heading has a letter"
    return ""


def _answer(*texts: str, **more: Any) -> View:
    outputs = [Part(role="assistant", text=text) for text in texts]
    return msgspec.structs.replace(View(outputs=outputs, finish=["stop"]), **more)


_REPORT = "## Findings\nThe lungs are clear.\n\n## Impression\nNo acute disease."

CHECK = Check(
    "sections",
    lambda given: (
        f"whether an answer has the headings {', '.join(given.required) or '(none)'}, in this order"
    ),
    look,
    Thresholds(),
    passing=(
        _answer(_REPORT),
        _answer("**Findings:** The lungs are clear.\n**Impression:** No acute disease."),
        _answer("FINDINGS\n\nThe lungs are clear.\n\nIMPRESSION:\n\nNo acute disease."),
        _answer("1. Findings\nClear.\n2. Comparison\nNone.\n3) Impression\nNo acute disease."),
        _answer("### **I. Findings**\nClear.\n### **II. Impression**\nNone."),
        _answer("Contents: see below\nImpression\n" + _REPORT),
        _answer("## Findings\nClear.", "## Impression\nNone."),
    ),
    failing=(
        _answer("The lungs are clear."),
        _answer("## Findings\nThe lungs are clear."),
        _answer("## Impression\nNone.\n\n## Findings\nClear."),
        _answer("Findings show clear lungs. The impression is that of health."),
        _answer("## Findings\nClear.\n```\n## Impression\n```"),
        _answer(_REPORT, "## Findings\nClear.", finish=["stop", "stop"]),
    ),
    skipped=(
        _answer("## Findings\nThe lungs are", finish=["length"]),
        _answer("## Findings\nThe lungs are", outputs_cut=True),
        _answer("I'm sorry, but I can't help with that."),
        _answer(""),
        _answer("## Findings", is_accepted=False),
        _answer("## Findings", operation="infer"),
        View(outputs=[Part(role="tool_call", text='{"name":"find","arguments":{}}')]),
    ),
    complaint=complaint,
    tried=Thresholds(["Findings", "Impression"]),
)
