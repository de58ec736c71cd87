"""JSON Patch as RFC 6902 has it, as far as it is used."""

from __future__ import annotations

import pytest

from monitor.inject.json_patch import add, applied, escaped, replace


def test_what_is_added_stands_where_the_path_says() -> None:
    """Members, elements before others, elements at the end, keys with slashes and tildes."""
    document = {"a": [1, 3], "b": {"c/d~": 1}}
    patch = [add("/a/1", 2), add("/a/-", 4), replace(f"/b/{escaped('c/d~')}", 5), add("/b/e", [])]
    assert applied(document, patch) == {"a": [1, 2, 3, 4], "b": {"c/d~": 5, "e": []}}
    assert document == {"a": [1, 3], "b": {"c/d~": 1}}
    assert applied(document, []) == document


def test_values_are_not_shared_with_what_comes_out() -> None:
    """Who changes one changes no other."""
    value: dict[str, int] = {}
    first = applied({}, [add("/a", value)])
    first["a"]["b"] = 1
    assert value == {}


@pytest.mark.parametrize("path", ["/x", "/a/5", "/x/y"])
def test_a_path_that_leads_nowhere_is_an_error(path: str) -> None:
    """As of an API server: nothing is applied then."""
    with pytest.raises((KeyError, IndexError)):
        applied({"a": [1]}, [replace(path, 1)])
