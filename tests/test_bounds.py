"""What a reading may put on record: encodable values, and no more than its body allows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.bounds import bounded
from monitor.recorder import calls
from monitor.types import Call, Exchange, Inference, Message, Outcome, Part


def call(body: bytes, answer: bytes = b"") -> Call:
    head = b"POST / HTTP/1.1\r\ncontent-type: application/json\r\n\r\n"
    response = Message(b"HTTP/1.1 200 OK\r\n\r\n", answer, len(answer))
    return calls.read(
        Exchange("id", 0.0, 1.0, Message(head, body, len(body)), response, [], Outcome.OK)
    )


def inference(*inputs: Part) -> Inference:
    return Inference("p", "infer", "", inputs=list(inputs))


def test_what_fits_stays_as_it_is() -> None:
    """The very same object: nothing is copied."""
    one = inference(Part(role="user", text="hello"), Part(name="x", shape=[1], data=[1]))
    assert bounded(one, call(b"x" * 100)) == (one, 0)
    assert bounded(one, call(b"x" * 100))[0] is one


def test_what_does_not_fit_gives_way_to_the_body() -> None:
    """As text, or named by its size; the other side stays."""
    many = [Part(role="user", text="")] * 1000
    for body, left in ((b"a" * 50, "a" * 50), (b"\x00\xff" * 50, "[100 bytes]")):
        found, sides = bounded(inference(*many), call(body))
        assert (found.inputs, sides) == ([Part(role="user", text=left)], 1)
    both = Inference("p", "infer", "", inputs=many, outputs=many)
    found, sides = bounded(both, call(b"a" * 9, b"b" * 5000))
    assert (len(found.inputs), len(found.outputs), sides) == (1, 1000, 1)


@pytest.mark.parametrize(
    ("value", "right", "datatype"),
    [
        (2**128 - 1, float(2**128), "FP64"), (-(2**64), -float(2**64), "FP64"),
        (2**64 - 1, 2**64 - 1, "INT64"), (10**400, "1e400", "BYTES"), (-(10**400), "-1e400", "BYTES"),
    ],
    ids=["unsigned", "negative", "the largest", "beyond floats", "below floats"],
)  # fmt: skip
def test_numbers_beyond_64_bits_become_floats_or_texts(
    value: int, right: Any, datatype: str
) -> None:
    """And their column says so."""
    part = Part(name="id", datatype="INT64", shape=[2], data=[1, value, 10**30])
    if right == value:
        part = msgspec.structs.replace(part, data=[1, value])
    found, _ = bounded(inference(part), call(b"x" * 100))
    assert (found.inputs[0].data or [])[:2] == [1, right]
    assert found.inputs[0].datatype == datatype


@given(
    st.lists(
        st.one_of(
            st.integers(), st.integers(2**63, 2**80), st.floats(), st.text(), st.decimals(), st.none(),
            st.binary(), st.just(object()), st.just({1: {2}}), st.just("\ud800"),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_whatever_a_protocol_gives_can_be_encoded(values: list[Any]) -> None:
    """In JSON and in what goes between our processes, with nothing in it left out."""
    found, _ = bounded(
        inference(Part(name="x", shape=[len(values)], data=values)), call(b"x" * 999)
    )
    msgspec.json.encode(found.inputs)
    msgspec.msgpack.encode(found.inputs)
    assert len(found.inputs[0].data or []) == len(values)


def test_halves_of_characters_are_replaced() -> None:
    """In values; those in texts are replaced with everything else that is scrubbed."""
    found, sides = bounded(inference(Part(name="x", shape=[1], data=["\ud800a"])), call(b"x" * 99))
    assert (found.inputs[0].data, sides) == (["?a"], 0)


def test_texts_of_others_are_texts() -> None:
    """A number of a kind that JSON has not keeps its digits."""
    found, _ = bounded(
        inference(Part(name="x", shape=[2], data=[Decimal("1.50"), {1, 2}])), call(b"x" * 99)
    )
    assert found.inputs[0].data is not None
