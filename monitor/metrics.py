"""The catalogue: every metric `monitor` exports, and nothing else.

Exporters, dashboards, alerts and documentation use the names in here only; `tests/test_house.py`
holds them to it. Every metric carries the label `endpoint` beside its own. `otel` is the name under
which OpenTelemetry's GenAI conventions (development status, 2026) know the same quantity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
NANO = 10**9
"""Money is counted in billionths, so that sums are the same in whatever order they are made."""
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
    otel: str = ""
    parts: int = 1


CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "monitor_exchanges_total", "counter",
        "Exchanges (one request with its response) that ended, whether they were recorded or "
        "not. outcome says how; a rise in server_error or upstream_* means that the endpoint "
        "fails.",
        "proxy", ("protocol", "operation", "model", "outcome"),
    ),
    Metric(
        "monitor_records_appended_total", "counter",
        "Exchanges whose record the recorder appended to the stream.",
        "proxy",
    ),
    Metric(
        "monitor_exchanges_lost_total", "counter",
        "Exchanges that ended and will never have a record in the stream, by reason. Normally "
        "0, but for `sampled` with `capture.sample_over`; the traffic itself was served.",
        "proxy", ("reason",),
    ),
    Metric(
        "monitor_records_pending", "gauge",
        "Exchanges that ended and wait for their record: in the proxy's buffer or in the disk "
        "spool. A rise in spool means that the store is away.",
        "proxy", ("place",),
    ),
    Metric(
        "monitor_buffer_bytes", "gauge",
        "Bytes of exchanges that the proxy holds for the recorder now. A rise means that the "
        "recorder does not keep up.",
        "proxy", (), "bytes",
    ),
    Metric(
        "monitor_connections", "gauge",
        "Connections of clients that are open now.",
        "proxy",
    ),
    Metric(
        "monitor_connections_total", "counter",
        "Connections of clients that the proxy accepted.",
        "proxy",
    ),
    Metric(
        "monitor_connections_opaque_total", "counter",
        "Connections that the proxy could not parse with certainty, by reason. Their bytes are "
        "forwarded, but not recorded from there on.",
        "proxy", ("reason",),
    ),
    Metric(
        "monitor_connections_refused_total", "counter",
        "Connections of clients that the proxy refused because `limits.connections` was "
        "reached. Normally 0.",
        "proxy",
    ),
    Metric(
        "monitor_exchange_duration_seconds", "histogram",
        "Seconds from the first byte of the request to the last byte of the response, counted "
        "when the exchange ends.",
        "recorder", ("operation", "model"), "seconds", DURATION_BUCKETS,
        "gen_ai.client.operation.duration",
    ),
    Metric(
        "monitor_time_to_first_token_seconds", "histogram",
        "Seconds from the first byte of the request to the first event with content. Streamed "
        "answers only. A rise means queueing or longer prompts.",
        "recorder", ("operation", "model"), "seconds", FIRST_TOKEN_BUCKETS,
        "gen_ai.server.time_to_first_token",
    ),
    Metric(
        "monitor_time_per_output_token_seconds", "histogram",
        "Mean seconds between output tokens after the first, one value per streamed answer "
        "whose token count the endpoint reports. A rise means a saturated accelerator.",
        "recorder", ("operation", "model"), "seconds", PER_TOKEN_BUCKETS,
        "gen_ai.server.time_per_output_token",
    ),
    Metric(
        "monitor_tokens_total", "counter",
        "Tokens as the endpoint reported them, by direction (input, output).",
        # `gen_ai.client.token.usage` is a histogram of exchanges; a counter must not bear its name.
        "recorder", ("model", "direction"),
    ),
    Metric(
        "monitor_cost_total", "counter",
        "What exchanges cost, in units of the currency, by direction (input, output, units).",
        "recorder", ("model", "direction", "currency"), parts=NANO,
    ),
    Metric(
        "monitor_unpriced_tokens_total", "counter",
        "Tokens of exchanges whose price is not known.",
        "recorder", ("model",),
    ),
    Metric(
        "monitor_segment_cost_total", "counter",
        "What exchanges cost, in units of the currency, by segment.",
        "recorder", ("dimension", "value", "currency"), parts=NANO,
    ),
    Metric(
        "monitor_segment_exchanges_total", "counter",
        "Exchanges that the recorder read, by segment and outcome. An exchange counts under each "
        "of its edge cases (dimension edge_case).",
        "recorder", ("dimension", "value", "outcome"),
    ),
    Metric(
        "monitor_segment_duration_seconds", "histogram",
        "Seconds from the first byte of the request to the last byte of the response, by "
        "segment.",
        "recorder", ("dimension", "value"), "seconds", DURATION_BUCKETS,
    ),
    Metric(
        "monitor_segment_time_to_first_token_seconds", "histogram",
        "Seconds from the first byte of the request to the first event with content, by "
        "segment. Streamed answers only.",
        "recorder", ("dimension", "value"), "seconds", FIRST_TOKEN_BUCKETS,
    ),
    Metric(
        "monitor_segment_tokens_total", "counter",
        "Tokens as the endpoint reported them, by segment and direction (input, output).",
        "recorder", ("dimension", "value", "direction"),
    ),
    Metric(
        "monitor_output_checks_total", "counter",
        "Exchanges that the recorder looked at, by output check and result (passed, failed, or "
        "skipped where the check does not apply).",
        "recorder", ("check", "result"),
    ),
    Metric(
        "monitor_output_check_items_total", "counter",
        "Things that an output check looked at in one answer of eight, as its numbers, by what the "
        "answer was held against (`own`: what it was given; `other`: what another exchange was "
        "given, which shows what chance gives) and result (right, wrong).",
        "recorder", ("check", "given", "result"),
    ),
    Metric(
        "monitor_segment_check_failures_total", "counter",
        "Exchanges whose answer failed an output check, by segment and check. An exchange counts "
        "under each of its edge cases (dimension edge_case).",
        "recorder", ("dimension", "value", "check"),
    ),
    Metric(
        "monitor_pseudonyms_total", "counter",
        "Pieces of personal data that the recorder replaced by pseudonyms, by entity. A fall to "
        "0 may mean that bodies can no longer be read.",
        "recorder", ("entity",),
    ),
    Metric(
        "monitor_redactions_total", "counter",
        "Texts that the recorder replaced whole because they could not be made safe within "
        "bounds, by reason. Normally near 0.",
        "recorder", ("reason",),
    ),
    Metric(
        "monitor_privacy_cache_lookups_total", "counter",
        "Texts that the recorder looked up among those it scrubbed before, by result (hit, miss). "
        "A hit is not scanned again. Fewer hits cost CPU time and nothing else.",
        "recorder", ("result",),
    ),
    Metric(
        "monitor_part_failures_total", "counter",
        "Times that a protocol, a dimension, a recognizer, an edge case, a check or a feature "
        "failed on an exchange. The exchange is counted without what that part would have said. "
        "Normally 0.",
        "recorder", ("kind", "name"),
    ),
    Metric(
        "monitor_key_conflict", "gauge",
        "Recorders whose key differs from the one that other replicas have under the same id. "
        "Normally 0; above, their pseudonyms do not join.",
        "recorder",
    ),
    Metric(
        "monitor_series_overflow_total", "counter",
        "Label values counted as `other` because the metric's budget of values was used up. A "
        "rise means that a client sends ids where groups belong.",
        "recorder", ("metric",),
    ),
    Metric(
        "monitor_store_up", "gauge",
        "1 while the store answered the recorder's last command, else 0. At 0 records go to the "
        "disk spool.",
        "recorder",
    ),
    Metric(
        "monitor_spool_bytes", "gauge",
        "Bytes of records in the disk spool now. Normally 0; a rise means that the store is "
        "away.",
        "recorder", (), "bytes",
    ),
    Metric(
        "monitor_records_analyzed_total", "counter",
        "Records that the analyzer counted.",
        "analyzer",
    ),
    Metric(
        "monitor_analysis_timestamp_seconds", "gauge",
        "Unix time of the newest record that the analyzer counted. Its age is the lag of drift "
        "findings.",
        "analyzer", (), "seconds",
    ),
    Metric(
        "monitor_records_set_aside_total", "counter",
        "Entries of the stream that the analyzer passed over, by reason. Normally 0; drift "
        "findings lack them.",
        "analyzer", ("reason",),
    ),
    Metric(
        "monitor_records_missed_total", "counter",
        "Records that the stream deleted (`stream.max_length`, `stream.max_age`) before the "
        "analyzer read them. Normally 0; a rise means that the analyzer was away or slow.",
        "analyzer",
    ),
    Metric(
        "monitor_drift_watches", "gauge",
        "Pairs of feature and segment that the analyzer watches, by whether their series are "
        "exported. `drift.watches` bounds them.",
        "analyzer", ("state",),
    ),
    Metric(
        "monitor_drift_score", "gauge",
        "Bias-corrected distance of the current window from the reference, by measure. 0 is no "
        "difference; compare with monitor_drift_threshold.",
        "analyzer", ("feature", "dimension", "value", "measure"),
    ),
    Metric(
        "monitor_drift_threshold", "gauge",
        "The score from which a believed change counts as drift, by measure.",
        "analyzer", ("measure",),
    ),
    Metric(
        "monitor_drift_log_evidence", "gauge",
        "Natural logarithm of the evidence against `nothing changed`; it may be read at every "
        "moment. A lasting rise means that a change is certain.",
        "analyzer", ("feature", "dimension", "value"),
    ),
    Metric(
        "monitor_drift_samples", "gauge",
        "Values in the current window of a feature and segment. Too few give the status "
        "insufficient.",
        "analyzer", ("feature", "dimension", "value"),
    ),
    Metric(
        "monitor_drift_status", "gauge",
        "1 for the status that holds (ok, drift, insufficient), 0 for the two others.",
        "analyzer", ("feature", "dimension", "value", "status"),
    ),
    Metric(
        "monitor_quality", "gauge",
        "How good predictions were by the labels that are due, since counting began, by measure: "
        "accuracy, precision, recall, f1, auc, log_loss, mae, rmse, exact_match, token_overlap.",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_class_quality", "gauge",
        "How good predictions of one class were, by measure: precision, recall, f1. The class "
        "`other` holds what came after 64 classes.",
        "analyzer", ("dimension", "value", "class", "measure"),
    ),
    Metric(
        "monitor_quality_estimate", "gauge",
        "Quality to be expected by the scores of all outcomes that are due, with a label or "
        "without; not exported while monitor_quality_estimate_valid is 0.",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_quality_estimate_valid", "gauge",
        "1 while scores are worth what they were at first, 0 once labels say that they are not.",
        "analyzer",
    ),
    Metric(
        "monitor_quality_labels", "gauge",
        "Labels that quality was measured with in a segment.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_outcomes_incomplete_total", "counter",
        "Outcomes of which not all could be counted when they were due: no label (unlabelled), no "
        "prediction (unsaid), a score outside 0 to 1 (score), a label of another kind than the "
        "prediction (kind), a number beyond all (number).",
        "analyzer", ("reason",),
    ),
    Metric(
        "monitor_calibration_error", "gauge",
        "How far scores are from the probabilities that they claim to be, by measure: ece "
        "(expected calibration error, less what a perfect model has by chance, so it may be below "
        "0), brier (mean squared error).",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_calibration_temperature", "gauge",
        "By what the logits of scores should be divided. Above 1 scores are too sure, below 1 not "
        "sure enough.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_coverage_ratio", "gauge",
        "Share of labels that prediction sets and intervals held. `coverage.target` is what they "
        "promise.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_fairness_gap", "gauge",
        "How a group fares minus how the rest of its dimension does, by measure: -1 to 1. The "
        "estimate as it is; monitor_outcome_status says whether it is believed.",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_feedback_total", "counter",
        "Items of feedback by kind and by what became of them: joined to a record, unmatched "
        "(nobody has that name, or it came too late), duplicate, invalid, missed (the stream "
        "deleted it before it was read); waiting is how many wait for their record now.",
        "analyzer", ("kind", "result"),
    ),
    Metric(
        "monitor_feedback_delay_seconds", "histogram",
        "Seconds from the end of an exchange to the moment at which something became known of it, "
        "of joined feedback.",
        "analyzer", ("kind",), "seconds", FEEDBACK_DELAY_BUCKETS,
    ),
    Metric(
        "monitor_outcome_records_total", "counter",
        "Records whose outcome was due and is folded (due), and those that were left out because "
        "more came within `outcomes.wait` than `outcomes.records` (left_out).",
        "analyzer", ("result",),
    ),
    Metric(
        "monitor_outcome_records_waiting", "gauge",
        "Records whose outcome is not due yet.",
        "analyzer",
    ),
    Metric(
        "monitor_outcome_share_ratio", "gauge",
        "The share of records that are remembered until their outcome is due: 1, or a half, a "
        "quarter and so on where more come than `outcomes.records`.",
        "analyzer",
    ),
    Metric(
        "monitor_experiment_effect", "gauge",
        "What an arm of an experiment does to a metric: the arm's minus the control's, in the "
        "metric's unit.",
        "analyzer", ("experiment", "variant", "metric"),
    ),
    Metric(
        "monitor_experiment_effect_lower", "gauge",
        "The lower end of the effect's interval, which holds at every moment.",
        "analyzer", ("experiment", "variant", "metric"),
    ),
    Metric(
        "monitor_experiment_effect_upper", "gauge",
        "The upper end of the effect's interval, which holds at every moment.",
        "analyzer", ("experiment", "variant", "metric"),
    ),
    Metric(
        "monitor_experiment_verdict", "gauge",
        "1 for the verdict that holds (better, worse, no_difference, keep_going, invalid), 0 for "
        "the others.",
        "analyzer", ("experiment", "variant", "metric", "verdict"),
    ),
    Metric(
        "monitor_experiment_allocation_log_evidence", "gauge",
        "Natural logarithm of the evidence that exchanges do not come to the arms as declared. "
        "From 4.6 on every verdict is invalid.",
        "analyzer", ("experiment",),
    ),
    Metric(
        "monitor_outcome_log_evidence", "gauge",
        "Natural logarithm of the evidence that predictions are worse than tolerated, by monitor "
        "and measure; it may be read at every moment. A lasting rise means that it is certain.",
        "analyzer", ("monitor", "measure", "dimension", "value"),
    ),
    Metric(
        "monitor_outcome_status", "gauge",
        "1 for the status that holds (ok, alarm, insufficient), 0 for the two others, of what a "
        "monitor of outcomes judges in a segment.",
        "analyzer", ("monitor", "measure", "dimension", "value", "status"),
    ),
    Metric(
        "monitor_review_queue", "gauge",
        "Exchanges that people are asked about and have not all answered, by state: waiting, or "
        "leased to a reviewer.",
        "analyzer", ("state",),
    ),
    Metric(
        "monitor_reviews_total", "counter",
        "Answers of reviewers, by result (passed, failed, skipped). A skip is a missing verdict.",
        "analyzer", ("result",),
    ),
    Metric(
        "monitor_review_items_dropped_total", "counter",
        "Items that left the review queue unanswered, by reason: thinned (there were too many) or "
        "expired (the record was gone). Normally 0.",
        "analyzer", ("reason",),
    ),
    Metric(
        "monitor_review_agreement_ratio", "gauge",
        "How far the first two verdicts on an item agree: the share of equal ones (raw), and "
        "Gwet's AC1. Only with `review.reviewers: 2`.",
        "analyzer", ("measure",),
    ),
    Metric(
        "monitor_restarts_total", "counter",
        "Times that the supervisor restarted a crashed process, by role. Normally 0.",
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
        "monitor_exports_total", "counter",
        "Deliveries of metrics to a collector, by outcome (ok, failed). A failed one is made up "
        "by the next.",
        "supervisor", ("exporter", "outcome"),
    ),
    Metric(
        "monitor_build_info", "gauge",
        "Always 1; the label version is the version of monitor.",
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
    "sampled",  # beyond `capture.sample_over`, as somebody asked; the traffic metrics count it
)
"""Every value of the label `reason` of `monitor_exchanges_lost_total`."""

CHECK_RESULTS = ("passed", "failed", "skipped")
"""Every value of the label `result` of `monitor_output_checks_total`."""

CHECK_GIVEN, CHECK_ITEMS = ("own", "other"), ("right", "wrong")
"""Every value of the labels `given` and `result` of `monitor_output_check_items_total`."""

SET_ASIDE_REASONS = (
    "unreadable",  # not a record of this version: another writer's, or damaged
    "failed",  # counting it raised; a defect of ours
    "poison",  # it has ended the analyzer twice
)
"""Every value of the label `reason` of `monitor_records_set_aside_total`."""

FEEDBACK_KINDS = ("label", "attributes", "correction", "rating", "event", "verdict")
"""What may be said of an exchange: values of the label `kind`; `unknown` where it was invalid."""

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
    "continues",  # more values in one record than are linked to the key before
    "expansion",  # much larger on record than what it was read from; a text or a digest is there
)
"""Every value of the label `reason` of `monitor_redactions_total`."""
