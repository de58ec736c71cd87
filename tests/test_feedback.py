"""What somebody says later of an exchange: read strictly, or one sentence that quotes none of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.feedback import (
    KINDS,
    MAX_NAME,
    MAX_TEXT,
    Feedback,
    FeedbackError,
    Statement,
    convert,
    encode_feedback,
    items,
    read,
    stored,
)

NAMES: dict[str, Any] = {
    "id": "019ad2b6-6800-7def-9abc-e20000000001",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "response_id": "chatcmpl-7",
    "business": {"order": "o-17"},
}
SAID: dict[str, Any] = {
    "label": "1",
    "attributes": {"sex": "f"},
    "correction": "It is 42.",
    "rating": 4.5,
    "event": "order_placed",
    "verdict": {"reviewer": "kim", "passed": True, "label": "0", "note": "wrong sum"},
}


def said(item: Any) -> Statement:
    return read(json.dumps(item).encode())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", SAID)
def test_each_name_goes_with_each_thing_said(name: str, kind: str) -> None:
    """An item is one of both, and says which."""
    found = said({name: NAMES[name], kind: SAID[kind]})
    assert found.kind == kind
    which, value = found.subject
    assert (which, value) == (
        ("business.order", "o-17") if name == "business" else (name, NAMES[name])
    )


def test_the_contracts_example_is_read() -> None:
    """With the time as RFC 3339, or as Unix seconds."""
    item = {"id": "01f", "label": "1", "name": "label", "at": "2026-11-28T10:00:00Z", "key": "k"}
    found = said(item)
    assert (found.id, found.label, found.name, found.key) == ("01f", "1", "label", "k")
    assert said(item | {"at": 1795860000}).at == 1795860000.0


@pytest.mark.parametrize("text", ['{"id": "a"}', '[{"id": "a"}]', '{"id": "a"}\r\n'])
def test_a_body_may_begin_with_a_byte_order_mark(text: str) -> None:
    """Editors and shells of Windows write one before UTF-8."""
    (found,) = items(text.encode("utf-8-sig"), are_lines=text.endswith("\n"))
    assert json.loads(bytes(found)) == {"id": "a"}


WRONG = [
    (b"", "is not JSON"),
    (b'{"id": "a", "rating": NaN}', "is not JSON"),
    (b'{"id": "\\ud800", "label": 1}', "is not JSON"),
    (b'{"id": "a\xff"}', "is not JSON"),
    (b"7", "is not an object, as {…}"),
    (b'{"a":' * 100_000, "a: is no key of an item"),
    (b'{"label": {"a":' + b"[" * 100_000, "label: is not a text of 1 to 65,536 characters"),
    (b"{}", "names the exchange by none of id, trace_id, response_id, business"),
    (b'{"id": null, "label": 1}', "names the exchange by none of"),
    (b'{"id": "a", "trace_id": "' + b"0" * 32 + b'"}', "by id and trace_id; give one"),
    (b'{"id": "a"}', "says none of label, attributes, correction, rating, event, verdict"),
    (b'{"id": "a", "attributes": {}}', "says none of"),
    (b'{"id": "a", "label": 1, "rating": 2}', "says label and rating; give one, and each other"),
    (b'{"id": "a", "label": 1, "value": 2}', "value: belongs to an `event`, and there is none"),
    (b'{"id": "a", "lable": 1}', "lable: is no key of an item"),
    (b'{"id": "a", "jo@example.org": 1}', "a key: is no key of an item"),
    (b'{"id": "a", "ghp_canaryCANARYcanaryCANARYcanary0123": 1}', "a key: is no key of an item"),
    (b'{"id": "", "label": 1}', "id: is not the id of a record"),
    (b'{"id": 7, "label": 1}', "id: is not the id of a record"),
    (b'{"trace_id": "xyz", "label": 1}', "trace_id: is not the 32 hex digits of a trace id"),
    (b'{"business": {"a": "1", "b": "2"}, "label": 1}', "business: is not one key and its value"),
    (b'{"business": {"a": 1}, "label": 1}', "business: is not one key and its value"),
    (b'{"id": "a", "label": [1]}', "label: is not a text"),
    (b'{"id": "a", "label": 1e999}', "label: is not a text"),
    (b'{"id": "a", "label": 1, "at": "2026-11-28"}', "at: is not a time as 2026-11-28T10:00:00Z"),
    (b'{"id": "a", "label": 1, "at": "2026-11-28T10:00:00"}', "at: is not a time as"),
    (b'{"id": "a", "label": 1, "at": "1950-11-28T10:00:00Z"}', "at: is before 1970"),
    (b'{"id": "a", "rating": "five"}', "rating: is not a number"),
    (b'{"id": "a", "verdict": {"passed": true}}', "verdict: its key `reviewer` is missing"),
    (b'{"id": "a", "verdict": {"reviewer": "k", "passed": 1}}', "verdict.passed: is not true or"),
    (b'{"id": "a", "verdict": {"reviewer": "k", "passed": true, "x": 1}}', "verdict.x: is no key"),
    (b'{"id": "%b", "label": 1}' % (b"a" * (MAX_NAME + 1)), "id: is not the id of a record"),
    (b'{"id": "a", "label": "%b"}' % (b"a" * (MAX_TEXT + 1)), "label: is not a text of 1 to"),
]


@pytest.mark.parametrize(("document", "sentence"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named_in_a_sentence(document: bytes, sentence: str) -> None:
    """It names the key, says what would be right, and quotes no value."""
    with pytest.raises(FeedbackError, match=re.escape(sentence)):
        read(document)
    assert stored(document) is None


@given(st.binary(max_size=200))
@example(b'{"id":"a","label":1}')
def test_any_bytes_are_a_statement_or_a_sentence(document: bytes) -> None:
    """Nothing else is raised, whatever it is."""
    try:
        found: Statement | str = read(document)
    except FeedbackError as error:
        found = str(error)
    assert found.isprintable() if isinstance(found, str) else found.kind in KINDS


KEYS = [*NAMES, *SAID, "name", "value", "at", "key", "other"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON | st.sampled_from([*NAMES.values()])))
def test_any_object_is_a_statement_or_a_sentence(item: dict[str, Any]) -> None:
    """Also where it comes as cells of a table, and the sentence repeats no value of it."""
    for way in (said, convert):
        try:
            found: Statement | str = way(item)
        except FeedbackError as error:
            found = str(error)
        assert found.isprintable() if isinstance(found, str) else found.kind in item


def test_cells_of_a_table_may_be_texts() -> None:
    """A CSV has nothing else: what must be a number is read as one, and a label stays a text."""
    found = convert({"id": "a", "rating": "4.5", "at": "2026-11-28T10:00:00Z"})
    assert found.rating == 4.5
    assert convert({"id": "a", "label": "1", "at": "17.5"}) == Statement(id="a", label="1", at=17.5)
    verdict = convert({"id": "a", "verdict": {"reviewer": "k", "passed": "true"}}).verdict
    assert verdict
    assert verdict.passed


def test_what_is_kept_is_told_from_what_somebody_wrote() -> None:
    """In the stream stand both: only what says who pseudonymized it is Feedback."""
    kept = Feedback(id="a", label="1", at=3.5, pseudonymized="k1")
    assert stored(encode_feedback(kept)) == kept
    raw = stored(b'{"id": "a", "label": "1", "at": "1970-01-01T00:00:03.5Z"}')
    assert raw is not None
    assert not isinstance(raw, Feedback)
    later = stored(b'{"id": "a", "label": "1", "pseudonymized": "k1", "of_a_later_version": 1}')
    assert isinstance(later, Feedback)
