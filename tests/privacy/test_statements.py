"""Feedback holds no personal data, and names a business key as the Record does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import PrivacyError
from monitor.feedback import MAX_TEXT, Feedback, Statement, encode_feedback, read, stored
from monitor.privacy.cache import Cache
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.recognizers import select
from tests.privacy.test_records import CANARIES, TOKEN

SCANNER = Scanner(select())
K1, K2 = Key("k1", bytes(range(32))), Key("k2", bytes(32))


def privacy(*keys: Key) -> Privacy:
    return Privacy(
        scanner=SCANNER, keyring=Keyring(keys or (K1,)), clock=lambda: 0.0, cache=Cache(b"x" * 32)
    )


def kept(item: dict[str, Any], *keys: Key) -> Feedback:
    return privacy(*keys).feedback(read(json.dumps(item).encode()))


PLACES: list[Any] = [
    lambda value: {"id": value, "label": "1"},
    lambda value: {"response_id": value, "label": "1"},
    lambda value: {"business": {"order": value}, "label": "1"},
    lambda value: {"business": {value: "1"}, "label": "1"},
    lambda value: {"id": "a", "label": value},
    lambda value: {"id": "a", "label": value, "name": value},
    lambda value: {"id": "a", "label": f"{value} " * 9},
    lambda value: {"id": "a", "attributes": {"contact": value}},
    lambda value: {"id": "a", "attributes": {value: "1"}},
    lambda value: {"id": "a", "correction": f"Write to {value}."},
    lambda value: {"id": "a", "event": value, "value": 2},
    lambda value: {"id": "a", "label": "1", "key": value},
    lambda value: {"id": "a", "verdict": {"reviewer": value, "passed": True}},
    lambda value: {"id": "a", "verdict": {"reviewer": "k", "passed": True, "label": value}},
    lambda value: {"id": "a", "verdict": {"reviewer": "k", "passed": True, "note": value}},
]


@pytest.mark.parametrize("place", PLACES, ids=range(len(PLACES)))
@pytest.mark.parametrize("entity", CANARIES)
def test_personal_data_is_kept_nowhere(entity: str, place: Any) -> None:
    """Whatever part of the item says it; what is kept can be read back as it is."""
    found = kept(place(CANARIES[entity]))
    document = encode_feedback(found).decode()
    assert CANARIES[entity] not in document
    assert f"<{entity}:k1:" in document
    assert stored(document.encode()) == found
    assert found.pseudonymized == "k1"


def test_numbers_that_are_cards_are_no_numbers() -> None:
    """A label may be a text instead; a rating or a value must be a number, so its item is not."""
    label = kept({"id": "a", "label": 4012888888881881}).label
    assert isinstance(label, str)
    assert TOKEN.fullmatch(label)
    for item in ({"rating": 4012888888881881}, {"event": "e", "value": 4012888888881881}):
        with pytest.raises(PrivacyError, match="personal data"):
            kept({"id": "a", **item})


def test_one_value_has_one_pseudonym_in_feedback_and_in_texts() -> None:
    """So a business key that is an address equals what stands in the Record."""
    ours = privacy()
    found = ours.feedback(Statement(business={"customer": "Jo@Example.org"}, label="1"))
    assert found.business == {"customer": ours.text("jo@example.org")}


def test_a_new_key_says_which_pseudonym_of_the_old_one_it_continues() -> None:
    """As in a Record: what names an exchange of before the rotation is still found."""
    item = {"business": {"customer": "jo@example.org"}, "label": "1"}
    before, after = kept(item, K1), kept(item, K2, K1)
    assert before.business
    assert after.business
    assert after.continues[after.business["customer"]] == before.business["customer"]


def test_marks_that_look_like_ours_are_forgeries() -> None:
    """Nobody names a pseudonym that was not made here."""
    found = kept({"id": "a", "label": "<PERSON:k1:abcdefghijklmnop>"})
    assert found.label == "<LIT:PERSON:k1:abcdefghijklmnop>"


def test_true_and_false_are_classes_by_name() -> None:
    """A label is compared with what the model said, which has texts for both."""
    assert kept({"id": "a", "label": True}).label == "true"
    assert kept({"id": "a", "label": 0}).label == 0


@pytest.mark.parametrize(
    "text",
    ["a@b.org " * (MAX_TEXT // 8), '{"a":' * 100, "é@b.org, " * 20],
    ids=["addresses", "nested", "short"],
)
def test_what_cannot_be_made_safe_is_not_kept(text: str) -> None:
    """Part of an item would say something else: it is all there, or not at all."""
    for item in (Statement(id="a", correction=text), Statement(id="a", label=text)):
        try:
            found = privacy().feedback(item)
        except PrivacyError:
            continue
        assert "b.org" not in str(found)
        assert "REDACTED" not in str(found)


def test_a_scanner_that_fails_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Privacy fails closed."""

    def fails(*_: Any) -> None:
        raise RuntimeError("of a defect")

    monkeypatch.setattr(SCANNER, "_locate", fails)
    with pytest.raises(PrivacyError, match=r"^error$"):
        privacy().feedback(Statement(id="a", correction="a text that nobody has looked at"))


@given(st.text(min_size=1, max_size=200), st.sampled_from(PLACES))
def test_any_text_is_kept_readable_or_not_at_all(text: str, place: Any) -> None:
    """What is kept fits what reads it back."""
    try:
        found = kept(place(text))
    except (PrivacyError, ValueError):
        return
    assert stored(encode_feedback(found)) == found
