"""Texts and their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.texts import answer, cell, pick, plain, question, seconds, words
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


@given(st.text(max_size=40) | st.from_regex(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}.{0,12}"))
def test_any_text_is_a_time_or_none(text: str) -> None:
    """Never an exception, never something else."""
    found = seconds(text)
    assert found is None or isinstance(found, float)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("29.02.2024", "2024-02-29"),
        ("2024/02/29 7:05:00", "2024-02-29T07:05:00"),
        ("2/29/2024", "2024-02-29"),
        ("29/02/2024 23:59", "2024-02-29T23:59:00"),
    ],
)
def test_dates_of_many_countries_are_dates(text: str, same: str) -> None:
    """A date that were a category would be new every day."""
    assert seconds(text) == seconds(same) is not None


@pytest.mark.parametrize("text", ["192.168.10.1", "1.2.2024.1", "12/2024", "10.5", "4711/12/2024x"])
def test_what_only_looks_like_a_date_is_none(text: str) -> None:
    """Addresses, versions, numbers."""
    assert seconds(text) is None
