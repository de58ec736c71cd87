"""What an answer quotes word for word stands in what it was given."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.answers.citations import prose
from monitor.answers.grounds import grounds
from monitor.answers.quotes import folded, quotes
from monitor.interfaces import Check
from monitor.languages import sure
from monitor.types import Part, Verdict
from monitor.view import View

_MARKS = '"“”„«»「'


class Thresholds(msgspec.Struct, frozen=True):
    """Quotes of at least `words` words are looked for in what was given, if that has at least
    `context` characters, or results of tools."""

    words: Annotated[int, msgspec.Meta(ge=4)] = 6
    context: Annotated[int, msgspec.Meta(ge=0)] = 400


def look(view: View, thresholds: Thresholds) -> Verdict | None:
    """Count the quotes of the answers, and those that were not given."""
    answers = [prose(one) for one in view.marked_answers if any(map(one.__contains__, _MARKS))]
    found = [runs for answer in answers for runs in quotes(answer, thresholds.words)]
    if not found:
        return None
    texts = grounds(view, thresholds.context)
    if not texts or _in_other_words(max(texts, key=len), answers[0]):
        return None
    least = min(max(map(len, runs)) for runs in found)
    given = [folded(text) for text in texts if len(text) + 2 >= least or not text.isascii()]
    missing = sum(not _stands(runs, given) for runs in found)
    return Verdict(not missing, missing, len(found))


def _stands(runs: list[str], given: list[str]) -> bool:
    """Whether one text holds all runs of a quote."""
    return any(all(run in text for run in runs) for text in given)


def _in_other_words(given: str, answer: str) -> bool:
    """Whether an answer is in another language: what it quotes it has translated."""
    asked, said = sure(given), sure(answer)
    return bool(asked and said and asked != said)


def _talk(context: str, answer: str) -> View:
    return View(
        inputs=[Part(role="system", text=context), Part(role="user", text="What does it say?")],
        outputs=[Part(role="assistant", text=answer)],
    )


_LEASE = (
    "Lease of a garden. § 1 The owner lets the garden behind the mill for five years. "
    "§ 2 The tenant waters the pear trees at least twice a week from May to September. § 3 The "
    "tenant must not fell, cut back or graft a tree without the owner’s written consent. § 4 Fruit "
    "belongs to the tenant — except for the pears of the two old trees by the gate. § 5 Either "
    "side may end the lease with three months’ notice to the end of a calendar year. § 6 Bees may "
    "be kept."
)

CHECK = Check(
    "quote",
    lambda given: (
        f"whether each quote of {given.words} words or more stands in what the answer was given"
    ),
    look,
    Thresholds(),
    is_dear=True,
    passing=(
        _talk(_LEASE, 'It says "the tenant waters the pear trees at least twice a week".'),
        _talk(_LEASE, "“Fruit belongs to the tenant - except for the pears of the two old trees.”"),
        _talk(_LEASE, "“The tenant must not fell … a tree without the owner's written consent.”"),
        _talk(_LEASE, "“Either side may end the lease with\n*three months’ notice*”, says § 5."),
    ),
    failing=(
        _talk(_LEASE, 'It says "the tenant waters the pear trees at least once a week".'),
        _talk(_LEASE, "“All disputes are settled by the court of the owner’s home town.”"),
        _talk(_LEASE, "„Fruit belongs to the owner except for the pears of the old trees“"),
    ),
    skipped=(
        _talk(_LEASE, "The “written consent” of the owner is needed."),
        _talk(_LEASE, 'You could write: "Dear owner, I would like to keep some bees here."'),
        _talk("You are brief.", "“All happy families are alike in a way”, he wrote."),
        _talk(_LEASE, "Der Vertrag sagt: „Der Pächter gießt die Birnbäume von Mai an, und "
              "das ist zweimal in der Woche mit dem Wasser, das er von der Mühle hat.“"),
    ),
)  # fmt: skip
