"""What becomes of a value: matched, mapped, put into buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.dimensions import dimension
from monitor.dimensions.transforms import bucketed
from monitor.errors import ConfigError
from monitor.types import Inference

NOTHING = Inference("p", "o", "m")


@pytest.mark.parametrize(
    ("said", "value"),
    [("ams-3", "eu"), ("fra", "eu"), ("nyc", "other"), ("7", "other"), ("", "none")],
)
def test_a_match_is_mapped_and_the_rest_is_the_default(call, said: str, value: str) -> None:
    """What a request does not say stays `none`."""
    site = dimension("site", "header", "x-site", match="^([a-z]+)", names={"ams": "eu", "fra": "eu"},
                     default="other")  # fmt: skip
    assert site.value(call("/", f"x-site: {said}\r\n"), NOTHING) == value


def test_without_a_default_what_a_map_does_not_know_stays(call) -> None:
    """A map may name some values only."""
    site = dimension("site", "header", "x-site", names={"ams": "eu"})
    assert site.value(call("/", "x-site: nyc\r\n"), NOTHING) == "nyc"


@pytest.mark.parametrize(
    ("said", "value"),
    [("17", "<18"), ("18", "18-40"), ("39.9", "18-40"), ("65", ">=65"), ("1e999", ">=65"), ("nan", "none"),
     ("old", "none")],
)  # fmt: skip
def test_a_number_falls_into_a_bucket(call, said: str, value: str) -> None:
    """Lower edges belong to a bucket; what is no number has none."""
    age = dimension("age", "header", "x-age", buckets=[18, 40, 65])
    assert age.value(call("/", f"x-age: {said}\r\n"), NOTHING) == value


@pytest.mark.parametrize("edges", [[3, 2], [1, 1], [float("nan")], [1, float("inf")]])
def test_edges_that_do_not_rise_are_said(edges: list[float]) -> None:
    """With the key and an example."""
    with pytest.raises(ConfigError, match=r"segments\.age\.buckets: "):
        dimension("age", "header", "x-age", buckets=edges)


def test_buckets_have_names_of_their_own() -> None:
    """However near or large their edges are; whole ones have no fraction and no exponent."""
    bucket = bucketed([1_234_567, 1_234_568, 1_234_568.5, 2.5e6])
    assert [bucket(x) for x in ("0", "1234567", "1234568", "1234568.5", "9e9")] == [
        "<1234567", "1234567-1234568", "1234568-1234568.5", "1234568.5-2500000", ">=2500000",
    ]  # fmt: skip


def test_an_empty_name_is_refused() -> None:
    """A label without a value is none for Prometheus."""
    with pytest.raises(ConfigError, match=r"segments\.site\.map: .ams. has an empty name"):
        dimension("site", "header", "x-site", names={"ams": ""})


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True), st.floats(allow_nan=False)
)
def test_every_number_has_the_bucket_whose_edges_it_lies_between(
    edges: list[float], x: float
) -> None:
    """The index of a bucket is the number of edges that are not above."""
    edges = sorted(edges)
    names = [bucketed(edges)(repr(at)) for at in [edges[0] - 1, *edges]]
    assert bucketed(edges)(repr(x)) == names[sum(edge <= x for edge in edges)]
