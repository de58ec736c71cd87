"""Texts and their words."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor import texts
from monitor.texts import answer, cell, hashed, pick, plain, question, seconds, words
from monitor.types import Part


class _Texts:
    """The fields of a Record that matter here."""

    withheld: Mapping[str, list[str]] = {}

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


PSEUDONYM = re.compile(r"<([A-Z_]+):[a-z0-9]+:[A-Za-z0-9_-]{16,}>")
pieces = st.sampled_from(
    ["<", ">", ":", "<A:k1:", "EMAIL_ADDRESS", "a" * 16, "b" * 15, "<URL:k2:" + "x" * 22 + ">", " ", "7"]
)  # fmt: skip


@given(st.text() | st.lists(pieces | st.text(max_size=3), max_size=20).map("".join))
@example("<<A:k:" + "a" * 16 + "><B:k:" + "b" * 16 + ">>")
def test_a_pseudonym_is_reduced_as_a_substitution_reduces_it(text: str) -> None:
    """Splitting and joining is only a quicker way to say the same."""
    assert plain(text) == PSEUDONYM.sub(r"<\1>", text)


def hashed_word_by_word(text: str) -> bytes:
    """What `hashed` is, without anything remembered."""
    opening = text[: texts.OPENING].lower()
    found = opening.split() if opening.isascii() else texts._WORD.findall(opening)
    if len(text) > texts.OPENING:
        del found[-1:]
    bare = [word.strip(".,;:!?()[]{}<>\"'`*_#-") or word for word in found]
    named = ["0" if word[0].isdigit() else word for word in bare]
    cells = [crc32(word.encode(errors="surrogatepass")) % texts.VOCABULARY for word in named]
    return array("H", cells).tobytes()


typed = st.lists(
    st.text(st.characters(), max_size=8) | st.sampled_from(["The", "order,", "4711", "(a)", "\u212a", "é"]),
    max_size=150,
).map(" ".join)  # fmt: skip


@given(typed | st.text(st.characters(), max_size=500))
def test_words_are_hashed_alike_however_often_they_came(text: str) -> None:
    """What is remembered of words and of openings changes nothing, nor does forgetting it."""
    assert hashed(text) == hashed_word_by_word(text)
    assert hashed(text) == hashed_word_by_word(text)
    texts._hashed.cache_clear()
    texts._known_words.clear()
    assert hashed(text) == hashed_word_by_word(text)


def test_what_is_remembered_is_bounded() -> None:
    """However many different words and texts come, and however long they are."""
    for number in range(3 * texts.VOCABULARY // 50):
        hashed(" ".join(f"word{number}x{place}" for place in range(50)) * 10)
        hashed(f"{number}" * 300)
    assert len(texts._known_words) <= texts.VOCABULARY
    assert texts._hashed.cache_info().currsize <= texts.REMEMBERED
    assert max(map(len, texts._known_words)) <= texts.CATEGORY


def test_each_record_has_its_own_question() -> None:
    """The one that was asked for last is remembered by what it is, not by what it is like."""
    for text in ("one", "two", "one"):
        record = _Texts([Part(role="user", text=text)], [Part(role="assistant", text=f"{text}!")])
        assert question(record) == text  # type: ignore[arg-type]
        assert answer(record) == f"{text}!"  # type: ignore[arg-type]
        assert question(record) == text  # type: ignore[arg-type]


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
