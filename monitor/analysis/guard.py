"""Somebody's own Feature → one that never raises: a part of a third party ends nothing of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from monitor import logs
from monitor.interfaces import Feature
from monitor.types import Observation, Record

PATIENCE = 100
"""A part that raised on so many records in a row is not asked again until the next start."""

MOST = 10_000
"""Observations that a part may make of one record; the rest is left out."""


class Guard:
    """The `observe` of a part named `name`, with what it raises counted in `failures`."""

    def __init__(self, name: str, observe: Callable[[Record], Iterable[Observation]]) -> None:
        self.name = name
        self.failures = 0
        self._observe = observe
        self._in_a_row = 0

    def __call__(self, record: Record) -> list[Observation]:
        """What the part sees in a record; nothing where it raises."""
        if self._in_a_row >= PATIENCE:
            return []
        try:
            seen = [_checked(one) for one in islice(self._observe(record), MOST)]
        except Exception as error:  # noqa: BLE001  whatever somebody's own part may raise
            self._note(error)
            return []
        self._in_a_row = 0
        return seen

    def _note(self, error: Exception) -> None:
        self.failures += 1
        self._in_a_row += 1
        if self.failures == 1:
            logs.warning(
                f"the part {self.name} raised {logs.place(error)}; the record counts without it "
                "(not said again)"
            )
        if self._in_a_row == PATIENCE:
            logs.error(
                f"the part {self.name} raised on {PATIENCE} records in a row; it is set aside "
                "until the analyzer is started again"
            )


def guarded(name: str, feature: Feature) -> Feature:
    """The same feature, behind a Guard."""
    return Feature(feature.name, Guard(name, feature.observe))


def _checked(seen: Observation) -> Observation:
    if type(seen) is not Observation or type(seen.feature) is not str:
        raise TypeError
    return seen
