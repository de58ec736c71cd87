"""Is all that passed on record, and analyzed? exchanges = appended + lost + pending."""

from dashboards.panels import Query, Row, graph, number, of, rate, ratio

_SAMPLED = 'reason="sampled"'
_UNMEANT = 'reason!="sampled"'


def _total(name: str, *matchers: str) -> str:
    return f"sum by (endpoint) ({of(name, *matchers)})"


def _most(name: str) -> str:
    """Archivers that share an archive tell the same."""
    return f"max by (endpoint) ({of(name)})"


def _latest(name: str) -> str:
    """The worst of each kind of place."""
    return f"max by (endpoint, kind) ({of(name)})"


_LEDGER = {
    "exchanges": _total("monitor_exchanges_total"),
    "appended": _total("monitor_records_appended_total"),
    "lost": _total("monitor_exchanges_lost_total"),
    "pending": _total("monitor_records_pending"),
}
_SHOWN = {
    **_LEDGER,
    "lost": _total("monitor_exchanges_lost_total", _UNMEANT),
    "unsampled": _total("monitor_exchanges_lost_total", _SAMPLED),
}

ROW = Row(
    "Pipeline",
    (
        *(
            number(
                name.capitalize(), text, "short", Query(_SHOWN[name], "{{endpoint}}"),
                steps=((1, "orange"),) if name == "lost" else (),
            )
            for name, text in {
                "exchanges": "Exchanges that ended since the proxies started; always appended + "
                "lost + unsampled + pending.",
                "appended": "Exchanges with a record in the stream. Normal is nearly all of them.",
                "lost": "Exchanges that will never have a record, without the unsampled. Normal is "
                "0; otherwise look at Lost by reason.",
                "unsampled": "Exchanges that were counted and not recorded, as "
                "`capture.sample_over` asks. 0 without it; otherwise look at Share recorded.",
                "pending": "Exchanges whose record is on its way: in a buffer or in the spool. If "
                "it grows, look at Pending by place.",
            }.items()
        ),
        number(
            "Unaccounted",
            "exchanges - appended - lost - pending. Always 0; anything else is a defect of "
            "monitor: report it.", "short",
            Query(" - ".join(_LEDGER.values()), "{{endpoint}}"),
            steps=((1, "red"),),
        ),
        number(
            "Analysis lag",
            "Age of the newest analyzed record. Normal is below 2 minutes; it also grows "
            "without traffic. Otherwise look at the CPU of the analyzer.",
            "s",
            Query(
                f"time() - max by (endpoint) ({of('monitor_analysis_timestamp_seconds')})",
                "{{endpoint}}",
            ),
            steps=((120, "orange"), (600, "red")),
        ),
        graph(
            "Ledger",
            "Exchanges each second: ended, appended, lost, unsampled, analyzed. Normal is that "
            "ended, appended and analyzed run together and the others are 0.", "reqps",
            Query(rate("monitor_exchanges_total", "endpoint"), "{{endpoint}} exchanges"),
            Query(rate("monitor_records_appended_total", "endpoint"), "{{endpoint}} appended"),
            Query(
                rate("monitor_exchanges_lost_total", "endpoint", _UNMEANT), "{{endpoint}} lost"
            ),
            Query(
                rate("monitor_exchanges_lost_total", "endpoint", _SAMPLED),
                "{{endpoint}} unsampled",
            ),
            Query(rate("monitor_records_analyzed_total", "endpoint"), "{{endpoint}} analyzed"),
        ),
        graph(
            "Lost by reason",
            "Exchanges without a record. Normal is 0; MonitorRecordsLost in the runbook says "
            "what to do for each reason.", "reqps",
            Query(rate("monitor_exchanges_lost_total", "reason", _UNMEANT), "{{reason}}"),
            stacked=True,
        ),
        graph(
            "Share recorded",
            "Share of exchanges that `capture.sample_over` lets be recorded. 100 % below that "
            "rate and without the setting; the metrics count all exchanges.",
            "percentunit",
            Query(
                "1 - "
                + ratio(
                    rate("monitor_exchanges_lost_total", "endpoint", _SAMPLED),
                    rate("monitor_exchanges_total", "endpoint"),
                ),
                "{{endpoint}}",
            ),
        ),
        graph(
            "Pending by place",
            "Exchanges that wait. Normal is a small buffer and no spool. A spool means that "
            "the store is away: look at Store answers.", "short",
            Query(f"sum by (place) ({of('monitor_records_pending')})", "{{place}}"),
            stacked=True,
        ),
        graph(
            "Buffer and spool in use",
            "Share of their bounds. Normal is near 0; at 100 % records are lost. Bring the "
            "store back or give the recorder CPU.",
            "percentunit",
            Query(
                f"sum by (endpoint) ({of('monitor_buffer_bytes')}) / "
                f"""sum by (endpoint) ({of("monitor_limit_bytes", 'place="buffer"')})""",
                "{{endpoint}} buffer",
            ),
            Query(
                f"sum by (endpoint) ({of('monitor_spool_bytes')}) / "
                f"""sum by (endpoint) ({of("monitor_limit_bytes", 'place="spool"')})""",
                "{{endpoint}} spool",
            ),
            steps=((0.8, "red"),),
        ),
        graph(
            "Store answers",
            "Recorders whose last command the store answered, beside all recorders. Normal is "
            "that both are equal; otherwise check Redis.", "none",
            Query(_total("monitor_store_up"), "{{endpoint}} answered"),
            Query(
                f"""sum by (endpoint) ({of("monitor_processes", 'role="recorder"')})""",
                "{{endpoint}} recorders",
            ),
        ),
        graph(
            "Label values folded into `other`",
            "Label values beyond the metric's budget. Normal is 0; otherwise find the client "
            "that sends ids where groups belong.", "cps",
            Query(rate("monitor_series_overflow_total", "metric"), "{{metric}}"),
        ),
        graph(
            "Set aside by the analyzer",
            "Entries of the stream that the analyzer passed over, records deleted before it "
            "read them, stores that lost their end, and damaged checkpoints. Normal is 0; else "
            "look at the analyzer's log.", "cps",
            Query(rate("monitor_records_set_aside_total", "reason"), "{{reason}}"),
            Query(rate("monitor_records_missed_total", "endpoint"), "{{endpoint}} missed"),
            Query(
                rate("monitor_store_rewinds_total", "endpoint"), "{{endpoint}} store lost its end"
            ),
            Query(
                rate("monitor_records_ahead_total", "endpoint"), "{{endpoint}} of a clock ahead"
            ),
            Query(
                rate("monitor_damaged_checkpoints_total", "part"), "damaged checkpoint: {{part}}"
            ),
        ),
        graph(
            "Behind the stream",
            "Records that no analyzer has read yet, and shards that one reads. Normal is few "
            "records and all shards; with 0 shards no analyzer works: look at their logs. Others "
            "read shards ahead.",
            "short",
            Query(_total("monitor_analysis_lag_records"), "{{endpoint}} records"),
            Query(_total("monitor_shards_owned"), "{{endpoint}} shards"),
            Query(_total("monitor_shards_read_ahead"), "{{endpoint}} shards read ahead"),
            Query(
                rate("monitor_records_read_ahead_total", "endpoint"),
                "{{endpoint}} records a second seen ahead",
            ),
        ),
        graph(
            "Behind the stream by shard",
            "The shards of which most records are not read yet. Normal is few, and about as many "
            "in each.", "short",
            Query(
                f"""topk(10, max by (endpoint, shard) ({of("monitor_shard_lag_records")}))""",
                "{{endpoint}} {{shard}}",
            ),
        ),
        graph(
            "Bytes by shard",
            "What recorders append a second, by shard of the stream. Normal is about as much in "
            "each; one with much more has the larger records: raise `stream.shards`, or lower "
            "`capture.max_body_bytes`.", "bytes",
            Query(f"""topk(10, {rate("monitor_shard_bytes_total", "endpoint, shard")})""",
                  "{{endpoint}} {{shard}}"),
        ),
        graph(
            "Records by shard",
            "Records that recorders append, by shard. Normal is as many in each.", "cps",
            Query(f"""topk(10, {rate("monitor_shard_records_total", "endpoint, shard")})""",
                  "{{endpoint}} {{shard}}"),
        ),
        graph(
            "Parts that failed",
            "Times that a protocol, dimension or feature failed; the exchange counts without "
            "it. Normal is 0; otherwise look at the log.",
            "cps",
            Query(rate("monitor_part_failures_total", "kind, name"), "{{kind}} {{name}}"),
            stacked=True,
        ),
        graph(
            "Cut bodies",
            "Bodies of which the end was not read, mostly because they are longer than "
            "`capture.max_body_bytes`: raise it where prompts or answers are missed.",
            "cps",
            Query(rate("monitor_cut_bodies_total", "message"), "{{message}}"),
            stacked=True,
        ),
        number(
            "Archived",
            "Records and files in the archive since it began. Nothing without `archive.url`.",
            "short",
            Query(_most("monitor_archive_rows_total"), "{{endpoint}} records"),
            Query(_most("monitor_archive_files_total"), "{{endpoint}} files"),
        ),
        graph(
            "Waiting for the archive",
            "Records that are not archived yet. Normal is a saw, up for `archive.every` and then "
            "0; otherwise look at Archive overdue.", "short",
            Query(_most("monitor_archive_waiting_records"), "{{endpoint}}"),
        ),
        graph(
            "Archive overdue",
            "How much longer than `archive.every` the oldest record has waited. Normal is 0; "
            "otherwise look at the archiver's log, which says what stands in its way.", "s",
            Query(_most("monitor_archive_overdue_seconds"), "{{endpoint}}"),
            steps=((600, "red"),),
        ),
        graph(
            "Archive failures",
            "Times that the archiver could not go on, and entries that are not in the archive. "
            "Normal is 0; otherwise look at the archiver's log.", "cps",
            Query(rate("monitor_archive_failures_total", "reason"), "{{reason}} stood in the way"),
            Query(rate("monitor_archive_left_out_total", "reason"), "left out: {{reason}}"),
            Query(
                rate("monitor_audit_anchors_total", "kind", 'result="failed"'),
                "checkpoints not kept: {{kind}}",
            ),
        ),
        graph(
            "Anchors",
            "How much longer than `audit.every` checkpoints have waited to be kept by a place of "
            "`audit.anchors`. Normal is 0; otherwise look at the archiver's log.", "s",
            Query(_latest("monitor_audit_anchor_overdue_seconds"), "{{kind}}"),
            steps=((3600, "red"),),
        ),
        graph(
            "Pods asked about",
            "Pods that the injector was asked about, by result and reason. All were admitted. Look "
            "up a reason in docs/injector.md.", "short",
            Query(
                "sum by (result, reason) "
                f"(increase({of('monitor_injections_total')}[$__rate_interval]))",
                "{{result}} {{reason}}",
            ),
            stacked=True,
        ),
    ),
)  # fmt: skip
