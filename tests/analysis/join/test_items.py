"""What feedback says, one thing at a time, and all of it together."""

from __future__ import annotations

import msgspec

from monitor.analysis.join.items import LABEL, UNKNOWN, digest, item_of, known
from monitor.analysis.join.predictions import LONGEST
from monitor.feedback import Feedback
from tests.analysis.join.exchanges import BEGIN, item


def test_feedback_without_a_time_became_known_when_it_came() -> None:
    """And one without a key has that of its entry."""
    one = item(3.0, "17-0", id="r", rating=4.0)
    assert (one.came, one.at, one.key) == (BEGIN + 3, BEGIN + 3, "17-0")
    said = item(3.0, "17-0", id="r", rating=4.0, at=1.0, key="mine")
    assert (said.came, said.at, said.key) == (BEGIN + 3, BEGIN + 1, "mine")


def test_during_a_rotation_the_key_before_names_the_same_record() -> None:
    """A business key that is personal stands in old records under the old pseudonym."""
    new, old = "<EMAIL_ADDRESS:k2:new>", "<EMAIL_ADDRESS:k1:old>"
    said = msgspec.convert(
        {"pseudonymized": "k2", "business": {"mail": new}, "label": "1", "continues": {new: old}},
        Feedback,
    )
    names = item_of(said, BEGIN, "e").names
    assert names == [digest("business.mail", new), digest("business.mail", old)]


def test_true_and_false_and_whole_numbers_are_classes_by_name() -> None:
    """As predictions are; a long text is cut as they are."""
    assert item(id="r", label=True).value == "true"
    assert item(id="r", label=3).value == "3"
    assert item(id="r", label=2.5).value == 2.5
    assert item(id="r", label=" x" * LONGEST).value == (" x" * LONGEST).strip()[:LONGEST]


def test_a_label_of_another_name_is_the_truth_where_there_is_none_called_label() -> None:
    """Names are for what is said besides."""
    one = item(id="r", label="a", name="chargeback", entry="1", at=9.0)
    two = item(id="r", label="b", entry="2", at=1.0)
    assert two.name == LABEL
    assert known([one], None).label == "a"
    assert known([one, two], None).label == "b"


def test_the_first_verdicts_of_two_people_are_a_pair() -> None:
    """Whoever comes later, and whatever somebody says again; one person alone is none."""
    said = [
        item(3.0, "c", id="r", verdict={"reviewer": "eve", "passed": True}),
        item(2.0, "b", id="r", verdict={"reviewer": "ada", "passed": False}),
        item(1.5, "d", id="r", verdict={"reviewer": "kim", "passed": False}),
        item(1.0, "a", id="r", verdict={"reviewer": "kim", "passed": True}),
    ]
    assert known(said, "1").verdicts == known(said[::-1], "1").verdicts == (True, False)
    assert known(said[2:], "1").verdicts is None


def test_a_verdict_that_fails_an_answer_says_not_what_is_true() -> None:
    """It is an event; one that passes says that the answer was right."""
    failed = item(id="r", verdict={"reviewer": "kim", "passed": False})
    assert known([failed], "yes")[:3] == (None, 1.0, {"passed": 0.0})
    passed = item(id="r", verdict={"reviewer": "ada", "passed": True}, entry="f")
    assert known([failed, passed], "yes")[:3] == ("yes", 1.0, {"passed": 1.0})


def test_nothing_said_is_nothing_known() -> None:
    """Missing is neither right nor wrong."""
    assert known([], "yes") is UNKNOWN


def test_a_correction_of_a_number_is_the_number_and_of_all_else_a_text() -> None:
    """A text is no class, so it is no label."""
    said = [item(id="r", correction="4.5")]
    assert (known(said, 4.0).label, known(said, 4.0).correction) == (4.5, None)
    assert (known(said, "4").label, known(said, "4").correction) == (None, "4.5")
    assert known([item(id="r", correction="none")], 4.0).correction == "none"
