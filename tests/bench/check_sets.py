"""Answers with what a person says of them: text files → Views and labels.

A block begins with `== DOMAIN [tool]` and the text that the answers were given: with `tool` it is
the result of a tool, else it stands in the system's message; without any there is none. `?` is the
question. Each line after it is an answer behind its labels: a letter for a check (`MARKS`) and `-`
where a person says that something is wrong in that respect, or `+` where it was looked at and is
right. An answer without that letter, or with `.` alone, has nothing of the kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from monitor.types import Part
from monitor.view import View

MARKS = {"n": "unsupported_number", "c": "citation", "q": "quote", "k": "consistency"}
FILES = {
    "first": "answers_first.txt",
    "second": "answers_second.txt",
    "third": "answers_third.txt",
    "fourth": "answers_fourth.txt",
    "fifth": "answers_fifth.txt",
}
"""The first part was written before anything was tuned, and each of the others after all had been
tuned on those before it; on the fifth nothing was tuned."""

_LABELS = re.compile(r"(?P<labels>\.|(?:[a-z][+-])+) (?P<text>.*)")


class Answer(NamedTuple):
    """An answer as the recorder sees it, and what a person says: check → whether it is right."""

    half: str
    domain: str
    place: str
    view: View
    labels: dict[str, bool]


def answers() -> Iterator[Answer]:
    """Yield all labelled answers, in the order in which they stand in the files."""
    for half, file in FILES.items():
        path = Path(__file__).parent / file
        if path.exists():
            yield from _answers(half, path)


def _answers(half: str, path: Path) -> Iterator[Answer]:
    domain, given, asked, is_tool = "", [""], "", False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("== "):
            domain, _, kind = line[3:].partition(" ")
            given, asked, is_tool = [], "", kind == "tool"
        elif not asked and line.startswith("? "):
            asked = line[2:]
        elif not asked:
            given.append(line)
        else:
            match = _LABELS.fullmatch(line)
            if match is None:
                raise ValueError(f"{path.name}:{number}: an answer begins with its labels")
            said = re.findall(r"([a-z])([+-])", match["labels"])
            labels = {MARKS[mark]: sign == "+" for mark, sign in said}
            view = _view("\n".join(given), asked, match["text"].replace("\\n", "\n"), is_tool)
            yield Answer(half, domain, f"{path.name}:{number}", view, labels)


def _view(given: str, asked: str, answer: str, is_tool: bool) -> View:
    context = [Part(role="tool" if is_tool else "system", text=given)] if given else []
    inputs = [*context, Part(role="user", text=asked)]
    return View(
        inputs=inputs, outputs=[Part(role="assistant", text=answer)], finish=["stop"], duration=1.0
    )
