"""Rows → Evidently's own report of drift and of quality, beside ours, on the same values."""

from __future__ import annotations

import gc
import importlib.util
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.analysis.classes import spelt
from monitor.errors import UsageError
from monitor.extras import advice
from monitor.places import unwritable
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.urls import named

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 100_000
"""Rows that Evidently is given of each side."""

CLASSES = 50
"""Of more different values than that numbers are no classes, and there are too many classes."""


def need(path: Path) -> None:
    """Raise UsageError unless the extra is installed and the report has a place, before anything is
    read. Evidently takes seconds to import: that waits until there is something to report."""
    if importlib.util.find_spec("evidently") is None:
        raise UsageError(advice("replay", "--evidently"))
    if why := unwritable(path):
        raise UsageError(_unwritten(path, why))


def load() -> None:
    """Import Evidently; raises ImportError where a part of it is missing. Garbage is not looked for
    meanwhile: the 300,000 objects that it makes all stay, and that took a sixth of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        import evidently.presets  # noqa: F401
    finally:
        if collects:
            gc.enable()


def _unwritten(path: Path, why: str | None) -> str:
    return f"--evidently: {named(str(path))}: cannot be written: {why}"


_DATA = re.compile(r"^ *var (?:additional_graphs_)?metric_\w+ = .*$", re.MULTILINE)
"""The lines of Evidently's page that hold the data."""

LABEL, PREDICTION = "outcomes.label", "outcomes.prediction"
"""Columns of what became of Records."""


class Sample:
    """The first rows of one side, for Evidently: one column a feature, one line a row, the first
    value where a row has several. What became of Records stands in lines of its own, since each is
    known at another time; the measures look at no more of a line than label and prediction."""

    def __init__(self) -> None:
        self._rows = 0
        self._told = 0
        self._columns: dict[str, dict[int, Any]] = {}

    def add(self, one: Row | Block) -> None:
        """Keep what is seen in one more row, or in those of a block, of the first MOST_ROWS."""
        if self._rows == MOST_ROWS:
            return
        if isinstance(one, Block):
            for row in one.rows():
                self.add(row)
            return
        for seen in one.observations:
            if seen.kind != "vector" and isinstance(seen.value, str | int | float):
                self._columns.setdefault(seen.feature, {}).setdefault(self._rows, seen.value)
        self._rows += 1

    def add_outcomes(self, rows: Iterable[Row]) -> None:
        """Keep label and prediction of the first MOST_ROWS rows that have both."""
        for row in rows:
            truth = row.truth
            if truth is None or truth.label is None or truth.prediction is None:
                continue
            if not truth.is_due:
                continue
            line = self._rows + self._told
            self._columns.setdefault(LABEL, {})[line] = truth.label
            self._columns.setdefault(PREDICTION, {})[line] = truth.prediction
            self._told += 1
            if self._told == MOST_ROWS:
                return

    def frame(self) -> pd.DataFrame:
        """The rows; a column whose values are not all numbers is one of texts."""
        import pandas as pd

        found = pd.DataFrame(index=range(self._rows + self._told))
        for name, values in self._columns.items():
            kinds = {type(value) for value in values.values()}
            if not kinds <= {int, float}:
                values = {index: str(value) for index, value in values.items()}  # noqa: PLW2901
            found[name] = pd.Series(values)
        return found


class Said(NamedTuple):
    """The columns of what was true and what was predicted, empty where there is none; and the class
    that is asked for where there are two."""

    target: str = ""
    prediction: str = ""
    positive: str = "1"


def write(
    reference: pd.DataFrame, current: pd.DataFrame, path: Path, said: Said | None = None
) -> Sequence[str]:
    """Write Evidently's report: drift of the data, and where labels are known how good predictions
    were. Returns what had to be left out, in words; raises UsageError where the sides have no
    feature in common, or Evidently is not installed."""
    shared = [name for name in reference.columns if name in current.columns]
    mixed = [name for name in shared if reference[name].dtype.kind != current[name].dtype.kind]
    for side in (reference, current):
        side[mixed] = side[mixed].astype(str)
    left = sorted({*reference.columns, *current.columns} - set(shared))
    if not shared:
        raise UsageError(
            "--evidently: the two sides have no feature in common; give another --reference"
        )
    remarks = [f"left out, because one side has no such values: {', '.join(left)}"] * bool(left)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns inside it of what is small or empty
        try:
            load()
            from evidently import Dataset, Report
            from evidently.presets import DataDriftPreset
        except ImportError:  # something that it needs is missing
            raise UsageError(advice("replay", "--evidently")) from None

        sides, presets, task = [current[shared], reference[shared]], [DataDriftPreset()], None
        if said is not None:
            try:
                sides, preset, task = _labelled(sides, said)
                presets.append(preset)
            except UsageError as error:
                remarks.append(f"no quality, because {error}")
        given = [Dataset.from_pandas(side, data_definition=task) for side in sides]
        snapshot = Report(presets).run(*given)
        try:
            path.write_text(_inert(snapshot.get_html_str(as_iframe=False)), encoding="utf-8")
        except OSError as error:
            raise UsageError(_unwritten(path, error.strerror)) from None
    return [f"--evidently: {remark}" for remark in remarks]


def _inert(page: str) -> str:
    """The page with its data in a form in which no name or value ends the script it stands in.

    Evidently writes names and values as JSON, a line each, without escaping them for HTML.
    """
    return _DATA.sub(lambda line: line[0].replace("<", r"\u003c"), page)


def _labelled(sides: list[pd.DataFrame], said: Said) -> tuple[list[pd.DataFrame], Any, Any]:
    """(both sides, the preset, the data definition) of how good predictions were, of rows with a
    label and a prediction; raises UsageError with a reason where Evidently has no measure."""
    from evidently import (
        BinaryClassification,
        DataDefinition,
        MulticlassClassification,
        Regression,
    )
    from evidently.presets import ClassificationPreset, RegressionPreset

    target, prediction = both = [said.target, said.prediction]
    for name in both:
        if name not in sides[0].columns:
            raise UsageError(f"both sides have no values of {name!r}")
    known = [side[both].dropna() for side in sides]
    if not all(map(len, known)):
        raise UsageError("one side has no row with a label and a prediction")
    columns = [side[name] for side in known for name in both]
    if all(one.dtype.kind in "if" for one in columns) and max(map(_different, columns)) > CLASSES:
        numbers = Regression(target=target, prediction=prediction)
        return sides, RegressionPreset(), DataDefinition(regression=[numbers])
    classes = {spelt(value) for one in columns for value in one}
    if not 1 < len(classes) <= CLASSES:
        raise UsageError(f"there are {len(classes):,} classes, and not 2 to {CLASSES}")
    kind: Any = MulticlassClassification(target=target, prediction_labels=prediction)
    if len(classes) == 2:
        positive = said.positive if said.positive in classes else max(classes)
        kind = BinaryClassification(target=target, prediction_labels=prediction, pos_label=positive)
    named = {name: [side[name].map(spelt, na_action="ignore") for side in sides] for name in both}
    sides = [
        side.assign(**{name: named[name][place] for name in both})
        for place, side in enumerate(sides)
    ]
    return sides, ClassificationPreset(), DataDefinition(classification=[kind])


def _different(values: pd.Series) -> int:
    return int(values.nunique())
