"""How long do clients wait, and where in the answer?"""

from dashboards.panels import Query, Row, buckets, graph, quantile, rate

_BY = "model"


def _percentiles(name: str) -> tuple[Query, ...]:
    return tuple(
        Query(quantile(q, name, _BY), f"{{{{model}}}} p{round(q * 100)}") for q in (0.5, 0.95, 0.99)
    )


ROW = Row(
    "Latency",
    (
        graph(
            "Duration by model", "First byte of the request to last byte of the response.", "s",
            *_percentiles("monitor_exchange_duration_seconds"),
        ),
        graph(
            "Time to first token by model",
            "Streams only: to the first event that carries content.", "s",
            *_percentiles("monitor_time_to_first_token_seconds"),
        ),
        graph(
            "Time per output token by model",
            "Between output tokens after the first, where the endpoint reports token counts.", "s",
            *_percentiles("monitor_time_per_output_token_seconds"),
        ),
        buckets(
            "Duration", "Exchanges by how long they took: two modes show as two bands.",
            rate("monitor_exchange_duration_seconds_bucket", "le"),
        ),
        graph(
            "Duration by operation", "p95 of each operation.", "s",
            Query(
                quantile(0.95, "monitor_exchange_duration_seconds", "operation"), "{{operation}}"
            ),
        ),
        graph(
            "Latency budget burn",
            "How many times faster than allowed the budget of slow exchanges (10.24 s and more) "
            "is spent.", "none",
            *(
                Query(
                    f'endpoint:monitor_exchange_slow:ratio_rate{window}{{endpoint=~"$endpoint"}}'
                    ' / (1 - scalar(monitor:objective:ratio{slo="latency"}))',
                    f"{{{{endpoint}}}} over {window}",
                )
                for window in ("1h", "6h", "3d")
            ),
            steps=((1, "orange"), (14.4, "red")),
        ),
    ),
)  # fmt: skip
