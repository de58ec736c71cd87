"""Texts and their words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.texts import answer, cell, pick, plain, question, words
from monitor.types import Part


class _Texts:
    """The two fields of a Record that matter here."""

    def __init__(self, inputs: list[Part], outputs: list[Part]) -> None:
        self.inputs = inputs
        self.outputs = outputs


@given(text=st.text(), seed=st.text())
def test_a_picked_word_is_a_word_of_the_text(text: str, seed: str) -> None:
    """There is one exactly when the text has one."""
    found = pick(text, seed)
    every = words(text, 10**6)
    assert bool(found) == bool(every)
    assert not found or any(found in word for word in every)


@given(text=st.text(st.characters()), cells=st.integers(1, 1024))
def test_cells_are_bounded(text: str, cells: int) -> None:
    """Any text has a cell, lone surrogates included."""
    assert 0 <= int(cell(text, cells)[1:]) < cells


def test_only_whole_pseudonyms_are_reduced() -> None:
    """What looks like one and is too short stays."""
    assert plain("<A:k:short> <URL:k1:0123456789abcdef>") == "<A:k:short> <URL>"


def test_question_and_answer() -> None:
    """The last user text; the first answer that is neither error nor tool call."""
    texts = _Texts(
        [
            Part(role="user", text="first"),
            Part(role="user", text="last"),
            Part(role="tool", text="x"),
        ],
        [Part(role="tool_call", text="{}"), Part(role="assistant", text="well")],
    )
    assert question(texts) == "last"  # type: ignore[arg-type]
    assert answer(texts) == "well"  # type: ignore[arg-type]
    assert question(_Texts([Part(text="prompt")], [])) == "prompt"  # type: ignore[arg-type]
    assert answer(_Texts([], [Part(role="error", text="boom")])) == ""  # type: ignore[arg-type]
