"""Sources that an answer cites are among those that it was given.

Whether a source exists in the world is not looked up: that it was not given is what is seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from monitor.answers import citations
from monitor.answers.citations import Citation
from monitor.answers.grounds import grounds
from monitor.interfaces import Check
from monitor.types import Part, Verdict
from monitor.view import View


class Thresholds(msgspec.Struct, frozen=True):
    """With `required` an answer of at least `words` words fails where it cites nothing, though
    what it was given has numbered sources. That has at least `context` characters, or results of
    tools."""

    required: bool = False
    words: Annotated[int, msgspec.Meta(ge=1)] = 40
    context: Annotated[int, msgspec.Meta(ge=0)] = 400


def look(view: View, thresholds: Thresholds) -> Verdict | None:
    """Count the sources that the answers cite, and those that were not given."""
    answers = view.marked_answers
    cited = [one for answer in answers for one in citations.citations(answer)]
    if not cited and not thresholds.required:
        return None
    texts = grounds(view, thresholds.context)
    if not texts:
        return None
    known = _Known(texts, answers)
    found = {one: known.holds(one) for one in cited}
    judged = [held for held in found.values() if held is not None]
    if judged:
        return Verdict(all(judged), judged.count(False), len(judged))
    is_due = thresholds.required and not cited and known.numbers
    if is_due and sum(len(answer.split()) for answer in answers) >= thresholds.words:
        return Verdict(False, 1, 1)
    return None


class _Known:
    """The sources in some texts; what an answer lists itself counts among its numbers."""

    def __init__(self, texts: Sequence[str], answers: Sequence[str]) -> None:
        self._texts = texts
        self.numbers = set().union(*map(citations.numbered, texts))
        self._own = set().union(*map(citations.defined, answers))
        self._lower: list[str] | None = None
        self._addresses: set[str] | None = None

    def holds(self, one: Citation) -> bool | None:
        """Whether a source was given; None where that cannot be told."""
        if one.kind == "number":
            number = int(one.source)
            if not self.numbers or (number in self._own and number not in self.numbers):
                return None
            return number in self.numbers
        if one.kind == "author":
            return self._holds_author(*one.source.rsplit(" ", 1))
        if one.kind == "url":
            return self._holds_address(one.source)
        return any(one.source in text for text in self._in_lower_case())

    def _in_lower_case(self) -> list[str]:
        if self._lower is None:
            self._lower = [text.lower() for text in self._texts]
        return self._lower

    def _holds_author(self, name: str, year: str) -> bool | None:
        """Whether name and year stand in a text; None where the texts cite no authors at all."""
        texts = self._in_lower_case()
        if not any(_CITES.search(text) for text in self._texts):
            return None
        return any(year in text and re.search(rf"\b{re.escape(name)}\b", text) for text in texts)

    def _holds_address(self, source: str) -> bool | None:
        """Whether a page, or one below it, was given; None where no page was."""
        if self._addresses is None:
            self._addresses = {one for text in self._texts for one in citations.addresses(text)}
        given = self._addresses
        if source.startswith(_IDENTIFIED):
            return None  # what it names is looked for by its own form
        if not given:
            return None
        below = f"{source}/"
        return source in given or any(one.startswith(below) for one in given)


_IDENTIFIED = ("doi.org/", "dx.doi.org/", "arxiv.org/", "pubmed.ncbi.nlm.nih.gov/")
_CITES = re.compile(
    r"\bet al\b|\b(?:18|19|20)\d\d[a-z]?\)|[A-Z][a-zà-ÿ]{2,20}(?:, [A-Z]\.?)* \(?(?:19|20)\d\d"
)


def _talk(context: str, answer: str, question: str = "What is known of it?") -> View:
    return View(
        inputs=[Part(role="tool", text=context), Part(role="user", text=question)],
        outputs=[Part(role="assistant", text=answer)],
    )


_PAGES = (
    "[1] Reed beds clean water of nitrate (Novak et al., 2018), doi:10.5555/reed.18. "
    "https://wetlands.example/reeds/nitrate\n"
    "[2] Sedge stores more carbon than reed (Ilves and Tamm, 2021). arXiv:2103.01234\n"
    "[3] Beavers raise the water level by 30 cm. PMID: 31234567"
)

CHECK = Check(
    "citation",
    lambda given: (
        "whether the sources that an answer cites are among those it was given"
        + (f"; one of {given.words} words or more cites some" if given.required else "")
    ),
    look,
    Thresholds(),
    is_dear=True,
    passing=(
        _talk(_PAGES, "Reed cleans water [1], sedge stores carbon [2, 3]."),
        _talk(_PAGES, "Reed cleans water (Novak et al., 2018) and 【2†sedge】 stores carbon."),
        _talk(_PAGES, "See https://www.wetlands.example/reeds/nitrate/#top and 10.5555/REED.18."),
        _talk(_PAGES, "As PMID 31234567 and https://arxiv.org/abs/2103.01234 say (Source 3)."),
    ),
    failing=(
        _talk(_PAGES, "Reed cleans water [1], and frogs like it [4]."),
        _talk(_PAGES, "Reed cleans water (Novak et al., 2016)."),
        _talk(_PAGES, "See https://wetlands.example/frogs and doi:10.5555/frog.20."),
        _talk(_PAGES, "As arXiv:2103.99999 shows."),
    ),
    skipped=(
        _talk(_PAGES, "Reed cleans water, and sedge stores carbon."),
        _talk(_PAGES, "```python\nx = values[7]\n```\nHere `values[8]` is next."),
        _talk(_PAGES.replace("[", "(").replace("]", ")"), "Take x[5] of the list."),
        View(outputs=[Part(role="assistant", text="As known since long [9].")]),
    ),
)
