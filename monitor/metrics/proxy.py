"""What the proxy counts: exchanges, connections, and what became of each for its record."""

from __future__ import annotations

from monitor.metrics.metric import Metric

METRICS = (
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
        "monitor_connections_open", "gauge",
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
)  # fmt: skip
