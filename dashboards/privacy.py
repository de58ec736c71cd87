"""What personal data was in the traffic, and was all of it taken out?"""

from dashboards.panels import Query, Row, bars, graph, of, rate, ratio

ROW = Row(
    "Privacy",
    (
        graph(
            "Pseudonyms by entity",
            "Personal data that the recorder replaced before it wrote anything. A fall to 0 "
            "may mean that bodies can no longer be read.",
            "cps",
            Query(rate("monitor_pseudonyms_total", "entity"), "{{entity}}"),
            stacked=True,
        ),
        bars(
            "Pseudonyms in the time shown",
            "Personal data replaced in the time shown, by entity. A new entity is worth a "
            "look at what clients send.", "short",
            Query(
                f"sum by (entity) (increase({of('monitor_pseudonyms_total')}[$__range]))",
                "{{entity}}",
            ),
        ),
        graph(
            "Texts replaced whole",
            "Texts that could not be made safe and were replaced whole. Normal is 0; "
            "MonitorRedactions in the runbook says what to do for each reason.", "cps",
            Query(rate("monitor_redactions_total", "reason"), "{{reason}}"),
        ),
        graph(
            "Pseudonyms for each record",
            "Mean number of pseudonyms in a record. A fall without a change of the traffic "
            "means that a recognizer no longer matches.",
            "none",
            Query(
                ratio(
                    rate("monitor_pseudonyms_total", "endpoint"),
                    rate("monitor_records_appended_total", "endpoint"),
                ),
                "{{endpoint}}",
            ),
        ),
        graph(
            "Texts scrubbed before",
            "Share of texts that the recorder need not scan, because it scrubbed them before: "
            "system prompts and earlier turns. Fewer cost CPU time and nothing else.",
            "percentunit",
            Query(
                ratio(
                    rate("monitor_privacy_cache_lookups_total", "endpoint", 'result="hit"'),
                    rate("monitor_privacy_cache_lookups_total", "endpoint"),
                ),
                "{{endpoint}}",
            ),
        ),
        graph(
            "Recorders with a key of their own",
            "Recorders whose key differs from that of the other replicas. Normal is 0; "
            "otherwise run `monitor keys fingerprint` on each replica.",
            "none",
            Query(f"sum by (instance) ({of('monitor_key_conflict')})", "{{instance}}"),
            steps=((1, "red"),),
        ),
    ),
)  # fmt: skip
