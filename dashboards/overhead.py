"""What does monitoring cost, and does it hold?"""

from dashboards.panels import Query, Row, graph, of, rate, ratio

ROW = Row(
    "Sidecar",
    (
        graph(
            "Connections", "Open now, and accepted or refused each second.", "none",
            Query(f"sum by (endpoint) ({of('monitor_connections')})", "{{endpoint}} open"),
            Query(rate("monitor_connections_total", "endpoint"), "{{endpoint}} accepted/s"),
            Query(
                rate("monitor_connections_refused_total", "endpoint"), "{{endpoint}} refused/s"
            ),
        ),
        graph(
            "Opaque connections by reason",
            "Traffic that passed unrecorded because it could not be followed.", "cps",
            Query(rate("monitor_connections_opaque_total", "reason"), "{{reason}}"),
            stacked=True,
        ),
        graph(
            "Restarts",
            "Crashed processes that were started again, and answers that failed.",
            "short",
            Query(
                f"sum by (role) (increase({of('monitor_restarts_total')}[$__rate_interval]))",
                "{{role}}",
            ),
            Query(
                "sum by (role, question) "
                f"(increase({of('monitor_answer_errors_total')}[$__rate_interval]))",
                "{{role}} cannot answer {{question}}",
            ),
        ),
        graph(
            "CPU by role", "Cores in use.", "none",
            Query(rate("monitor_process_cpu_seconds_total", "role"), "{{role}}"),
            stacked=True,
        ),
        graph(
            "CPU of the proxy for each exchange", "What an exchange costs on its way.", "s",
            Query(
                ratio(
                    rate("monitor_process_cpu_seconds_total", "endpoint", 'role="proxy"'),
                    rate("monitor_exchanges_total", "endpoint"),
                ),
                "{{endpoint}}",
            ),
        ),
        graph(
            "Memory by role", "Resident.", "bytes",
            Query(
                f"sum by (role) ({of('monitor_process_resident_memory_bytes')})", "{{role}}"
            ),
            stacked=True,
        ),
        graph(
            "Processes by role", "Running now.", "none",
            Query(f"sum by (role) ({of('monitor_processes')})", "{{role}}"),
        ),
        graph(
            "Versions", "Instances by version.", "none",
            Query(f"count by (version) ({of('monitor_build_info')})", "{{version}}"),
        ),
        graph(
            "Deliveries to collectors", "OTLP and others, where configured.", "cps",
            Query(
                rate("monitor_exports_total", "exporter, outcome"), "{{exporter}} {{outcome}}"
            ),
        ),
    ),
)  # fmt: skip
