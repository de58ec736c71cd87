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
