"""What a client says of its trace is read as the W3C has it, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import traceparents

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("said", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-01", 1),
        (f" 00-{TRACE}-{SPAN}-00 ", 0),
        (f"cc-{TRACE}-{SPAN}-09-what-comes-later", 9),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
        ("", None),
    ],
)
def test_a_traceparent_is_read_or_is_as_good_as_absent(said: str, flags: int | None) -> None:
    """Ids of zeros, other cases, several headers in one and other versions than it allows for."""
    found = traceparents.read(said)
    assert found == (None if flags is None else (TRACE, SPAN, flags))


@pytest.mark.parametrize(
    ("said", "is_valid"),
    [
        ("a=b", True),
        ("a=b , c@d=e f", True),
        (",".join(f"k{number}=v" for number in range(32)), True),
        (",".join(f"k{number}=v" for number in range(33)), False),
        ("a=" + "b" * 600, False),
        ("A=b", False),
        ("a=b=c", False),
        ("a=b\nx: y", False),
        ("a", False),
    ],
)
def test_a_tracestate_is_passed_on_whole_or_not_at_all(said: str, is_valid: bool) -> None:
    """§3.3 of the recommendation: at most 32 members; beyond 512 characters nobody need keep it."""
    assert traceparents.state(said) == (said if is_valid else "")


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """By both; what is valid says what it says again."""
    found = traceparents.read(text)
    assert found is None or (found.trace_id in text and found.span_id in text)
    assert traceparents.state(text) in ("", text.strip())
