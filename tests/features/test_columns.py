"""Which columns there are: their names, in one order, and no more than a line of them."""

from __future__ import annotations

from collections.abc import Callable

from monitor.features.columns import FEATURE
from monitor.types import Part, Record

Make = Callable[..., Record]


def seen(record: Record) -> dict[str, object]:
    return {one.feature: one.value for one in FEATURE.observe(record)}


def columns(*names: str) -> list[Part]:
    return [Part(name=name, datatype="FP64", shape=[1], data=[None]) for name in names]


def test_the_order_in_which_they_come_says_nothing(record: Make) -> None:
    """A JSON object has none; a column that is null is there."""
    one, other = record(inputs=columns("b", "a")), record(inputs=columns("a", "b"))
    assert seen(one) == seen(other) == {"input_columns": "a, b"}
    assert seen(record(inputs=columns("a"), outputs=columns("y"))) == {
        "input_columns": "a",
        "output_columns": "y",
    }


def test_many_are_told_apart_by_hash(record: Make) -> None:
    """One of a hundred that is gone is another list."""
    names = [f"column {number}" for number in range(100)]
    whole, less = (
        seen(record(inputs=columns(*some)))["input_columns"] for some in (names, names[1:])
    )
    assert str(whole).startswith("100 columns #")
    assert whole != less


def test_texts_have_none_and_pseudonyms_are_one_symbol(record: Make) -> None:
    """A new key of the recorder is no new column."""
    assert seen(record(inputs=[Part(role="user", text="hello")])) == {}
    keys = [f"<EMAIL_ADDRESS:{key}:abcdefghijklmnopqrstuv>" for key in ("k1", "k2")]
    first, second = (seen(record(inputs=columns(key))) for key in keys)
    assert first == second
