"""What the archiver says of the archive and of its own work."""

from __future__ import annotations

from monitor.metrics.metric import Metric

METRICS = (
    Metric(
        "monitor_archive_rows_total", "counter",
        "Records in the archive since it began, all shards together. It continues across restarts; "
        "of several archivers of an archive the one that writes tells it.",
        "archiver",
    ),
    Metric(
        "monitor_archive_files_total", "counter",
        "Files that were written into the archive since it began.",
        "archiver",
    ),
    Metric(
        "monitor_archive_left_out_total", "counter",
        "Entries of the stream that are not in the archive, by reason: no Record (`unreadable`), "
        "or deleted by the stream before they were read (`missed`). Normally 0.",
        "archiver", ("reason",),
    ),
    Metric(
        "monitor_archive_failures_total", "counter",
        "Times that the archiver could not go on, by what stood in the way: the `archive` (a full "
        "disk, an object store, an archive of another store) or the `store`. What failed is tried "
        "again; nothing is skipped. `stream`: it ended before what is archived, because the store "
        "lost entries or a replica's clock is behind; the archive goes on at its end. "
        "`compaction`: small files that could not be put together, and stay as they are. `clock`: "
        "another machine's clock, or the store's, differs from this one's; it was waited for, and "
        "nothing deleted too early.",
        "archiver", ("reason",),
    ),
    Metric(
        "monitor_archive_waiting_records", "gauge",
        "Records of the stream that are not archived yet.",
        "archiver",
    ),
    Metric(
        "monitor_archive_overdue_seconds", "gauge",
        "How much longer than `archive.every` the oldest record that is not archived has waited. "
        "Normally 0; it grows while the archiver is behind or cannot write.",
        "archiver", (), "seconds",
    ),
    Metric(
        "monitor_audit_anchors_total", "counter",
        "Times that the last checkpoints of the archive were put to a place of `audit.anchors`, by "
        "its kind and what became of it (`put`, `failed`). What failed is tried again.",
        "archiver", ("kind", "result"),
    ),
    Metric(
        "monitor_audit_anchor_overdue_seconds", "gauge",
        "How much longer than `audit.every` checkpoints have waited to be kept by a place of "
        "`audit.anchors`, by its kind. Normally 0.",
        "archiver", ("kind",), "seconds",
    ),
)  # fmt: skip
