"""Verdicts that changed, as entries of a log."""

from __future__ import annotations

import pytest

from monitor.decisions import Decision, Readout, changed, decode, digest, encode
from monitor.errors import ParseError
from monitor.findings import ExperimentEffect


def test_only_what_changed_is_a_decision() -> None:
    """Before the first one every verdict was to keep going."""
    found = [
        ExperimentEffect("e", "b", "m", None, None, None, "invalid", 7, "why"),
        ExperimentEffect("e", "b", "n", 0.1, 0.0, 0.2, "better", 7),
        ExperimentEffect("e", "b", "o", None, None, None, "keep_going", 7),
    ]
    (one,) = changed(found, {("e", "b", "n"): "better"}, {"e": "d"}, 5.0)
    assert one == Decision(
        5.0, "e", "b", "m", "keep_going", "invalid", None, None, None, 7, "d", "why"
    )
    assert one.which == ("e", "b", "m")


def test_entries_come_back() -> None:
    """And what is none is an error of ours."""
    for one in (
        Decision(5.0, "e", "b", "m", "better", "worse", 0.1, 0.0, 0.2, 7, "d"),
        Readout(6.0, "ann", "terminal", ["e"]),
    ):
        assert decode(encode(one)) == one
    for wrong in (b"", b"{}", b'{"what":"else"}', b"[1]", b"\xff"):
        with pytest.raises(ParseError):
            decode(wrong)


def test_another_declaration_has_another_digest() -> None:
    """The same one the same, of 16 digits."""
    assert digest({"a": 1}) == digest({"a": 1}) != digest({"a": 2})
    assert len(digest([])) == 16
