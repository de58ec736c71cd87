"""What the recorder says of its own work: privacy, parts that failed, the store."""

from __future__ import annotations

from monitor.metrics.metric import Metric

METRICS = (
    Metric(
        "monitor_shard_records_total", "counter",
        "Records that the recorder appended, by shard of the stream.",
        "recorder", ("shard",),
    ),
    Metric(
        "monitor_shard_bytes_total", "counter",
        "Bytes of these, as they were sent to the store. A shard that takes many more than the "
        "others is hot: its Records are larger, for an id decides on the shard.",
        "recorder", ("shard",), "bytes",
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
        "monitor_cut_bodies_total", "counter",
        "Bodies on record of which the end was not read: longer than capture.max_body_bytes, "
        "beyond what a coding may expand to, or not decodable. What of it is certain is read.",
        "recorder", ("message",),
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
        "monitor_spans_total", "counter",
        "Spans of exchanges by what became of them: exported to the collector, dropped (it took "
        "none, or none could be made), or unsampled. With those that wait they are as many as "
        "exchanges. Dropped is normally 0.",
        "recorder", ("result",),
    ),
    Metric(
        "monitor_spans_waiting", "gauge",
        "Spans that the collector has not taken yet, at most 2048 for each recorder. Normally "
        "below a few hundred; at the bound further ones are dropped.",
        "recorder",
    ),
    Metric(
        "monitor_store_up", "gauge",
        "1 while the store takes what the recorder appends, else 0, also where it answers but "
        "refuses writes; without traffic it is asked every 5 s. At 0 records go to the disk spool.",
        "recorder",
    ),
    Metric(
        "monitor_spool_bytes", "gauge",
        "Bytes of records in the disk spool now. Normally 0; a rise means that the store is "
        "away.",
        "recorder", (), "bytes",
    ),
)  # fmt: skip
