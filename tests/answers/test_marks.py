"""Where the digits of a text are, and where its sentences and rows end."""

from __future__ import annotations

import re
import sys

from hypothesis import given
from hypothesis import strategies as st

from monitor.answers.marks import DIGIT, EDGE, marks

ENDS = re.compile(r"[.!?](?=[\s\"”)])|[\n}]")


def places(text: str, mark: bytes) -> list[int]:
    return [place for place, one in enumerate(marks(text)) if one == mark[0]]


@given(
    st.text(
        st.sampled_from(' .!?\n}")”aé1٣\u2009\u3000\xa0\x85\x1c\t\r\ud800\U0001f600'), max_size=20
    )
)
def test_marks_are_those_of_the_expressions(text: str) -> None:
    """One for each character, of whatever width; a sentence ends where a space, a closing quote or
    a bracket follows its sign."""
    assert len(marks(text)) == len(text)
    assert places(text, EDGE) == [match.start() for match in ENDS.finditer(text)]
    assert places(text, DIGIT) == [match.start() for match in re.finditer("[0-9]", text)]


def test_every_space_ends_a_sentence() -> None:
    """All that Unicode knows, and nothing else."""
    spaces = (code for code in range(0x3100, sys.maxunicode) if chr(code).isspace())
    every = "".join(f".{chr(code)}" for code in (*range(0x3100), *spaces) if chr(code) not in ".!?")
    assert places(every, EDGE) == [match.start() for match in ENDS.finditer(every)]
