"""What personal data was in the traffic, and was all of it taken out?"""

from dashboards.panels import Query, Row, bars, graph, of, rate, ratio

ROW = Row(
    "Privacy",
    (
        graph(
            "Pseudonyms by entity", "Personal data replaced before anything was written down.",
            "cps",
            Query(rate("monitor_pseudonyms_total", "entity"), "{{entity}}"),
            stacked=True,
        ),
        bars(
            "Pseudonyms in the time shown", "By entity.", "short",
            Query(
                f"sum by (entity) (increase({of('monitor_pseudonyms_total')}[$__range]))",
                "{{entity}}",
            ),
        ),
        graph(
            "Texts replaced whole",
            "What could not be made safe is not kept. Zero is normal; the reason says why.", "cps",
            Query(rate("monitor_redactions_total", "reason"), "{{reason}}"),
        ),
        graph(
            "Pseudonyms for each record",
            "Mean. A fall without a change of the traffic means a recognizer no longer matches.",
            "none",
            Query(
                ratio(
                    rate("monitor_pseudonyms_total", "endpoint"),
                    rate("monitor_records_appended_total", "endpoint"),
                ),
                "{{endpoint}}",
            ),
            span=16,
        ),
        graph(
            "Recorders with a key of their own",
            "Zero is normal. Their pseudonyms join with nobody's: compare the key files.",
            "none",
            Query(f"sum by (instance) ({of('monitor_key_conflict')})", "{{instance}}"),
            steps=((1, "red"),),
        ),
    ),
)  # fmt: skip
