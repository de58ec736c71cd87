"""One metric, and the buckets that histograms share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
NANO = 10**9
"""Money is counted in billionths, so that sums are the same in whatever order they are made."""
Role = Literal["proxy", "recorder", "analyzer", "archiver", "injector", "supervisor"]

# OpenTelemetry GenAI bucket advice, widened at both ends: a classical model answers in under 10 ms,
# a reasoning model in minutes.
DURATION_BUCKETS = (
    0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
    81.92, 163.84,
)  # fmt: skip
FIRST_TOKEN_BUCKETS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    30.0, 60.0,
)  # fmt: skip
PER_TOKEN_BUCKETS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
)  # fmt: skip

FEEDBACK_DELAY_BUCKETS = (
    1.0, 10.0, 60.0, 600.0, 3600.0, 21600.0, 86400.0, 259200.0, 604800.0, 1209600.0, 2592000.0,
)  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """One metric: `labels` without `endpoint`; `buckets` are upper bounds in `unit`.

    What is added to a counter are whole numbers of its smallest part, `parts` of which are one.
    """

    name: str
    kind: Kind
    help: str
    role: Role
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
    parts: int = 1


def nano(amount: float) -> int:
    """Billionths of a unit of a currency."""
    return round(amount * NANO)
