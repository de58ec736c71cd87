"""What can be asked of a running `monitor`: the API and the console answer by the same queries.

To add one, write a file with a `Query` and name it in `QUERIES`: it is then served at
`/api/v1/{path}` and described in the OpenAPI document.
"""

from __future__ import annotations

from monitor.queries import (
    decisions,
    experiments,
    findings,
    outcomes,
    record,
    records,
    segments,
    slices,
    status,
    templates,
    timeline,
)
from monitor.queries.query import Query

QUERIES: tuple[Query, ...] = (
    status.QUERY,
    findings.QUERY,
    segments.QUERY,
    outcomes.QUALITY,
    outcomes.CALIBRATION,
    outcomes.COVERAGE,
    outcomes.FAIRNESS,
    slices.QUERY,
    experiments.QUERY,
    timeline.QUERY,
    decisions.QUERY,
    templates.QUERY,
    templates.ONE,
    records.QUERY,
    record.QUERY,
)
