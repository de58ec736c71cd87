"""A dimension's value from a JSON body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.dimensions import dimension
from monitor.dimensions.json_path import words
from monitor.errors import ConfigError
from monitor.types import Inference

NOTHING = Inference("p", "o", "m")
BODY = {
    "metadata": {"plan": "gold", "a b": 3, "on": True, "n": None, "x": {}, "many": ["p", "q"]},
    "messages": [{"role": "system"}, {"role": "user"}],
    "amount": 2.50,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("request.metadata.plan", "gold"),
        ("request.metadata['a b']", "3"),
        ('request["metadata"]["on"]', "true"),
        ("request.amount", "2.5"),
        ("request.messages[-1].role", "user"),
        ("request.messages[*].role", "system"),
        ("request.metadata.many[*]", "p"),
        ("request.metadata.n", "none"),
        ("request.metadata.x", "none"),
        ("request.metadata.many", "none"),
        ("request.messages.role", "none"),
        ("request.messages[7].role", "none"),
        ("request.metadata[0]", "none"),
        ("response.id", "r-1"),
    ],
)
def test_the_scalar_at_a_path_is_the_value(call, path: str, value: str) -> None:
    """Objects, lists and what is not there are no value."""
    made = call("/", "", json.dumps(BODY).encode(), b'{"id": "r-1"}')
    assert dimension("d", "json", path).value(made, NOTHING) == value


def test_a_body_that_was_cut_says_nothing(call) -> None:
    """A place in half a document could be another one."""
    made = call("/", "", b'{"a": "x"}', cut=True)
    assert dimension("d", "json", "request.a").value(made, NOTHING) == "none"


@pytest.mark.parametrize("body", [b"", b"[1, 2", b"\xff\xfe", b'"text"', b"[" * 5000])
def test_what_is_no_json_object_says_nothing(call, body: bytes) -> None:
    """Whatever a stranger sends."""
    assert dimension("d", "json", "request.a").value(call("/", "", body), NOTHING) == "none"


@pytest.mark.parametrize(
    "path",
    ["", "metadata.plan", "request", "request.", "request.a[", "request..a", "request.a[x]", "response[]",
     "request" + ".a" * 33, "requesta.b"],
)  # fmt: skip
def test_what_is_no_path_is_said(path: str) -> None:
    """With the key, the place, and an example."""
    with pytest.raises(ConfigError, match=r"segments\.d\.json: .*request\.metadata\.plan"):
        dimension("d", "json", path)


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_a_clear_error(path: str) -> None:
    """Nothing but ConfigError, which names the key, comes of a configuration."""
    said = "segments.d.json: "
    try:
        dimension("d", "json", "request" + path)
    except ConfigError as error:
        said = str(error)
    assert said.startswith("segments.d.json: ")


def test_a_place_is_said_in_words() -> None:
    """As `monitor check` shows it."""
    assert words("request.metadata.plan") == "metadata.plan in the JSON body of the request"
    assert words("response['a b']") == "['a b'] in the JSON body of the answer"
