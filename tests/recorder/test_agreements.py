"""What was answered the last time."""

from __future__ import annotations

from monitor.checks import CHECKS
from monitor.recorder.agreements import Agreements
from monitor.types import Verdict
from tests.recorder.test_capture import chat, exchange, reader_of
from tests.recorder.test_edge_cases import answer_of
from tests.recorder.test_repeats import asked

CONSISTENCY = [one for one in CHECKS if one.name == "consistency"]


def test_the_last_answer_to_an_equal_request_is_remembered() -> None:
    """Of the same model; what comes down to nothing is not."""
    agreements = Agreements(b"key")
    assert agreements.before(asked("hi", 1.0), "a") == ""
    assert agreements.before(asked("hi", 2.0), "b") == "a"
    assert agreements.before(asked("hi", 3.0), "") == ""
    assert agreements.before(asked("hi", 4.0), "c") == "b"
    assert agreements.before(asked("hi", 5.0, model="another"), "d") == ""
    assert agreements.before(asked("", 6.0, inputs=[]), "e") == ""


def test_strangers_cannot_make_the_memory_grow() -> None:
    """The newest are remembered, as digests under the key."""
    agreements = Agreements(b"key", most=3)
    for number in range(100):
        assert agreements.before(asked(f"{number}", number), "a") == ""
        assert len(agreements._gists) <= 3
    assert agreements.before(asked("99", 200.0), "b") == "a"
    assert all(len(digest) == 16 for digest in agreements._gists)


def test_who_is_told_otherwise_when_asking_again_sees_it_fail() -> None:
    """In the Record: the second answer agrees, the third does not."""
    reader, _ = reader_of(checks=CONSISTENCY, agreements=Agreements(b"key"))
    said = ["Answer: 12", "So: \nAnswer: 12.", "Answer: 13"]
    found = [
        reader.read(exchange(chat("6 + 6?"), answer_of({"content": one}, finish_reason="stop")))[
            0
        ].checks
        for one in said
    ]
    assert found == [
        {},
        {"consistency": Verdict(True, 0, 1)},
        {"consistency": Verdict(False, 1, 1)},
    ]
