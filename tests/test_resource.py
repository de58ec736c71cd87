"""Who sends is said by the standard variables, whatever stands in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor import resource


@given(st.text())
def test_any_text_is_a_list_of_pairs(text: str) -> None:
    """What is none is left out."""
    assert all(name for name in resource.pairs(text))


def test_the_name_has_a_variable_of_its_own() -> None:
    """It goes before the same in the list, as the specification says; an empty one says nothing."""
    listed = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=listed,a=b%2Cc"}
    assert resource.attributes("1", listed) == {
        "service.name": "listed",
        "service.version": "1",
        "a": "b,c",
    }
    named = resource.attributes("1", {**listed, "OTEL_SERVICE_NAME": "own"})
    assert named["service.name"] == "own"
    assert resource.attributes("1", {"OTEL_SERVICE_NAME": " "})["service.name"] == "monitor"
