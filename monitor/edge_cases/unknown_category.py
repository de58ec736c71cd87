"""A column has a category that the reference does not know."""

from __future__ import annotations

from typing import Any

from monitor.hidden import is_mark
from monitor.interfaces import EdgeCase
from monitor.texts import CATEGORY, plain
from monitor.types import Part
from monitor.view import Usual, View


def holds(view: View, _: Any) -> bool:
    """Whether a value of an input's column of categories is none of them. A null is missing, and
    what stands in the place of a value is none."""
    return any(
        usual.categories and (name := _name(value)) is not None and name not in usual.categories
        for usual, value in view.cells
    )


def _name(value: Any) -> str | None:
    """The name of a category as a reference has it; None for what is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and len(value) <= CATEGORY and not is_mark(value):
        return plain(value)
    return None


def _row(name: str, value: Any) -> View:
    usual = {"plan": Usual(categories=frozenset(("basic", "pro", "true"))), "age": Usual(18, 90, 9)}
    return View(operation="infer", inputs=[Part(name=name, shape=[1], data=[value])], usual=usual)


EDGE_CASE = EdgeCase(
    "unknown_category",
    lambda _: "a category in a column of the input that the reference does not know",
    holds,
    examples=(_row("plan", "gold"), _row("plan", ""), _row("plan", False)),
    near_misses=(
        _row("plan", "pro"),
        _row("plan", True),
        _row("plan", None),
        _row("plan", "<REDACTED:policy:abcdefghijklmnopabcdefgh:4>"),
        _row("plan", "<PLAN:k1:oeoicfmkhghdcaepkjnhepda>"),
        _row("plan", 3),
        _row("plan", "a text " * 20),
        _row("colour", "red"),
        _row("age", "old"),
    ),
    needs="reference.file",
)
