"""What many texts begin with is told together as it is of each alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import languages, openings, texts
from monitor.openings import Openings, talks
from monitor.types import Part
from tests.replay.some_records import record

LINE = "the of and to der die und das de la que x 4711 12, order. DE The (is) é 你好"
WORDS = (
    *LINE.split(),
    *("a\tb", "\x1c", "\x00", "", "\u212a", "\ud800"),
)
some = st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=140).map(" ".join)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "WORTH", 0)


@settings(max_examples=150, deadline=None)
@given(st.lists(some, max_size=6))
def test_together_is_as_alone(found: list[str]) -> None:
    """Languages and hashed words, whatever white space, letters and length there is."""
    read = Openings(found)
    assert read.languages == list(map(languages.language, found))
    assert read.hashed == list(map(texts.hashed, found))


@pytest.mark.parametrize("length", [399, 400, 401, 402])
def test_a_word_that_is_cut_is_no_word(length: int) -> None:
    """As in a text alone; also where white space is what is cut."""
    found = ["ab " * 200, "ab" * 300, "a" * (length - 3) + " bc", "a" * (length - 1) + " b"]
    found = [one[:length] for one in found]
    assert Openings(found).hashed == list(map(texts.hashed, found))


@pytest.mark.parametrize("without", ["pyarrow", "many texts"])
def test_texts_are_read_one_by_one_where_that_is_all_there_is(
    monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    """Where pyarrow is not installed, and while texts are few: to load it takes longer."""
    monkeypatch.setattr(openings, "_together", None)
    if without == "pyarrow":
        monkeypatch.setattr("monitor.extras.is_there", lambda _: False)
    else:
        monkeypatch.setattr(openings, "WORTH", 1 << 60)
    read = Openings(["Where is the invoice that you sent to me?"])
    assert read.languages == ["en"]
    assert read.hashed == [texts.hashed("Where is the invoice that you sent to me?")]


def test_talks_are_remembered_by_identity() -> None:
    """An equal list is another one."""
    several = [
        record(1),
        record(2, inputs=[Part(name="x", datatype="FP64", shape=[1], data=[1.0])]),
    ]
    found = talks(several)
    assert talks(several) is found
    assert talks(list(several)) is not found
    assert (found.questions, found.answers) == (
        ["Where is the parcel that I sent to you?", ""],
        ["It is on its way."] * 2,
    )
    assert found.hold_data
    assert not talks(several[:1]).hold_data
