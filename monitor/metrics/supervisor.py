"""What is told of the processes themselves."""

from __future__ import annotations

from monitor.metrics.metric import Metric

METRICS = (
    Metric(
        "monitor_restarts_total", "counter",
        "Times that the supervisor restarted a crashed process, by role, or could start none; the "
        "embedded store's role is `store`. "
        "Normally 0.",
        "supervisor", ("role",),
    ),
    Metric(
        "monitor_answer_errors_total", "counter",
        "Times that a process could not report its metrics or findings, by role and question. "
        "Normally 0; its last good answer is shown.",
        "supervisor", ("role", "question"),
    ),
    Metric(
        "monitor_processes", "gauge",
        "Processes that run now, by role.",
        "supervisor", ("role",),
    ),
    Metric(
        "monitor_process_cpu_seconds_total", "counter",
        "Seconds of CPU (user and system) that the processes used, by role. Its rate is the "
        "number of cores in use.",
        "supervisor", ("role",), "seconds",
    ),
    Metric(
        "monitor_process_resident_memory_bytes", "gauge",
        "Bytes of memory that the processes hold now (resident), by role.",
        "supervisor", ("role",), "bytes",
    ),
    Metric(
        "monitor_limit_bytes", "gauge",
        "The configured bound in bytes of a place where exchanges wait: all buffers together, "
        "or the disk spool.",
        "supervisor", ("place",), "bytes",
    ),
    Metric(
        "monitor_objective_ratio", "gauge",
        "The share of exchanges that is to meet an objective of the endpoint, as `objectives` "
        "says: availability, latency, first_token.",
        "supervisor", ("objective",),
    ),
    Metric(
        "monitor_objective_seconds", "gauge",
        "The longest time in seconds that meets an objective, as `objectives` says: latency, "
        "first_token.",
        "supervisor", ("objective",), "seconds",
    ),
    Metric(
        "monitor_certificate_not_before_timestamp_seconds", "gauge",
        "Unix time from which on a certificate of the settings holds. certificate is the key of "
        "the setting: `tls.cert`, `tls.client_cert`, `tls.ca`, `access.tls.cert`.",
        "supervisor", ("certificate",), "seconds",
    ),
    Metric(
        "monitor_certificate_not_after_timestamp_seconds", "gauge",
        "Unix time at which a certificate of the settings ends: the first one of a file; of "
        "`tls.ca` the one that ends last.",
        "supervisor", ("certificate",), "seconds",
    ),
    Metric(
        "monitor_exports_total", "counter",
        "Deliveries of metrics to a collector, by outcome (ok, failed). A failed one is made up "
        "by the next.",
        "supervisor", ("exporter", "outcome"),
    ),
    Metric(
        "monitor_notifications_total", "counter",
        "Attempts to tell a receiver of `notify` something, by result (delivered, failed). What "
        "failed is tried again.",
        "supervisor", ("receiver", "result"),
    ),
    Metric(
        "monitor_start_timestamp_seconds", "gauge",
        "Unix time at which this instance started, and its counters with it. A counter that "
        "Prometheus has not seen before is new where it is younger.",
        "supervisor", (), "seconds",
    ),
    Metric(
        "monitor_build_info", "gauge",
        "Always 1; the label version is the version of monitor.",
        "supervisor", ("version",),
    ),
)  # fmt: skip
