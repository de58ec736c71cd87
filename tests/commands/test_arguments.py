"""Option types that several commands share."""

from __future__ import annotations

import argparse

import pytest

from monitor.commands import arguments


@pytest.mark.parametrize("text", ["1970-01-01T00:01:00Z", "1970-01-01T01:01:00+01:00", "60"])
def test_a_time_is_read_in_the_forms_of_tables(text: str) -> None:
    """ISO 8601 with an offset, or Unix seconds."""
    assert arguments.time(text) == 60.0


def test_what_is_no_time_is_shown_with_one() -> None:
    """As argparse prints it behind the name of the option."""
    with pytest.raises(argparse.ArgumentTypeError, match="'soon' is not a time such as 2024-"):
        arguments.time("soon")
