"""What does monitoring cost, and does it hold?"""

from dashboards.panels import Query, Row, graph, of, rate, ratio

_AFTER = "monitor_certificate_not_after_timestamp_seconds"
_BEFORE = "monitor_certificate_not_before_timestamp_seconds"

ROW = Row(
    "Sidecar",
    (
        graph(
            "Connections",
            "Connections of clients: open now, accepted and refused each second. Refused is "
            "normally 0; otherwise raise `limits.connections`.", "none",
            Query(f"sum by (endpoint) ({of('monitor_connections_open')})", "{{endpoint}} open"),
            Query(rate("monitor_connections_total", "endpoint"), "{{endpoint}} accepted/s"),
            Query(
                rate("monitor_connections_refused_total", "endpoint"), "{{endpoint}} refused/s"
            ),
        ),
        graph(
            "Opaque connections by reason",
            "Connections that the proxy could not parse; their bytes pass unrecorded. "
            "MonitorConnectionsOpaque in the runbook says what to do for each reason.", "cps",
            Query(rate("monitor_connections_opaque_total", "reason"), "{{reason}}"),
            stacked=True,
        ),
        graph(
            "Restarts",
            "Crashed processes that the supervisor restarted, and processes that could not "
            "report. Normal is 0; otherwise look at the log of that role.",
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
            "CPU by role",
            "Cores in use. A recorder or analyzer at 1 core is at its limit: raise `workers`, "
            "or capture less.", "none",
            Query(rate("monitor_process_cpu_seconds_total", "role"), "{{role}}"),
            stacked=True,
        ),
        graph(
            "CPU of the proxy for each exchange",
            "CPU seconds of the proxy for each exchange. Normal is well below a millisecond; "
            "large bodies cost more.", "s",
            Query(
                ratio(
                    rate("monitor_process_cpu_seconds_total", "endpoint", 'role="proxy"'),
                    rate("monitor_exchanges_total", "endpoint"),
                ),
                "{{endpoint}}",
            ),
        ),
        graph(
            "Memory by role",
            "Bytes of resident memory. The proxy grows by up to `capture.buffer_bytes` while "
            "the recorder is away.", "bytes",
            Query(
                f"sum by (role) ({of('monitor_process_resident_memory_bytes')})", "{{role}}"
            ),
            stacked=True,
        ),
        graph(
            "Processes by role",
            "Processes that run now. Normal is one proxy and one recorder for each worker.", "none",
            Query(f"sum by (role) ({of('monitor_processes')})", "{{role}}"),
        ),
        graph(
            "Versions",
            "Instances by version. Two versions are normal only during an update.", "none",
            Query(f"count by (version) ({of('monitor_build_info')})", "{{version}}"),
        ),
        graph(
            "Youngest instance",
            "Time since the instance started that started last. Counters of an instance begin with "
            "it; it falls at each rollout.", "s",
            Query(
                f"time() - max by (endpoint) ({of('monitor_start_timestamp_seconds')})",
                "{{endpoint}}",
            ),
        ),
        graph(
            "Certificates: time left",
            "Time until each certificate of the settings ends. Below 0 connections are refused. It "
            "jumps up when it is renewed; empty without TLS.", "s",
            Query(
                f"min by (certificate) ({of(_AFTER)}) - time()", "{{certificate}}"
            ),
        ),
        graph(
            "Certificates: share left",
            "The share of the time for which a certificate holds that is left. Below 20 % and a "
            "week it should have been renewed: MonitorCertificateExpiring.", "percentunit",
            Query(
                f"min by (certificate) (({of(_AFTER)} - time()) / ({of(_AFTER)} - {of(_BEFORE)}))",
                "{{certificate}}",
            ),
        ),
        graph(
            "Deliveries to collectors",
            "Deliveries to an OpenTelemetry collector by outcome. Failed is normally 0; empty "
            "without `otlp.endpoint`.", "cps",
            Query(
                rate("monitor_exports_total", "exporter, outcome"), "{{exporter}} {{outcome}}"
            ),
        ),
        graph(
            "Spans by result",
            "Spans of exchanges for an OpenTelemetry collector. Dropped is normally 0; above, the "
            "collector takes none or too few, and the recorder's log says why. Empty without "
            "`otlp.endpoint`.",
            "cps",
            Query(rate("monitor_spans_total", "result"), "{{result}}"),
            stacked=True,
        ),
        graph(
            "Spans that wait",
            "Spans that the collector has not taken yet. At 2048 for each recorder further ones "
            "are dropped. Empty without `otlp.endpoint`.", "short",
            Query(f"sum by (endpoint) ({of('monitor_spans_waiting')})", "{{endpoint}}"),
        ),
        graph(
            "Notifications",
            "Attempts to tell a receiver of `notify` something, by result. Failed is normally 0: "
            "look at the notifier's log, which says why. Empty without `notify`.", "cps",
            Query(
                rate("monitor_notifications_total", "receiver, result"), "{{receiver}} {{result}}"
            ),
        ),
    ),
)  # fmt: skip
