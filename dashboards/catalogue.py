"""Catalogue → METRICS.md."""

from __future__ import annotations

from collections.abc import Iterable

from monitor import conventions
from monitor.inject.reasons import REASONS, UNCAPTURED
from monitor.metrics import CATALOGUE
from monitor.metrics.labels import LOSS_REASONS, REDACTION_REASONS, SET_ASIDE_REASONS
from monitor.metrics.metric import Metric
from monitor.proxy import http2, observer, websocket

_HEAD = """# Metrics

`GET /metrics` on the admin port shows these metrics and no others. Every metric also has the label
`endpoint`. `python -m dashboards.build` writes this page from `monitor/metrics/`; change it
there.

How to read them:

- **Counters** start at 0 with the command and only grow, also when one of its processes is killed.
  Read them through `rate()` or `increase()`. **Histograms** have `_bucket`, `_sum` and `_count`.
- **Segments** are named by `dimension` and `value`. All of the traffic is dimension `all`, value
  `all`. The value is `none` where a request does not carry the dimension, and `other` beyond the
  budget of 50 values. An exchange has one value of a dimension, but of `edge_case` any number:
  `none` where it is of no edge case, `unknown` where it left no Record (`capture.sample_over`).
- **The ledger** adds up at every scrape, each term summed over its labels:
  `monitor_exchanges_total = monitor_records_appended_total + monitor_exchanges_lost_total +
  monitor_records_pending`. A run counts again what an earlier run left in the spool: as pending,
  with the model `unknown`.
- **The model** is `unknown` where an exchange names none.
- **Who counts**: `monitor sidecar` shows the metrics of proxy, recorder and processes;
  `monitor analyze` those of analyzer and processes; `monitor run` all.
- **OpenTelemetry** is the name over OTLP, by `otlp.conventions`. Metrics without that line keep
  their own name.

Values of the label `reason`; [RUNBOOK.md](RUNBOOK.md) says what to do about each:

- `monitor_exchanges_lost_total`: {lost}.
- `monitor_connections_opaque_total`: {opaque}.
- `monitor_redactions_total`: {redacted}.
- `monitor_records_set_aside_total`: {set_aside}.
- `monitor_injections_total`: {injections}.
"""

_ROLES = {
    "proxy": "Counted by the proxy: traffic and the ledger",
    "recorder": "Counted by the recorder: what the exchanges meant",
    "analyzer": "Counted by the analyzer: what has changed",
    "archiver": "Counted by the archiver: what is archived",
    "injector": "Counted by the injector: what became of Pods",
    "supervisor": "Counted by the supervisor and the pages: the processes",
}


def document() -> str:
    """METRICS.md, whole."""
    opaque = (*observer.OPAQUE_REASONS, *http2.OPAQUE_REASONS, *websocket.OPAQUE_REASONS)
    reasons = {
        "lost": LOSS_REASONS,
        "opaque": opaque,
        "redacted": REDACTION_REASONS,
        "set_aside": SET_ASIDE_REASONS,
        "injections": (UNCAPTURED, *REASONS),
    }
    sections = [_HEAD.format(**{name: _listed(each) for name, each in reasons.items()})]
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
    if names := _otel(metric):
        lines.append("- OpenTelemetry: " + "; ".join(names))
    return "\n".join(lines) + "\n"


def _otel(metric: Metric) -> list[str]:
    """Each name over OTLP with the versions of the conventions that have it, the newest first."""
    versions: dict[str, list[str]] = {}
    for version in reversed(conventions.VERSIONS):
        if named := conventions.Conventions(version).metric(metric.name):
            versions.setdefault(named.name, []).append(version)
    return [
        f"`{name}`" + ("" if len(versions) == 1 else f" ({', '.join(reversed(which))})")
        for name, which in versions.items()
    ]
