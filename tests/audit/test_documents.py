"""Documents whose keys are there once, and others."""

from __future__ import annotations

import pytest

from monitor.audit.documents import TwiceError, require_unique_keys


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"a": 1, "a": 1}', "`a`"),
        (b'{"a": [{"b": 1, "\\u0062": 2}]}', "`b`"),
        (b'[{"a": {"": 1, "c": 2, "": 3}}]', "``"),
        (b'{"%s": 1, "%s": 2}' % (b"x" * 99, b"x" * 99), f"`{'x' * 60}`"),
    ],
)
def test_a_key_that_is_there_twice_is_named(data: bytes, name: str) -> None:
    """At whatever depth, however it is written, and not at any length."""
    with pytest.raises(TwiceError) as raised:
        require_unique_keys(data)
    assert str(raised.value) == f"{name} is there twice"


def test_other_documents_pass() -> None:
    """The same key in two objects is no fault."""
    for data in (b"[]", b"1", b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}'):
        require_unique_keys(data)
    with pytest.raises(ValueError, match="Expecting"):
        require_unique_keys(b"{")
