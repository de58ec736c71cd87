"""The catalogue: every metric `monitor` exports, and nothing else.

Exporters, dashboards, alerts and documentation use the names in here only; `tests/test_house.py`
holds them to it. Every metric carries the label `endpoint` beside its own. `otel` is the name under
which OpenTelemetry's GenAI conventions (development status, 2026) know the same quantity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Role = Literal["proxy", "recorder", "analyzer", "supervisor"]

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


@dataclass(frozen=True)
class Metric:
    """One metric: `labels` without `endpoint`; `buckets` are upper bounds in `unit`."""

    name: str
    kind: Kind
    help: str
    role: Role
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
    otel: str = ""


CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "monitor_exchanges_total", "counter",
        "Exchanges that ended, whatever became of their record.",
        "proxy", ("protocol", "operation", "model", "outcome"),
    ),
    Metric(
        "monitor_records_appended_total", "counter",
        "Exchanges whose record was appended to the stream.", "proxy",
    ),
    Metric(
        "monitor_exchanges_lost_total", "counter",
        "Exchanges that ended without a record in the stream, by reason.", "proxy", ("reason",),
    ),
    Metric(
        "monitor_records_pending", "gauge",
        "Exchanges on their way to the stream: in the proxy's buffer or in the disk spool.",
        "proxy", ("place",),
    ),
    Metric(
        "monitor_buffer_bytes", "gauge",
        "Bytes of exchanges in the proxy's buffer.", "proxy", (), "bytes",
    ),
    Metric(
        "monitor_connections", "gauge", "Open downstream connections.", "proxy",
    ),
    Metric(
        "monitor_connections_total", "counter", "Downstream connections accepted.", "proxy",
    ),
    Metric(
        "monitor_connections_opaque_total", "counter",
        "Connections whose traffic could not be followed and passed unrecorded from there on.",
        "proxy", ("reason",),
    ),
    Metric(
        "monitor_connections_refused_total", "counter",
        "Downstream connections refused because limits.connections was reached.", "proxy",
    ),
    Metric(
        "monitor_exchange_duration_seconds", "histogram",
        "From the first byte of the request to the last byte of the response.",
        "recorder", ("operation", "model"), "seconds", DURATION_BUCKETS,
        "gen_ai.client.operation.duration",
    ),
    Metric(
        "monitor_time_to_first_token_seconds", "histogram",
        "From the first byte of the request to the first content-bearing event of a stream.",
        "recorder", ("operation", "model"), "seconds", FIRST_TOKEN_BUCKETS,
        "gen_ai.server.time_to_first_token",
    ),
    Metric(
        "monitor_time_per_output_token_seconds", "histogram",
        "Time between output tokens after the first, where the endpoint reports token counts.",
        "recorder", ("operation", "model"), "seconds", PER_TOKEN_BUCKETS,
        "gen_ai.server.time_per_output_token",
    ),
    Metric(
        "monitor_tokens_total", "counter", "Tokens as the endpoint reported them.",
        # `gen_ai.client.token.usage` is a histogram of exchanges; a counter must not bear its name.
        "recorder", ("model", "direction"),
    ),
    Metric(
        "monitor_segment_exchanges_total", "counter", "Exchanges by segment.",
        "recorder", ("dimension", "value", "outcome"),
    ),
    Metric(
        "monitor_segment_duration_seconds", "histogram", "Exchange duration by segment.",
        "recorder", ("dimension", "value"), "seconds", DURATION_BUCKETS,
    ),
    Metric(
        "monitor_segment_time_to_first_token_seconds", "histogram",
        "Time to the first content-bearing event by segment.",
        "recorder", ("dimension", "value"), "seconds", FIRST_TOKEN_BUCKETS,
    ),
    Metric(
        "monitor_segment_tokens_total", "counter", "Tokens by segment.",
        "recorder", ("dimension", "value", "direction"),
    ),
    Metric(
        "monitor_pseudonyms_total", "counter",
        "Personal data replaced by pseudonyms, by entity.", "recorder", ("entity",),
    ),
    Metric(
        "monitor_redactions_total", "counter",
        "Texts replaced whole because they could not be made safe, by reason.",
        "recorder", ("reason",),
    ),
    Metric(
        "monitor_part_failures_total", "counter",
        "Times a part (a protocol, a dimension, a feature) failed on an exchange, which counts "
        "without what that part would have said.",
        "recorder", ("kind", "name"),
    ),
    Metric(
        "monitor_key_conflict", "gauge",
        "Recorders whose key is not the one that other replicas have under its id.",
        "recorder",
    ),
    Metric(
        "monitor_series_overflow_total", "counter",
        "Label values folded into `other` because the metric's budget was used up.",
        "recorder", ("metric",),
    ),
    Metric(
        "monitor_store_up", "gauge",
        "1 while the recorder's last command to the store was answered, else 0.", "recorder",
    ),
    Metric(
        "monitor_spool_bytes", "gauge", "Bytes of records in the disk spool.",
        "recorder", (), "bytes",
    ),
    Metric(
        "monitor_records_analyzed_total", "counter", "Records folded into windows.", "analyzer",
    ),
    Metric(
        "monitor_analysis_timestamp_seconds", "gauge",
        "Unix time of the newest record that has been analyzed.", "analyzer", (), "seconds",
    ),
    Metric(
        "monitor_records_set_aside_total", "counter",
        "Entries of the stream that were passed over, by reason.", "analyzer", ("reason",),
    ),
    Metric(
        "monitor_records_missed_total", "counter",
        "Records that the stream's bounds deleted before they were analyzed.", "analyzer",
    ),
    Metric(
        "monitor_drift_watches", "gauge",
        "Features and segments that are watched, by whether their series are exported.",
        "analyzer", ("state",),
    ),
    Metric(
        "monitor_drift_score", "gauge",
        "Distance of the current window from the reference, bias-corrected.",
        "analyzer", ("feature", "dimension", "value", "measure"),
    ),
    Metric(
        "monitor_drift_threshold", "gauge",
        "Score from which on a believed change counts as drift, by measure.",
        "analyzer", ("measure",),
    ),
    Metric(
        "monitor_drift_log_evidence", "gauge",
        "Natural logarithm of the anytime-valid evidence against `nothing changed`.",
        "analyzer", ("feature", "dimension", "value"),
    ),
    Metric(
        "monitor_drift_samples", "gauge", "Values in the current window.",
        "analyzer", ("feature", "dimension", "value"),
    ),
    Metric(
        "monitor_drift_status", "gauge",
        "1 for the status that holds (ok, drift, insufficient), 0 for the others.",
        "analyzer", ("feature", "dimension", "value", "status"),
    ),
    Metric(
        "monitor_restarts_total", "counter",
        "Restarts of a crashed process, by role.", "supervisor", ("role",),
    ),
    Metric(
        "monitor_answer_errors_total", "counter",
        "Questions (metrics, findings) that a process could not answer, by role.",
        "supervisor", ("role", "question"),
    ),
    Metric(
        "monitor_processes", "gauge", "Running processes, by role.", "supervisor", ("role",),
    ),
    Metric(
        "monitor_process_cpu_seconds_total", "counter",
        "CPU time of user and system, by role; what monitoring costs.",
        "supervisor", ("role",), "seconds",
    ),
    Metric(
        "monitor_process_resident_memory_bytes", "gauge", "Resident memory, by role.",
        "supervisor", ("role",), "bytes",
    ),
    Metric(
        "monitor_limit_bytes", "gauge",
        "The configured bound of a place where exchanges wait: all buffers, or the disk spool.",
        "supervisor", ("place",), "bytes",
    ),
    Metric(
        "monitor_exports_total", "counter",
        "Deliveries of measurements to a collector, by what came of them (ok, failed).",
        "supervisor", ("exporter", "outcome"),
    ),
    Metric(
        "monitor_build_info", "gauge", "Always 1; the version as a label.",
        "supervisor", ("version",),
    ),
)  # fmt: skip

BY_NAME = {metric.name: metric for metric in CATALOGUE}

LOSS_REASONS = (
    "buffer_full",  # the proxy's buffer was at its bound
    "too_large",  # one exchange larger than the whole buffer
    "opaque",  # its connection turned opaque under way; the outcome is what its status said, or ok
    "unreadable",  # the recorder failed on it; a defect of ours
    "shutdown",  # still unacknowledged when the drain ended
    "poison",  # the recorder died of it twice; it is handed over no more
    "proxy_died",  # in the buffer of a proxy that was killed, and not yet with the recorder
    "spool_damaged",  # in the spool, and no longer there: a file is corrupt, or somebody deleted it
)
"""Every value of the label `reason` of `monitor_exchanges_lost_total`."""

SET_ASIDE_REASONS = (
    "unreadable",  # not a record of this version: another writer's, or damaged
    "failed",  # counting it raised; a defect of ours
    "poison",  # it has ended the analyzer twice
)
"""Every value of the label `reason` of `monitor_records_set_aside_total`."""

UNKNOWN = "unknown"
"""The label of a model, protocol or operation that nobody has said."""

REDACTION_REASONS = (
    "too_long",  # the rest of a text beyond its bound; a label or field of a head beyond its
    "record_too_large",  # texts of one record together
    "timeout",  # the time for one record was up
    "nesting",  # JSON, or encodings, too deep within each other
    "bomb",  # a compressed run that holds more than its bound
    "too_many_candidates",  # more places than the scanner looks at
    "scan_failed",  # the scanner itself gave an error
    "error",  # anything else went wrong; a defect of ours
    "type",  # a value that is none of JSON
    "unparsable",  # a body that a rule is about, whose places cannot be told
    "surrogates",  # halves of characters, replaced in a text that stays
    "credential",  # the value of a query field that is named for a credential; nothing went wrong
    "ner",  # the model of names gave no answer in time
    "sealed",  # more values in one record than are sealed; the pseudonym is there
    "expansion",  # what was read of a body was much larger than it; its text is there
)
"""Every value of the label `reason` of `monitor_redactions_total`."""
