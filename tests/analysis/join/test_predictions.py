"""Where predictions and scores are, guessed and named."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.join.predictions import LONGEST, NOTHING, PredictionReader, words
from monitor.types import Outcome, Part
from tests.analysis.join.exchanges import record


def column(name: str | None, *data: Any, shape: list[int] | None = None) -> Part:
    kinds = {float: "FP64", int: "INT64", bool: "BOOL", str: "BYTES"}
    kind = kinds.get(type(data[0]))
    return Part(name=name, datatype=kind, shape=shape or [len(data)], data=list(data))


def answer(value: Any) -> Part:
    return Part(role="assistant", text=value if isinstance(value, str) else json.dumps(value))


@pytest.mark.parametrize(
    ("outputs", "prediction", "score"),
    [
        ([column("label", "spam")], "spam", None),
        ([column("output_label", 1), column("score", 0.25)], "1", 0.25),
        ([column("prediction", True)], "true", None),
        ([column("result.prediction", 4.5)], 4.5, None),
        ([column("price", 412.5)], 412.5, None),
        ([column("score", 0.75)], "1", 0.75),
        ([column("score", 0.25)], "0", 0.25),
        ([column("score", 7.5)], 7.5, None),
        ([column("probabilities", 0.2, 0.8, shape=[1, 2])], "1", {"0": 0.2, "1": 0.8}),
        ([column("OUTPUT0", 0.2, 0.3, 0.5, shape=[1, 3])], "2", {"0": 0.2, "1": 0.3, "2": 0.5}),
        ([column("OUTPUT0", 1.5, -0.5, shape=[1, 2])], None, None),
        ([column("OUTPUT0", 0.2, 0.8, 0.6, 0.4, shape=[2, 2])], None, None),
        ([column("label", "a", "b")], None, None),
        ([column("class", "cat"), column("class_probabilities", 0.9, 0.1, shape=[1, 2])],
         "cat", {"0": 0.9, "1": 0.1}),
        ([answer({"label": "fraud", "score": 0.9})], "fraud", 0.9),
        ([answer('```json\n{"class": 3}\n```')], "3", None),
        ([answer({"probabilities": {"yes": 0.75, "no": 0.25}})], "yes", {"yes": 0.75, "no": 0.25}),
        ([answer("positive")], "positive", None),
        ([answer(" x " * 9999)], ("x  " * 9999).strip()[:LONGEST], None),
        ([answer("one"), answer("two")], None, None),
        ([], None, None),
    ],
)  # fmt: skip
def test_predictions_and_scores_are_found(outputs: list[Part], prediction: Any, score: Any) -> None:
    """Tensors, class probabilities, JSON answers and plain ones, and nothing where it is unclear."""
    said = PredictionReader().of(record("r", outputs=outputs))
    assert said.score == (pytest.approx(score) if score is not None else None)
    if isinstance(prediction, str) and len(prediction) == LONGEST:
        assert isinstance(said.prediction, str)
        assert len(said.prediction) == LONGEST
    else:
        assert said.prediction == prediction


@pytest.mark.parametrize(
    ("outputs", "place", "found"),
    [
        ([column("predictions.label", "a"), column("predictions.score", 0.5)],
         "response.predictions[0].label", "a"),
        ([column("predictions.label", "a")], "response.predictions[*].label", "a"),
        ([column("predictions.label", "a")], "response.predictions[1].label", None),
        ([column("predictions.label", "a", "b")], "response.predictions[0].label", None),
        ([column("predictions", 7.5)], "response.predictions[0]", 7.5),
        ([column("predictions", 0.2, 0.8, shape=[1, 2])], "response.predictions[0][1]", 0.8),
        ([column("predictions", 0.2, 0.8, shape=[1, 2])], "response.predictions[0][2]", None),
        ([column("predictions", 0.2, 0.8)], "response.predictions[0]", None),
        ([column("predictions", "a", "b")], "response.predictions[0][1]", None),
    ],
)  # fmt: skip
def test_a_path_into_an_answer_of_columns_finds_its_row(
    outputs: list[Part], place: str, found: Any
) -> None:
    """The path is that of the body that the model sent, though columns are what is kept of it."""
    said = PredictionReader(prediction=place).of(record("r", outputs=outputs))
    assert said.prediction == found


def test_logarithms_of_probabilities_are_probabilities() -> None:
    """By name, and as a row without one."""
    logs = [math.log(0.25), math.log(0.75)]
    for name in ("log_probabilities", "OUTPUT0"):
        said = PredictionReader().of(record("r", outputs=[column(name, *logs, shape=[1, 2])]))
        assert said.score == pytest.approx({"0": 0.25, "1": 0.75})
        assert said.prediction == "1"
    said = PredictionReader().of(
        record("r", outputs=[answer({"label": "a", "logprob": math.log(0.5)})])
    )
    assert said.score == pytest.approx(0.5)


def test_the_confidence_of_a_short_answer_is_the_probability_of_that_answer() -> None:
    """A class said by a language model; a long text is none."""
    said = PredictionReader().of(record("r", outputs=[answer("yes")], confidence=0.75))
    assert said.score == {"yes": 0.75}
    said = PredictionReader().of(record("r", outputs=[answer("yes " * 99)], confidence=0.75))
    assert said.score is None


def test_a_named_place_goes_before_any_guess() -> None:
    """A column by its name or its path, a member of a JSON answer, a path into one."""
    both = [column("label", "guessed"), column("result.verdict", "named"), column("p", 0.125)]
    for place in ("outputs.verdict", "outputs.result.verdict", "response.result.verdict"):
        said = PredictionReader(place, "outputs.p").of(record("r", outputs=both))
        assert (said.prediction, said.score) == ("named", 0.125)
    nested = [answer({"label": "guessed", "result": [{"verdict": "named", "p": 0.125}]})]
    reading = PredictionReader("response.result[0].verdict", "outputs.result[*].p")
    said = reading.of(record("r", outputs=nested))
    assert (said.prediction, said.score) == ("named", 0.125)
    assert PredictionReader("outputs.absent").of(record("r", outputs=nested)).prediction is None


@pytest.mark.parametrize("place", ["label", "request.label", "outputs", "outputs.", "response.a["])
def test_a_place_that_is_none_is_refused_in_a_sentence(place: str) -> None:
    """With an example of what would be right."""
    with pytest.raises(ValueError, match="give "):
        PredictionReader(place)


def test_what_the_endpoint_refused_says_nothing() -> None:
    """An error is no prediction."""
    failed = record("r", outputs=[answer("error")], outcome=Outcome.SERVER_ERROR, status=500)
    assert PredictionReader().of(failed) == NOTHING


def test_intervals_and_sets_are_found() -> None:
    """Two ends, or the classes of a set; ends the wrong way round stay so, and hold nothing."""
    ends = [column("prediction", 3.0), column("lower", 2.0), column("upper", 4.5)]
    assert PredictionReader().of(record("r", outputs=ends)).interval == (2.0, 4.5)
    wrong = [column("lower", 5.0), column("upper", 4.5)]
    assert PredictionReader().of(record("r", outputs=wrong)).interval == (5.0, 4.5)
    several = [answer({"label": "a", "prediction_set": ["a", "b", 3]})]
    assert PredictionReader().of(record("r", outputs=several)).choices == ["a", "b", "3"]


@pytest.mark.parametrize(
    ("upper", "found"),
    [
        ("2", 2.0),
        ("Infinity", math.inf),
        ("1e999", math.inf),
        ("1" + "0" * 400, math.inf),
        ("-1" + "0" * 400, -math.inf),
        ("NaN", None),
        ("null", None),
        ("true", None),
        ('"2"', None),
    ],
)
def test_an_end_of_an_interval_may_be_infinite_and_must_be_a_number(
    upper: str, found: float | None
) -> None:
    """As JSON has it, or as the servers write it that go beyond."""
    said = PredictionReader().of(
        record("r", outputs=[Part(name="", text=f'{{"lower": 1, "upper": {upper}}}')])
    )
    assert said.interval == (None if found is None else (1.0, found))


def test_where_it_is_looked_for_is_said() -> None:
    """In two sentences, with the places where they are named."""
    assert words("outputs.a", "outputs.b") == [
        "predictions are at outputs.a",
        "scores are at outputs.b",
    ]
    assert all("looked for" in line for line in words("", ""))


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
names = st.sampled_from(
    ["label", "score", "probabilities", "x", "prediction", "lower", "upper", ""]
)


@given(
    st.lists(st.tuples(names, st.lists(values, max_size=4), st.lists(st.integers(), max_size=3))),
    st.dictionaries(names, values),
)
def test_any_outputs_are_read(parts: list[Any], document: dict[str, Any]) -> None:
    """No value makes it raise, and a score is 0 to 1."""
    outputs = [Part(name=name, datatype="FP64", shape=shape, data=data)
               for name, data, shape in parts]  # fmt: skip
    for seen in (outputs, [answer(json.dumps(document))]):
        for reading in (PredictionReader(), PredictionReader("outputs.label", "outputs.score")):
            said = reading.of(record("r", outputs=seen, confidence=0.5))
            score = said.score
            each = score.values() if isinstance(score, dict) else [] if score is None else [score]
            assert all(0 <= one <= 1 for one in each)


@pytest.mark.parametrize("value", [1.7, -3, 1e9, {"a": 0.5, "b": 1.5}])
def test_a_score_that_is_no_probability_is_said_to_be_none(value: Any) -> None:
    """Where it is named, or has a name that nothing but a probability has; it predicts nothing."""
    for reading, parts in (
        (PredictionReader(score="outputs.points"), [answer({"label": "1", "points": value})]),
        (PredictionReader(), [answer({"label": "1", "probability": value})]),
    ):
        said = reading.of(record("r", outputs=parts))
        assert (said.prediction, said.score, said.is_outside) == ("1", None, True)
    alone = PredictionReader().of(record("r", outputs=[answer({"probability": value})]))
    assert alone.prediction is None
    points = PredictionReader().of(record("r", outputs=[answer({"label": "1", "score": 1.7})]))
    assert not points.is_outside
