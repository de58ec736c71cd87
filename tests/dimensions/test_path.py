"""A dimension's value from the path."""

from __future__ import annotations

import time

import pytest

from monitor.dimensions import dimension
from monitor.errors import ConfigError
from monitor.types import Inference
from tests.pace import is_within

NOTHING = Inference("p", "o", "m")


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("/v1/chat/completions?x=1", "chat"),
        ("/v1/a%2Db/", "a-b"),
        ("/v2/chat/", "none"),
        ("/", "none"),
    ],
)
def test_the_group_is_the_value(call, target: str, value: str) -> None:
    """In the decoded path, without the query."""
    assert dimension("route", "path", "^/v1/([^/]+)/").value(call(target), NOTHING) == value


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("^/v1", "has no group"),
        ("(a", "missing"),
        ("(?=a)(b)", "no regular expression of RE2"),
        (r"(a)\1", "RE2"),
    ],
)
def test_what_is_no_such_expression_is_said(expression: str, said: str) -> None:
    """What RE2 does not know, it does not match in linear time."""
    with pytest.raises(ConfigError, match=rf"segments\.route\.path: .*{said}"):
        dimension("route", "path", expression)


def test_no_expression_backtracks(call) -> None:
    """What takes other engines years is found in the time of a read."""
    found = dimension("route", "path", "^/(?:a+)+(b)$")
    began = time.process_time()
    assert found.value(call("/" + "a" * 8000), NOTHING) == "none"
    assert is_within(time.process_time() - began, 1)
