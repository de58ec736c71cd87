"""The columns of a table."""

from __future__ import annotations

import pytest

from monitor.errors import SourceError
from monitor.tables import columns


def test_headers() -> None:
    """Names are trimmed; twice the same is an error, and so is no name at all."""
    assert columns.header([" a ", "", "b"], "t") == ["a", "", "b"]
    with pytest.raises(SourceError, match="two columns are called 'a'"):
        columns.header(["a", "a "], "t")
    with pytest.raises(SourceError, match="no column has a name"):
        columns.header(["", " "], "t")


def test_a_typed_table_of_which_nothing_can_be_looked_at() -> None:
    """The sentence speaks of what its columns hold, and not of a first line."""
    with pytest.raises(SourceError, match=r"^t: all columns are maps or unions \(m, u\), which"):
        columns.header([], "t", ["m", "u"])
    with pytest.raises(SourceError, match=r"^t: no column has a name$"):
        columns.header([], "t", [])
    with pytest.raises(SourceError, match=r"m7 and 2 more\)"):
        columns.header([], "t", [f"m{place}" for place in range(10)])
