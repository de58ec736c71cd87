"""What is a distribution over classes, and what is not."""

from __future__ import annotations

from monitor import probabilities
from monitor.types import Part


def test_every_row_of_every_output_counts() -> None:
    """Rows of several outputs follow each other; a tensor of one axis is none."""
    outputs = [
        Part(name="a", datatype="FP32", shape=[2, 2], data=[0.25, 0.75, 1.0, 0.0]),
        Part(name="b", datatype="FP64", shape=[3], data=[0.2, 0.3, 0.5]),
        Part(name="c", datatype="FP64", shape=[1, 3], data=[0.2, 0.3, 0.5]),
        Part(role="assistant", text="0.5 0.5"),
    ]
    assert list(probabilities.largest(outputs)) == [0.75, 1.0, 0.5]


def test_a_false_shape_reads_no_further_than_the_values_and_the_bound() -> None:
    """Values that do not fill a last row, and rows beyond the bound, are left."""
    cut = Part(name="a", datatype="FP32", shape=[9, 2], data=[0.5, 0.5, 1.0])
    assert list(probabilities.largest([cut])) == [0.5]
    many = Part(name="a", datatype="FP32", shape=[5000, 2], data=[0.5, 0.5] * 5000)
    assert len(list(probabilities.largest([many]))) == probabilities.ROWS
