"""YAML, strictly: what it refuses, with the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.settings import strict_yaml


def test_a_merged_key_may_be_overridden() -> None:
    """`<<` brings keys from elsewhere; those are not there twice."""
    text = "a: &a {x: 1}\nb: {<<: *a, x: 2}\n"
    assert strict_yaml.load(text, "f") == {"a": {"x": 1}, "b": {"x": 2}}


@pytest.mark.parametrize("quoted", ["a", "'a'", '"a"'])
def test_a_key_twice_is_an_error_with_both_lines(quoted: str) -> None:
    """However it is quoted, and however deep it stands."""
    with pytest.raises(ConfigError, match="f:4: 'a' is there twice, first in line 2"):
        strict_yaml.load(f"x:\n  a: 1\n  b: 2\n  {quoted}: 3\n", "f")


@given(st.text("abc:-[]{}&*!|>'\"#%@ \n\t\0\ud8000123456789.eE+_~<=?,", max_size=60))
def test_any_text_is_values_or_one_line(text: str) -> None:
    """Never another exception."""
    try:
        strict_yaml.load(text, "f")
    except ConfigError as error:
        said = str(error)
    else:
        said = "f"
    assert said.startswith("f")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("text", ["[" * 5000, "1" * 5000, "!!int x", "!!binary x", "!!python/none"])
def test_what_breaks_the_parser_is_one_line(text: str) -> None:
    """Depth, size, and tags that do not fit."""
    with pytest.raises(ConfigError, match=r"^f"):
        strict_yaml.load(text, "f")
