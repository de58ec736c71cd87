"""What the analyzer says of its own work and of drift."""

from __future__ import annotations

from monitor.metrics.metric import Metric

METRICS = (
    Metric(
        "monitor_records_analyzed_total", "counter",
        "Records that the analyzer counted.",
        "analyzer",
    ),
    Metric(
        "monitor_shards_owned", "gauge",
        "Shards of the stream that this analyzer counts; 0 while it stands by because another one "
        "does.",
        "analyzer",
    ),
    Metric(
        "monitor_shards_read_ahead", "gauge",
        "Shards at whose records this analyzer looks ahead of the one that analyzes; 0 there.",
        "analyzer",
    ),
    Metric(
        "monitor_records_read_ahead_total", "counter",
        "Records at which another analyzer had looked already when this one counted them.",
        "analyzer",
    ),
    Metric(
        "monitor_analysis_lag_records", "gauge",
        "Records in the shards of this analyzer that it has not read yet; not exported while the "
        "store does not answer.",
        "analyzer",
    ),
    Metric(
        "monitor_shard_lag_records", "gauge",
        "The same by shard, of the analyzer that reads them.",
        "analyzer", ("shard",),
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
        "monitor_damaged_checkpoints_total", "counter",
        "Checkpoints that an analyzer found damaged since it was started and does not use, by part "
        "(analysis, outcomes). That part begins anew with the oldest that the stream holds. "
        "Normally 0; above, look at the store's disk.",
        "analyzer", ("part",),
    ),
    Metric(
        "monitor_records_missed_total", "counter",
        "Records that the stream deleted (`stream.max_length`, `stream.max_age`) before the "
        "analyzer read them. Normally 0; a rise means that the analyzer was away or slow.",
        "analyzer",
    ),
    Metric(
        "monitor_store_rewinds_total", "counter",
        "Times that the store had less than the analyzer had read of it or saved in it, since the "
        "analyzer started: another primary took over without the last records. Normally 0.",
        "analyzer",
    ),
    Metric(
        "monitor_records_ahead_total", "counter",
        "Records that said to have ended more than a minute after they were appended. They count "
        "as ended when they were appended. Normally 0; a rise means that a sidecar's clock is "
        "ahead.",
        "analyzer",
    ),
    Metric(
        "monitor_lineage_change_timestamp_seconds", "gauge",
        "Unix time at which a fact of what serves changed last: the model, a version of it, the "
        "configuration (`config`), the policy, the key of pseudonyms or `monitor` itself. `value` "
        "is what came.",
        "analyzer", ("fact", "value"), "seconds",
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
)  # fmt: skip
