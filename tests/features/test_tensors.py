"""Tensors: what is a column, a category, a text, a vector."""

from __future__ import annotations

import math

from monitor.features.tensors import FEATURE
from monitor.shapes import COLUMNS, ROWS, VECTOR
from monitor.types import Part


def test_a_row_a_record_is_one_observation_under_the_tensors_name(record, seen) -> None:
    """`age` is `age`; names of several columns are numbered."""
    one = record(
        inputs=[
            Part(name="age", datatype="FP32", shape=[1, 1], data=[41.0]),
            Part(name="x", datatype="INT64", shape=[2, 3], data=[1, 2, 3, 4, 5, 6]),
        ],
        outputs=[Part(name="predict", datatype="INT64", shape=[2], data=[0, 1])],
    )
    assert seen(FEATURE, one) == {
        "age": [41.0],
        "x[0]": [1, 4],
        "x[1]": [2, 5],
        "x[2]": [3, 6],
        "predict": [0, 1],
    }


def test_an_output_named_like_an_input_is_told_apart(record, seen) -> None:
    """Echoing models and models with a column called `duration` mix nothing up."""
    age = Part(name="age", datatype="FP32", shape=[1], data=[1.0])
    duration = Part(name="duration", datatype="FP32", shape=[1], data=[2.0])
    found = seen(FEATURE, record(inputs=[age, duration], outputs=[age]))
    assert found == {"age": [1.0], "input.duration": [2.0], "output.age": [1.0]}


def test_strings_are_categories_and_dates_are_times(record) -> None:
    """A value says what it is where the data type does not."""
    data = ["pro", "2024-02-29T12:00:00Z", "2024-02-29", "2024-13-45", 3, True, None, {"a": 1}]
    tensor = Part(name="v", datatype="BYTES", shape=[len(data)], data=data)
    found = [(o.kind, o.value) for o in FEATURE.observe(record(inputs=[tensor], outputs=[]))]
    assert found == [
        ("categorical", "pro"),
        ("datetime", 1709208000.0),
        ("datetime", 1709164800.0),
        ("categorical", "2024-13-45"),
        ("numeric", 3),
        ("boolean", True),
        ("categorical", None),
        ("categorical", {"a": 1}),
    ]


def test_the_data_type_decides_and_what_does_not_fit_goes_by_as_it_is(record) -> None:
    """A string among numbers is a wrong type, and NaN is not finite: for the window to count."""
    data = [1.0, "n/a", None, math.inf]
    tensor = Part(name="x", datatype="FP64", shape=[4], data=data)
    found = [(o.kind, o.value) for o in FEATURE.observe(record(inputs=[tensor], outputs=[]))]
    assert found == [("numeric", value) for value in data]
    flags = Part(name="b", datatype="BOOL", shape=[3], data=[1, False, "x"])
    found = [(o.kind, o.value) for o in FEATURE.observe(record(inputs=[flags], outputs=[]))]
    assert found == [("boolean", True), ("boolean", False), ("boolean", "x")]


def test_a_long_string_is_a_text(record, seen) -> None:
    """Of a text one word is observed, hashed, and the length: nothing of it can be read back."""
    text = "a quite long comment about the product and its delivery, and other things"
    tensor = Part(name="note", datatype="BYTES", shape=[1], data=[text])
    found = seen(FEATURE, record(inputs=[tensor], outputs=[]))
    assert found["note.length"] == [len(text)]
    assert found["note"][0].startswith("#")


def test_an_embedding_is_a_vector_and_an_image_is_nothing(record) -> None:
    """Wide tensors do not become a feature a column."""
    wide = Part(name="e", datatype="FP32", shape=[2, COLUMNS + 1], data=[0.5] * 2 * (COLUMNS + 1))
    image = Part(name="i", datatype="UINT8", shape=[1, 3, 224, 224], data=[0] * (VECTOR + 1))
    found = list(FEATURE.observe(record(inputs=[wide, image], outputs=[])))
    assert [(o.feature, o.kind, len(o.value)) for o in found] == [("e", "vector", COLUMNS + 1)] * 2


def test_a_huge_batch_is_bounded(record) -> None:
    """The first rows of a batch are looked at."""
    tensor = Part(name="x", datatype="INT64", shape=[10**5], data=list(range(10**5)))
    assert len(list(FEATURE.observe(record(inputs=[tensor], outputs=[])))) == ROWS


def test_a_shape_that_does_not_fit_drops_the_ragged_row(record, seen) -> None:
    """Two rows of three announced, five values there: one row."""
    tensor = Part(name="x", datatype="INT64", shape=[2, 3], data=[1, 2, 3, 4, 5])
    found = seen(FEATURE, record(inputs=[tensor], outputs=[]))
    assert found == {"x[0]": [1], "x[1]": [2], "x[2]": [3]}
