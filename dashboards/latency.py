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
            "Duration by model",
            "Seconds from the first byte of the request to the last byte of the response. If "
            "it rises, compare the next two panels.", "s",
            *_percentiles("monitor_exchange_duration_seconds"),
        ),
        graph(
            "Time to first token by model",
            "Streams only: seconds to the first event with content. A rise means that "
            "requests queue or prompts became longer: scale out.", "s",
            *_percentiles("monitor_time_to_first_token_seconds"),
        ),
        graph(
            "Time per output token by model",
            "Seconds between output tokens, where the endpoint reports token counts. A rise "
            "means a saturated accelerator: scale out.", "s",
            *_percentiles("monitor_time_per_output_token_seconds"),
        ),
        buckets(
            "Duration",
            "Exchanges by how long they took. Two bands are two kinds of work, such as short "
            "and long prompts, or fast and slow replicas.",
            rate("monitor_exchange_duration_seconds_bucket", "le"),
        ),
        graph(
            "Duration by operation",
            "95 % of the exchanges of each operation take no longer than this. Embeddings are "
            "normally much faster than chat.", "s",
            Query(
                quantile(0.95, "monitor_exchange_duration_seconds", "operation"), "{{operation}}"
            ),
        ),
    ),
)  # fmt: skip
