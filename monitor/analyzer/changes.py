"""Findings of one look after the other → a line in the log for each that changed its status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor import logs
from monitor.findings import Change, Finding, Status
from monitor.types import WHOLE

LINES = 20
"""Lines of one look, at most."""


class Changes:
    """What the last look found."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str, str], Status] = {}
        self._known: set[tuple[str, float]] = set()

    def begin(self, findings: Iterable[Finding], in_service: Iterable[Change]) -> None:
        """Go on from what was found before, and say nothing of it."""
        self._states = {found.key: found.status for found in findings}
        self._known = {(one.fact, one.since) for one in in_service}

    def say(self, findings: Iterable[Finding], in_service: Iterable[Change]) -> None:
        """Say which features and segments began or ceased to drift, and what came into service."""
        found, latest = [*findings], [*in_service]
        lines = [*self._drifted(found)]
        lines += [one.words for one in latest if (one.fact, one.since) not in self._known]
        self.begin(found, latest)
        for line in lines[:LINES]:
            logs.info(line)
        if len(lines) > LINES:
            logs.info(f"{len(lines) - LINES} more features and segments changed their status")

    def _drifted(self, findings: Sequence[Finding]) -> Iterable[str]:
        for found in findings:
            before = self._states.get(found.key, "insufficient")
            if found.status != before and "drift" in (found.status, before):
                where = found.feature
                if found.dimension != WHOLE.dimension:
                    where += f" in {found.dimension} {found.value}"
                size = ", ".join(f"{name} {score:.3g}" for name, score in found.scores.items())
                verb = "drifted" if found.status == "drift" else "is back to usual"
                yield f"{where} {verb} ({size}; {found.samples:,} values)"
