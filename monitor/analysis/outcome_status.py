"""What a monitor of outcomes judged → the two metrics that all of these monitors share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from monitor.findings import OutcomeStatus
from monitor.types import Measurement


def measurements(
    endpoint: str,
    monitor: str,
    measure: str,
    segment: tuple[str, str],
    judged: tuple[OutcomeStatus, float],
) -> Iterator[Measurement]:
    """Yield evidence and status of a measure in a segment, (dimension, value).

    `judged` is the status and the natural logarithm of the evidence.
    """
    status, log_evidence = judged
    labels = {
        "endpoint": endpoint, "monitor": monitor, "measure": measure,
        "dimension": segment[0], "value": segment[1],
    }  # fmt: skip
    yield Measurement("monitor_outcome_log_evidence", labels, log_evidence)
    for one in get_args(OutcomeStatus):
        here = {**labels, "status": one}
        yield Measurement("monitor_outcome_status", here, float(one == status))
