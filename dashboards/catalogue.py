"""Catalogue → METRICS.md."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.metrics import CATALOGUE, LOSS_REASONS, Metric
from monitor.proxy import http2, observer, websocket

_HEAD = """# Metrics

Everything that `GET /metrics` on the admin port shows, and nothing else. Every metric carries the
label `endpoint` beside its own. This page is made from `monitor/metrics.py` by
`python -m dashboards.build`; change it there.

- Counters start at zero with the command and only grow, also when one of its processes is
  killed; look at them through `rate()` or `increase()`. Histograms have `_bucket`, `_sum` and
  `_count`.
- The whole of the traffic is dimension `all`, value `all`. A dimension that a request does not
  carry has the value `none`; values beyond the budget are `other`.
- At every scrape, each side summed over its labels:
  `monitor_exchanges_total = monitor_records_appended_total + monitor_exchanges_lost_total +
  monitor_records_pending`. What an earlier run left in the spool is counted again, as pending
  and with the model `unknown`, by the run that finds it there.
- The model is `unknown` where an exchange names none, in every metric.
- Reasons of `monitor_exchanges_lost_total`: {reasons}.
- Reasons of `monitor_connections_opaque_total`: {opaque}.
- *Role* is the process that counts; `monitor sidecar` shows proxy, recorder and the processes,
  `monitor analyze` analyzer and the processes, `monitor run` all.
- *OpenTelemetry* is the name over OTLP; where there is none, the metric keeps its own.
"""

_ROLES = {
    "proxy": "Counted by the proxy: traffic and the ledger",
    "recorder": "Counted by the recorder: what the exchanges meant",
    "analyzer": "Counted by the analyzer: what has changed",
    "supervisor": "Counted by the supervisor and the pages: the processes",
}


def document() -> str:
    """METRICS.md, whole."""
    opaque = (*observer.OPAQUE_REASONS, *http2.OPAQUE_REASONS, *websocket.OPAQUE_REASONS)
    sections = [_HEAD.format(reasons=_listed(LOSS_REASONS), opaque=_listed(opaque))]
    for role, title in _ROLES.items():
        metrics = [metric for metric in CATALOGUE if metric.role == role]
        sections.append(f"## {title}\n\n" + "\n".join(_entry(metric) for metric in metrics))
    return "\n".join(sections)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _entry(metric: Metric) -> str:
    facts: list[str] = [metric.kind]
    if metric.unit:
        facts.append(f"in {metric.unit}")
    if metric.labels:
        facts.append("by " + ", ".join(f"`{label}`" for label in metric.labels))
    lines = [f"### `{metric.name}`", "", f"{metric.help}", "", f"- {'; '.join(facts)}"]
    if metric.buckets:
        lines.append("- buckets: " + ", ".join(f"{bound:g}" for bound in metric.buckets))
    if metric.otel:
        lines.append(f"- OpenTelemetry: `{metric.otel}`")
    return "\n".join(lines) + "\n"
