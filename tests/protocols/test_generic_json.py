"""Everything else: columns where there are some, text where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.features.tensors import _observe
from monitor.protocols.generic_json import PROTOCOL
from monitor.types import Call, Observation, Part

Make = Callable[..., Call]


def test_a_flat_object_is_a_row_and_a_list_of_objects_is_a_table(call: Make) -> None:
    """Scalars become columns under their names."""
    seen = PROTOCOL.read(
        call("/score", b'{"age": 41, "plan": "pro", "vip": true}', b'{"score": 0.7}')
    )
    assert {p.name: p.data for p in seen.inputs} == {"age": [41], "plan": ["pro"], "vip": [True]}
    assert {p.name: p.data for p in seen.outputs} == {"score": [0.7]}
    rows = json.dumps({"rows": [{"a": 1}, {"a": 2}]}).encode()
    assert [(p.name, p.data) for p in PROTOCOL.read(call("/s", rows)).inputs] == [
        ("rows.a", [1, 2])
    ]


def test_a_null_is_a_missing_value_of_its_column(call: Make) -> None:
    """In an object, in a list, in a table; and so is a member that only other rows have."""
    body = (
        b'{"age": null, "tags": [1, null], "none": [null], "rows": [{"a": 1}, {"a": null, "b": 2}]}'
    )
    inputs = PROTOCOL.read(call("/score", body)).inputs
    assert {p.name: (p.datatype, p.shape, p.data) for p in inputs} == {
        "age": (None, [1], [None]),
        "tags": ("INT64", [2], [1, None]),
        "none": (None, [1], [None]),
        "rows.a": ("INT64", [2], [1, None]),
        "rows.b": ("INT64", [2], [None, 2]),
    }
    seen = [one for part in inputs for one in observe_part(part)]
    assert [one.value for one in seen if one.feature == "age"] == [None]
    assert [one.value for one in seen if one.feature == "rows.b"] == [None, 2]


def observe_part(part: Part) -> list[Observation]:
    found: list[Observation] = []
    _observe(found, part.name or "", part, "seed")
    return found


def test_text_and_forms_and_files(call: Make) -> None:
    """A text is one part, form fields are columns, a file is not looked into."""
    plain = PROTOCOL.read(call("/t", b"hello there", headers="content-type: text/plain\r\n"))
    assert [p.text for p in plain.inputs] == ["hello there"]
    form = "content-type: application/x-www-form-urlencoded\r\n"
    fields = PROTOCOL.read(call("/f", b"a=1&b=two", headers=form)).inputs
    assert [(p.name, p.data) for p in fields] == [("a", ["1"]), ("b", ["two"])]
    upload = "content-type: multipart/form-data; boundary=b\r\n"
    assert PROTOCOL.read(call("/u", b"--b\r\n\r\n\xff\r\n--b--", headers=upload)).inputs == []


ERRORS = [
    b'{"error": "model is not loaded"}', b'{"error": {"message": "gone", "code": 5}}',
    b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "gone"}}',
    b'{"status": "error", "message": "gone"}', b'{"error_code": "INTERNAL_ERROR", "message": "gone"}',
]  # fmt: skip


@pytest.mark.parametrize("body", ERRORS)
def test_an_error_inside_a_200_is_a_failure(call: Make, body: bytes) -> None:
    """Whole, an event or a line; its text is on record."""
    for answer, kind in (
        (body, "application/json"), (b"data: 1\n\ndata: " + body + b"\n\n", "text/event-stream"),
    ):  # fmt: skip
        found = PROTOCOL.read(call("/score", b"{}", answer, answer_type=kind))
        assert found.failed
        assert body.decode() in (found.outputs[-1].text or "")


@pytest.mark.parametrize(
    "body",
    [b'{"error": 0.31}', b'{"prediction": 3, "error": "low"}', b'{"error": null}', b'{"error": ""}',
     b'{"status": "ok", "error": "none"}', b'["error"]', b"error", b'{"error": {"mean": 0.2}}'],
)  # fmt: skip
def test_a_column_that_is_named_error_is_none(call: Make, body: bytes) -> None:
    """A model may predict errors."""
    assert not PROTOCOL.read(call("/score", b"{}", body)).failed


def test_json_that_was_cut_is_incomplete(call: Make) -> None:
    """Where it says that it is JSON, HTTP says that all is well, and all of it was kept."""
    cut = b'{"scores": [0.1, 0.'
    assert PROTOCOL.read(call("/score", b"{}", cut)).incomplete
    for more in ({"answer_type": "text/plain"}, {"status": "500 Oops"}, {"size": 99}):
        assert not PROTOCOL.read(call("/score", b"{}", cut, **more)).incomplete
    for whole in (b'{"a": 1}', b"{never mind}", b'{"a": 1}\n{"a": 2}\n', b"Good day.", b""):
        assert not PROTOCOL.read(call("/score", b"{}", whole)).incomplete


def test_names_beside_rows_are_names_of_columns(call: Make) -> None:
    """As pandas splits a table; what stands beside stays."""
    body = b'{"dataframe_split": {"columns": ["age", "plan"], "index": [0, 1], "data": [[41, "pro"], [35, "basic"]]}}'
    found = PROTOCOL.read(call("/invocations", body)).inputs
    assert {part.name: part.data for part in found} == {
        "dataframe_split.index": [0, 1],
        "dataframe_split.age": [41, 35],
        "dataframe_split.plan": ["pro", "basic"],
    }
    odd = PROTOCOL.read(call("/score", b'{"columns": ["age"], "data": [[1, 2]]}')).inputs
    assert {part.name: part.data for part in odd} == {"columns": ["age"], "data": [1, 2]}


def test_lines_are_a_stream_with_times(call: Make) -> None:
    """Rows as columns, the first and the last line's arrival."""
    body, chunks = b'{"a": 1}\n{"a": 2}\n', [(0.1, 9), (0.3, 18)]
    made = call("/score", b"{}", body, answer_type="application/x-ndjson", chunks=chunks)
    found = PROTOCOL.read(made)
    assert (found.streamed, found.first_token, found.last_token) == (True, 0.1, 0.3)
    assert [(part.name, part.data) for part in found.outputs] == [("a", [1, 2])]


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=300))
def test_any_bytes_are_read(call: Make, body: bytes) -> None:
    """It is the last resort and never refuses."""
    assert PROTOCOL.claims(call("/any", body))
    PROTOCOL.read(call("/any", body, body))


@settings(max_examples=150, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=30,
    )
)
def test_any_json_is_read(call: Make, value: object) -> None:
    """However nested."""
    PROTOCOL.read(call("/any", json.dumps(value).encode()))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"id": "a-17", "label": "1"}', "a-17"),
        (b'{"id": 17, "label": "1"}', "17"),
        (b'{"id": true}', ""),
        (b'{"id": {"a": 1}}', ""),
        (b'[{"id": "a-17"}]', ""),
        (b"id", ""),
        (b'{"id": "e-1", "error": {"code": 3, "message": "no"}}', ""),
    ],
)
def test_the_id_of_an_answer_is_what_feedback_may_name_it_by(
    call: Make, body: bytes, said: str
) -> None:
    """A text or a whole number at the top of a JSON object; not that of an error."""
    assert PROTOCOL.read(call("/score", b"{}", body)).response_id == said
