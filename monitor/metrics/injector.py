"""What the injector says of the Pods that it was asked about."""

from __future__ import annotations

from monitor.metrics.metric import Metric

METRICS = (
    Metric(
        "monitor_injections_total", "counter",
        "Pods that the API server asked about, by result: `injected`; `skipped`, because nobody "
        "wanted a sidecar or it was there; `refused`, because it could not be added safely; "
        "`failed`, by a defect, or because the API server did not answer. All were admitted. The "
        "reason is empty for a sidecar that traffic reaches.",
        "injector", ("result", "reason"),
    ),
)  # fmt: skip
