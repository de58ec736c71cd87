"""Record → what the model said, and how sure it was: where the settings say, else where they are.

A *place* is a column of the outputs (`outputs.label`), or a path into a JSON answer
(`response.result.label`, `outputs.label`). Without a setting the columns and members are looked at
for the names that predictions and scores usually have, and outputs without names for rows of
probabilities or of their logarithms. An exchange that holds several rows has no one prediction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from monitor import bodies, json_paths
from monitor.analysis.classes import another
from monitor.errors import ParseError
from monitor.types import Part, Record

LONGEST = 1024
"""Characters of a text that are kept as a prediction, and of one that it is compared with."""
CLASSES = 32
"""Probabilities of classes that are kept, the largest."""
SHORT = 64
"""Up to so many characters an answer is a class, of which the confidence is a probability."""
_MOST_JSON = 65536
_TOLERANCE = 1e-3

PREDICTIONS = (
    "prediction", "predicted_label", "predicted_class", "predicted", "label", "output_label",
    "class_label", "class", "category", "classification", "decision", "predictions", "y_pred",
    "answer", "result", "value",
)  # fmt: skip
"""Last parts of the names of columns and members that are a prediction, the likeliest first."""
SCORES = (
    "probabilities", "class_probabilities", "predict_proba", "probability", "output_probability",
    "proba", "prob", "score", "scores", "confidence",
)  # fmt: skip
"""The same of probabilities."""
LOG_SCORES = (
    "log_probabilities", "logprobs", "log_probs", "log_probability", "logprob", "log_prob",
    "log_proba", "predict_log_proba",
)  # fmt: skip
"""The same of natural logarithms of probabilities."""
CLAIMS = frozenset(SCORES) - {"score", "scores"}
"""Those of `SCORES` that can be nothing but probabilities; a score may be points of any kind."""
OUTSIDE = math.nan
"""A score outside of 0 to 1."""
_ENDS = (("lower", "upper"), ("lower_bound", "upper_bound"), ("low", "high"))
_SETS = ("prediction_set", "conformal_set", "choices")

Value = str | float | None
Score = float | dict[str, float] | None


class Said(NamedTuple):
    """What a model said, as in `rows.Truth`; `is_outside` where there was a score and it was no
    probability."""

    prediction: Value = None
    score: Score = None
    interval: tuple[float, float] | None = None
    choices: list[str] | None = None
    is_outside: bool = False


NOTHING = Said()


class PredictionReader:
    """Where predictions and scores are. `positive` is the class that a single score is of.

    `prediction` and `score` are places, empty to look for usual names; raises ValueError that says
    what would be right.
    """

    def __init__(self, prediction: str = "", score: str = "", positive: str = "1") -> None:
        self._prediction = _place(prediction) if prediction else None
        self._score = _place(score) if score else None
        self._positive = positive

    def of(self, record: Record) -> Said:
        """What the model said. Total: what is not there, or not as it should be, is missing."""
        if not record.is_accepted or not record.outputs:
            return NOTHING
        outputs = Outputs(record.outputs)
        score = self._score_of(outputs)
        is_outside = isinstance(score, float) and math.isnan(score)
        score = None if is_outside else score
        prediction = self._prediction_of(outputs, score)
        if score is None and record.confidence is not None and _is_class(prediction):
            score = {_name(prediction): record.confidence} if self._score is None else None
        is_outside = is_outside and score is None
        return Said(prediction, score, _interval(outputs), _choices(outputs), is_outside)

    def _prediction_of(self, outputs: Outputs, score: Score) -> Value:
        if self._prediction is not None:
            return _scalar(outputs.at(self._prediction))
        for name in PREDICTIONS:
            found = _scalar(outputs.named(name))
            if found is not None:
                return found
        if isinstance(score, dict):
            return max(score, key=lambda name: (score[name], name))
        if score is not None:
            return self._positive if score >= 0.5 else another(self._positive)
        return _scalar(outputs.only())

    def _score_of(self, outputs: Outputs) -> Score:
        if self._score is not None:
            value = outputs.at(self._score)
            place = self._score[-1]
            is_log = isinstance(place, str) and place.lower() in LOG_SCORES
            return _score(value, is_log=is_log)
        is_outside = False
        for names, is_log in ((SCORES, False), (LOG_SCORES, True)):
            for name in names:
                found = _score(outputs.named(name), is_log=is_log)
                if isinstance(found, float) and math.isnan(found):
                    is_outside = is_outside or name in CLAIMS
                elif found is not None:
                    return found
        for row in outputs.rows():
            found = _classes(row)
            if found is None and all(type(one) is float and one <= 0 for one in row):
                found = _classes([math.exp(one) for one in row])
            if found is not None:
                return found
        return OUTSIDE if is_outside else None


def words(prediction: str, score: str) -> list[str]:
    """Where predictions and scores are looked for, for a person."""
    return [
        f"predictions are at {prediction}" if prediction else
        f"predictions are looked for as {', '.join(PREDICTIONS[:5])} …, else the likeliest class, "
        "else the only output",
        f"scores are at {score}" if score else
        f"scores are looked for as {', '.join(SCORES[:4])} …, as rows of probabilities or their "
        "logarithms",
    ]  # fmt: skip


def _place(place: str) -> list[json_paths.Step]:
    side, dot, rest = place.partition(".")
    if side not in ("outputs", "response") or not dot or not rest:
        raise ValueError(
            f"{place!r} is no place in an answer; give a column as outputs.label, or a path into "
            "a JSON answer as response.result.label"
        )
    return json_paths.parsed(f"response.{rest}")[1]


class Outputs:
    """The outputs of one exchange, which are looked through as far as they are asked for."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._columns: dict[str, Part] | None = None
        self._document: Any = self

    def at(self, steps: Sequence[json_paths.Step]) -> Any:
        """What stands in the column of that name, or at that path of a JSON answer."""
        name = ".".join(str(step) for step in steps if step is not None)
        for part in self._parts:
            if part.name == name and part.data:
                return _row(part)
        last = self.columns.get(name.lower())
        if last is not None:
            return _row(last)
        found = json_paths.at(self.document, steps)
        return self._cell(steps) if found is None else found

    def _cell(self, steps: Sequence[json_paths.Step]) -> Any:
        """What stands at a path into an answer that is kept as columns, which have the names of its
        path without places. The first place is that of the row, of which there is one; the next is
        one in it."""
        name = ".".join(step for step in steps if isinstance(step, str))
        row, *inner = [step for step in steps if not isinstance(step, str)] or [0]
        part = next((part for part in self._parts if part.name == name and part.data), None)
        if part is None or row not in (0, -1, None):
            return None
        if not inner:
            return _row(part)
        return json_paths.at(_row(part), inner) if len(part.shape or []) > 1 else None

    def named(self, name: str) -> Any:
        """What stands under a name, or under one of which it is the last part."""
        part = self.columns.get(name)
        if part is not None:
            return _row(part)
        return self.document.get(name) if isinstance(self.document, dict) else None

    def only(self) -> Any:
        """The one output, if there is one alone: a value, or a text."""
        if len(self._parts) != 1:
            return None
        (part,) = self._parts
        if part.text is None:
            return _row(part)
        return None if isinstance(self.document, dict) else part.text

    def rows(self) -> Iterator[list[Any]]:
        """Of each tensor with one row of several numbers that row."""
        for part in self._parts:
            row = _row(part) if part.data else None
            if isinstance(row, list) and all(type(one) in (int, float) for one in row):
                yield row

    @property
    def columns(self) -> Mapping[str, Part]:
        """The tensors, by the last part of their name in lower case; the first of several."""
        if self._columns is None:
            self._columns = {}
            for part in self._parts:
                if part.name and part.data:
                    last = part.name.rpartition(".")[2].lower()
                    self._columns.setdefault(last, part)
        return self._columns

    @property
    def document(self) -> Any:
        """The JSON of the one text, None where it is none."""
        if self._document is self:
            texts = [part.text for part in self._parts if part.text]
            self._document = _json(texts[0]) if len(texts) == 1 else None
        return self._document


def _json(text: str) -> Any:
    bare = text.strip()
    if bare.startswith("```"):
        bare = bare.removeprefix("```json").strip("`").strip()
    if not bare.startswith(("{", "[")) or len(bare) > _MOST_JSON:
        return None
    try:
        return bodies.document(bare.encode("utf-8", "surrogatepass"))
    except ParseError:
        return None


def _row(part: Part) -> Any:
    """The value of a tensor of one, the values of one row; None for several rows."""
    data, shape = part.data or [], part.shape or []
    if len(data) == 1:
        return data[0]
    return data if (len(shape) > 1 and shape[0] == 1) or part.datatype == "BYTES" else None


def _scalar(value: Any) -> Value:
    """A class as text, a number that may be a regression's, a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return json_paths.text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.strip()[:LONGEST] or None
    return None


def _score(value: Any, *, is_log: bool) -> Score:
    if isinstance(value, dict):
        numbers = {str(name): _number(one, is_log=is_log) for name, one in value.items()}
        kept = {name[:200]: one for name, one in numbers.items() if one is not None}
        if any(math.isnan(one) for one in kept.values()):
            return OUTSIDE
        return _largest(kept) if kept and len(kept) == len(value) else None
    if isinstance(value, list):
        row = [_number(one, is_log=is_log) for one in value]
        return None if None in row else _classes([one for one in row if one is not None])
    return _number(value, is_log=is_log)


def _number(value: Any, *, is_log: bool) -> float | None:
    if type(value) not in (int, float):
        return None
    if is_log:
        return math.exp(value) if value <= 0 else OUTSIDE
    return float(value) if 0 <= value <= 1 else OUTSIDE


def _classes(row: Sequence[Any]) -> dict[str, float] | None:
    """The probabilities of classes by their place, of a row that holds such."""
    if not 2 <= len(row) <= 1024 or not all(
        type(one) in (int, float) and 0 <= one <= 1 for one in row
    ):
        return None
    if abs(sum(row) - 1) >= _TOLERANCE:
        return None
    return _largest({str(place): float(one) for place, one in enumerate(row)})


def _largest(score: dict[str, float]) -> dict[str, float]:
    if len(score) <= CLASSES:
        return score
    kept = sorted(score, key=lambda name: (-score[name], name))[:CLASSES]
    return {name: score[name] for name in kept}


def _interval(outputs: Outputs) -> tuple[float, float] | None:
    """The ends as they were served: one that is reversed holds nothing, and is a miss."""
    for low, high in _ENDS:
        lower, upper = _end(outputs.named(low)), _end(outputs.named(high))
        if lower is not None and upper is not None:
            return lower, upper
    return None


def _end(value: Any) -> float | None:
    """An end of an interval, which may be infinite; an integer beyond all floats is."""
    if type(value) not in (int, float):
        return None
    try:
        end = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return None if math.isnan(end) else end


def _choices(outputs: Outputs) -> list[str] | None:
    for name in _SETS:
        found = outputs.named(name)
        if isinstance(found, list):
            texts = [json_paths.text(one) for one in found[:CLASSES]]
            return [text[:200] for text in texts if text is not None]
    return None


def _is_class(value: Value) -> bool:
    return isinstance(value, str) and len(value) <= SHORT


def _name(value: Value) -> str:
    return str(value)


def alike(prediction: Value, label: Value) -> tuple[Value, Value]:
    """A prediction and a label of one kind: two numbers, or two texts.

    >>> alike(3.2, "4"), alike("1", 1.0), alike(1.0, "1"), alike("yes", "no"), alike(None, 2.0)
    ((3.2, 4.0), ('1', '1'), ('1', '1'), ('yes', 'no'), (None, 2.0))
    """
    if label is None or prediction is None:
        return prediction, label
    if isinstance(prediction, str) and isinstance(label, str):
        return prediction, label
    numbers = [_as_number(one) for one in (prediction, label)]
    if None in numbers:
        return json_paths.text(prediction), json_paths.text(label)
    one, two = (number for number in numbers if number is not None)
    is_text = isinstance(prediction, str) or isinstance(label, str)
    if is_text and one.is_integer() and two.is_integer():
        return json_paths.text(one), json_paths.text(two)
    return one, two


def _as_number(value: Value) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
