"""Confidence of classifiers."""

from __future__ import annotations

import pytest

from monitor.features.confidence import FEATURE
from monitor.types import Part


def test_rows_that_add_up_to_one_are_probabilities(record, seen) -> None:
    """Every row of the batch has its largest."""
    part = Part(name="p", datatype="FP32", shape=[2, 3], data=[0.2, 0.3, 0.5, 0.9, 0.05, 0.05])
    assert seen(FEATURE, record(outputs=[part])) == {"confidence": [0.5, 0.9]}


@pytest.mark.parametrize(
    "part",
    [
        Part(name="p", datatype="FP32", shape=[1, 2], data=[0.2, 0.3]),
        Part(name="p", datatype="FP32", shape=[1, 2], data=[-0.5, 1.5]),
        Part(name="p", datatype="FP32", shape=[1, 2], data=[float("nan"), 1.0]),
        Part(name="p", datatype="INT64", shape=[1, 2], data=[0, 1]),
        Part(name="p", datatype="FP32", shape=[2], data=[0.5, 0.5]),
        Part(name="p", datatype="FP32", shape=[1, 2], data=[0.5, "0.5"]),
    ],
)
def test_anything_else_is_not(record, seen, part: Part) -> None:
    """Logits, one-hot integers and two separate scores are no distribution."""
    assert seen(FEATURE, record(outputs=[part])) == {}


def test_a_text_has_the_confidence_of_its_record(record, seen) -> None:
    """Where no output holds probabilities, the record's own number counts; rows go before it."""
    assert seen(FEATURE, record(confidence=0.25)) == {"confidence": [0.25]}
    part = Part(name="p", datatype="FP32", shape=[1, 2], data=[0.2, 0.8])
    assert seen(FEATURE, record(outputs=[part], confidence=0.25)) == {"confidence": [0.8]}
