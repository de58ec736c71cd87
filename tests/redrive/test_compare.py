"""How far two answers are apart: 0 for the same, 1 for nothing in common, and what noise is none."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.redrive.compare import DISTANCES, FEATURES, Traits, distances, signs, traits
from monitor.types import Outcome, Part, Tokens
from tests.redrive.models import chat

TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(["the", "parcel", "is", "on", "its", "way"]), max_size=9).map(
        " ".join
    ),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3).map(json.dumps),
    st.just("I'm sorry, but I can't help with that."),
)


def said(text: str, **fields: Any) -> Traits:
    return traits(chat(1, outputs=[Part(role="assistant", text=text)], **fields))


def told(**data: list[Any]) -> Traits:
    outputs = [Part(name=name, shape=[len(one)], data=one) for name, one in data.items()]
    return traits(chat(1, outputs=outputs, tokens=None, finish_reasons=[]))


@given(TEXTS, TEXTS, st.integers(0, 99), st.integers(0, 99))
def test_distances_are_distances(one: str, other: str, few: int, many: int) -> None:
    """Between 0 and 1, 0 on itself, the same both ways; what one has more the other has less."""
    a, b = (
        said(one, tokens=Tokens(1, few)),
        said(other, tokens=Tokens(1, many), finish_reasons=["length"]),
    )
    assert not any(distances(a, a).values())
    assert not any(signs(a, a).values())
    assert distances(a, b) == pytest.approx(distances(b, a))
    assert all(0 <= value <= 1 for value in distances(a, b).values())
    assert signs(a, b) == pytest.approx({name: -value for name, value in signs(b, a).items()})
    assert all(-1 <= value <= 1 for value in signs(a, b).values())
    assert {*distances(a, b), *signs(a, b)} <= FEATURES.keys()


def test_personal_data_is_compared_by_its_kind() -> None:
    """An answer that repeats a surrogate is the one that repeated the value."""
    one, other = (said(f"Write to <EMAIL_ADDRESS:{key}:abcdefghijklmnop>.") for key in ("k1", "k2"))
    assert distances(one, other)["exact"] == 0
    assert one.text == "Write to <EMAIL_ADDRESS>."


def test_numbers_may_be_rounded_otherwise() -> None:
    """Another machine adds in another order; a tenth of a percent is no difference, a percent is."""
    one = told(score=[0.5, 100.0, 1e-9])
    assert distances(one, told(score=[0.5001, 100.05, 0.0]))["values"] == 0
    assert distances(one, told(score=[0.51, 100.0, 0.0]))["values"] == pytest.approx(1 / 3)
    assert distances(one, told(score=[0.5, 100.0]))["structure"] == pytest.approx(1 / 3)
    assert distances(told(label=["a", "b"]), told(label=["a", "c"]))["values"] == 0.5
    assert not one.is_text


def test_json_is_compared_member_by_member() -> None:
    """Spaces and the order of members are none; a fence around it is none either."""
    one = said('{"a": 1, "b": [true, "x"]}')
    assert {name: one for name, one in distances(one, said('{"b":[true,"x"],"a":1}')).items()
            if name in ("structure", "values")} == {"structure": 0, "values": 0}  # fmt: skip
    changed = distances(one, said('```json\n{"a": 2, "c": 1}\n```'))
    assert changed["structure"] == 0.75
    assert changed["values"] == 1.0
    assert distances(one, said("none"))["structure"] == 1.0


def test_tools_ends_and_refusals_are_compared() -> None:
    """By the names of tools, by reasons in the words of all dialects, by what says no."""
    call = traits(chat(1, outputs=[Part(role="tool_call", text='{"name":"find","arguments":{}}')]))
    assert call.tools == ("find",)
    assert distances(call, said("Ulm."))["tools"] == 1
    assert (
        distances(said("a", finish_reasons=["end_turn"]), said("a", finish_reasons=["stop"]))[
            "finish"
        ]
        == 0
    )
    assert signs(said("a", finish_reasons=["max_tokens"]), said("a"))["cut"] == 1
    assert (
        signs(said("I'm sorry, but I can't help with that."), said("Ulm lies there."))["refusal"]
        == 1
    )


def test_four_times_as_much_is_one() -> None:
    """Counts and times are compared by their logarithm."""
    assert signs(said("x" * 399), said("x" * 99))["length"] == pytest.approx(1)
    assert signs(said("x" * 199), said("x" * 99))["length"] == pytest.approx(0.5)
    slow = msgspec.structs.replace(said("x"), duration=1.95)
    assert signs(slow, msgspec.structs.replace(slow, duration=0.45))["latency"] == pytest.approx(1)


def test_a_failure_has_nothing_else() -> None:
    """What failed is no short answer."""
    failed = said("", outcome=Outcome.SERVER_ERROR, status=500)
    assert signs(failed, said("a")) == {"failed": 1.0}
    assert failed.length is None


def test_an_embedding_tells_meanings_apart() -> None:
    """The angle between the vectors, also where an answer is a vector itself."""
    vectors = {"one": [1.0, 0.0], "same": [2.0, 0.0], "other": [0.0, 1.0]}
    one, same, other = (
        traits(chat(1, outputs=[Part(role="assistant", text=text)]), vectors.__getitem__)
        for text in vectors
    )
    assert distances(one, same)["meaning"] == pytest.approx(0)
    assert distances(one, other)["meaning"] == pytest.approx(0.5)
    numbers = [float(place) for place in range(20)]
    assert distances(told(v=numbers), told(v=[2 * one for one in numbers]))[
        "meaning"
    ] == pytest.approx(0)


def test_every_feature_has_words() -> None:
    """And distances have a tolerance above what rounding makes."""
    assert all(one.words and 0 < one.tolerance < 0.5 for one in FEATURES.values())
    assert not any(one.scale for one in DISTANCES)
