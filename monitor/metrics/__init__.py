"""The catalogue: every metric `monitor` exports, and nothing else.

Exporters, dashboards, alerts and documentation use the names in here only; `tests/test_house.py`
holds them to it. Every metric carries the label `endpoint` beside its own. `conventions` has the
names under which OpenTelemetry's GenAI conventions know the same quantities.
"""

from __future__ import annotations

from monitor.metrics import (
    analyzer,
    archiver,
    exchanges,
    injector,
    outcomes,
    proxy,
    recorder,
    supervisor,
)
from monitor.metrics.metric import Metric

CATALOGUE: tuple[Metric, ...] = (
    *proxy.METRICS,
    *exchanges.METRICS,
    *recorder.METRICS,
    *analyzer.METRICS,
    *outcomes.METRICS,
    *archiver.METRICS,
    *injector.METRICS,
    *supervisor.METRICS,
)

BY_NAME = {metric.name: metric for metric in CATALOGUE}
