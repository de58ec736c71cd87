"""An answer agrees with itself: totals with rows, shares with the whole, sums with terms; and with
the last answer to the same request."""

from __future__ import annotations

from typing import Any

from monitor.answers.gist import gist
from monitor.answers.totals import sums
from monitor.interfaces import Check
from monitor.types import Part, Verdict
from monitor.view import View

_CUT = frozenset(("length", "incomplete"))


def look(view: View, _: Any) -> Verdict | None:
    """Count the sums in the answers that can be done again, and those that are wrong; and whether
    the same was answered before. Of an answer that was cut off, or is not all here, rows may
    be missing."""
    if view.outputs_hidden or not _CUT.isdisjoint(view.finish):
        return None
    found = [right for answer in view.answers for right in sums(answer)]
    if view.answered_before and (now := gist(view.marked_answers[0])):
        found.append(now == view.answered_before)
    if not found:
        return None
    wrong = found.count(False)
    return Verdict(not wrong, wrong, len(found))


def _answer(text: str, before: str = "", **more: Any) -> View:
    said = [Part(role="assistant", text=text)]
    return View(outputs=said, answered_before=gist(before), **more)


_TABLE = "| Item | Price |\n|---|---|\n| Pears | $3.50 |\n| Plums | $4.25 |\n"

CHECK = Check(
    "consistency",
    lambda _: (
        "whether totals are those of their rows, shares of a whole make 100%, sums are right, and "
        "an equal request got the same answer before"
    ),
    look,
    is_dear=True,
    passing=(
        _answer(_TABLE + "| Total | $7.75 |"),
        _answer("The split is:\n- rent: 50%\n- food: 30%\n- the rest: 20%"),
        _answer("Answer: 12", before="Answer: **12**."),
        _answer("You pay 3 × $20 = $60, so 1/3 = 0.33 of it is $20."),
    ),
    failing=(
        _answer(_TABLE + "| Total | $8.75 |"),
        _answer("The split is:\n- rent: 50%\n- food: 30%\n- travel: 25%"),
        _answer("You pay 3 × $20 = $80."),
        _answer('{"label": "spam", "score": 3}', before='{"score": 2, "label": "spam"}'),
    ),
    skipped=(
        _answer("It may well be so, or it may not.", before="No."),
        _answer("Set x = 5, then take 3 - 1 steps."),
        _answer(_TABLE),
        _answer("The split is:\n- rent: 50%\n- food: 30%\n- travel: 10%", finish=["length"]),
        _answer("The split is:\n- rent: 50%\n- food: 30%\n- travel: 10%", outputs_cut=True),
        _answer(_TABLE + "| Total | $8.75 |", outputs_withheld=["assistant"]),
        _answer("Growth by region:\n- north: 50%\n- south: 30%\n- west: 25%"),
        _answer("```python\nassert 2 + 2 == 5\nx = 2 + 2 = 5\n```"),
    ),
)  # fmt: skip
