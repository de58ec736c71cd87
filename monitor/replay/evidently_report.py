"""Rows → Evidently's own drift report, beside ours, on the same values."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.errors import UsageError
from monitor.extras import advice
from monitor.types import Row

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 100_000
"""Rows that Evidently is given of each side."""


def need() -> None:
    """Raise UsageError unless the extra is installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses what numpy has deprecated, on import
            import evidently  # noqa: F401
    except ImportError:
        raise UsageError(advice("replay", "--evidently")) from None


class Sample:
    """The first rows of one side, for Evidently: one column a feature, one line a row, the first
    value where a row has several."""

    def __init__(self) -> None:
        self._rows = 0
        self._columns: dict[str, dict[int, Any]] = {}

    def add(self, row: Row) -> None:
        """Keep what is seen in one more row, of the first MOST_ROWS."""
        if self._rows == MOST_ROWS:
            return
        for seen in row.observations:
            if seen.kind != "vector" and isinstance(seen.value, str | int | float):
                self._columns.setdefault(seen.feature, {}).setdefault(self._rows, seen.value)
        self._rows += 1

    def frame(self) -> pd.DataFrame:
        """The rows; a column whose values are not all numbers is one of texts."""
        import pandas as pd

        found = pd.DataFrame(index=range(self._rows))
        for name, values in self._columns.items():
            kinds = {type(value) for value in values.values()}
            if not kinds <= {int, float}:
                values = {index: str(value) for index, value in values.items()}  # noqa: PLW2901
            found[name] = pd.Series(values)
        return found


def write(reference: pd.DataFrame, current: pd.DataFrame, path: Path) -> Sequence[str]:
    """Write Evidently's data drift report; returns what had to be left out, in words."""
    shared = [name for name in reference.columns if name in current.columns]
    mixed = [name for name in shared if reference[name].dtype.kind != current[name].dtype.kind]
    for side in (reference, current):
        side[mixed] = side[mixed].astype(str)
    left = sorted({*reference.columns, *current.columns} - set(shared))
    if not shared:
        raise UsageError(
            "--evidently: the two sides have no feature in common; give another --reference"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns inside it of what is small or empty
        from evidently import Report
        from evidently.presets import DataDriftPreset

        snapshot = Report([DataDriftPreset()]).run(current[shared], reference[shared])
        try:
            snapshot.save_html(str(path))
        except OSError as error:
            raise UsageError(f"--evidently: {path}: {error.strerror}") from None
    return [
        f"--evidently: left out, because one side has no such values: {', '.join(left)}"
    ] * bool(left)
