"""Is all that passed on record, and analyzed? exchanges = appended + lost + pending."""

from dashboards.panels import Query, Row, graph, number, of, rate


def _total(name: str) -> str:
    return f"sum by (endpoint) ({of(name)})"


_LEDGER = {
    "exchanges": _total("monitor_exchanges_total"),
    "appended": _total("monitor_records_appended_total"),
    "lost": _total("monitor_exchanges_lost_total"),
    "pending": _total("monitor_records_pending"),
}

ROW = Row(
    "Pipeline",
    (
        *(
            number(
                name.capitalize(), text, "short", Query(_LEDGER[name], "{{endpoint}}"),
                steps=((1, "orange"),) if name == "lost" else (),
            )
            for name, text in {
                "exchanges": "Ended since the proxies started.",
                "appended": "With a record in the stream.",
                "lost": "Without a record, for good.",
                "pending": "On their way: in a buffer or in the spool.",
            }.items()
        ),
        number(
            "Unaccounted", "exchanges - appended - lost - pending: always 0.", "short",
            Query(" - ".join(_LEDGER.values()), "{{endpoint}}"),
            steps=((1, "red"),),
        ),
        number(
            "Analysis lag", "Age of the newest analyzed record. Without traffic it grows too.",
            "s",
            Query(
                f"time() - max by (endpoint) ({of('monitor_analysis_timestamp_seconds')})",
                "{{endpoint}}",
            ),
            steps=((120, "orange"), (600, "red")),
        ),
        graph(
            "Ledger", "What ended, what was recorded, what was lost.", "reqps",
            Query(rate("monitor_exchanges_total", "endpoint"), "{{endpoint}} exchanges"),
            Query(rate("monitor_records_appended_total", "endpoint"), "{{endpoint}} appended"),
            Query(rate("monitor_exchanges_lost_total", "endpoint"), "{{endpoint}} lost"),
            Query(rate("monitor_records_analyzed_total", "endpoint"), "{{endpoint}} analyzed"),
        ),
        graph(
            "Lost by reason", "Exchanges without a record.", "reqps",
            Query(rate("monitor_exchanges_lost_total", "reason"), "{{reason}}"),
            stacked=True,
        ),
        graph(
            "Pending by place", "Spool above zero: the store is away.", "short",
            Query(f"sum by (place) ({of('monitor_records_pending')})", "{{place}}"),
            stacked=True,
        ),
        graph(
            "Buffer and spool in use", "Share of their bounds; at 100 % records are lost.",
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
            "Store answers", "Recorders whose last command to the store was answered.", "none",
            Query(_total("monitor_store_up"), "{{endpoint}} answered"),
            Query(
                f"""sum by (endpoint) ({of("monitor_processes", 'role="recorder"')})""",
                "{{endpoint}} recorders",
            ),
        ),
        graph(
            "Label values folded into `other`",
            "The dimension or model has more values than its budget.", "cps",
            Query(rate("monitor_series_overflow_total", "metric"), "{{metric}}"),
        ),
        graph(
            "Set aside by the analyzer",
            "Entries of the stream that were passed over, or deleted before they were read.", "cps",
            Query(rate("monitor_records_set_aside_total", "reason"), "{{reason}}"),
            Query(rate("monitor_records_missed_total", "endpoint"), "{{endpoint}} missed"),
        ),
        graph(
            "Parts that failed",
            "Protocols, dimensions and features that failed; the exchange counts without them.",
            "cps",
            Query(rate("monitor_part_failures_total", "kind, name"), "{{kind}} {{name}}"),
            stacked=True,
        ),
    ),
)  # fmt: skip
