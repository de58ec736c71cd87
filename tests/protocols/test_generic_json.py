"""Everything else: columns where there are some, text where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.features.tensors import _tensor
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
    return [one for one in _tensor(part.name or "", part, "seed") if isinstance(one, Observation)]


def test_text_and_forms_and_files(call: Make) -> None:
    """A text is one part, form fields are columns, a file is not looked into."""
    plain = PROTOCOL.read(call("/t", b"hello there", headers="content-type: text/plain\r\n"))
    assert [p.text for p in plain.inputs] == ["hello there"]
    form = "content-type: application/x-www-form-urlencoded\r\n"
    fields = PROTOCOL.read(call("/f", b"a=1&b=two", headers=form)).inputs
    assert [(p.name, p.data) for p in fields] == [("a", ["1"]), ("b", ["two"])]
    upload = "content-type: multipart/form-data; boundary=b\r\n"
    assert PROTOCOL.read(call("/u", b"--b\r\n\r\n\xff\r\n--b--", headers=upload)).inputs == []


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
