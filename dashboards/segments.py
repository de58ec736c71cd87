"""Who has it worse than the rest? Drawn once for each dimension: population, template, variant."""

from dashboards.panels import Query, Row, errors, graph, quantile, rate, rows

_WHERE = 'dimension="$dimension"'
_EXCHANGES = "monitor_segment_exchanges_total"
_DURATION = "monitor_segment_duration_seconds"
_FIRST_TOKEN = "monitor_segment_time_to_first_token_seconds"  # noqa: S105  no password
_VALUE = "{{value}}"


def _tail(title: str, description: str, q: float, name: str) -> object:
    whole = quantile(q, name, "dimension", 'dimension="all"')
    return graph(
        title, description, "s",
        Query(quantile(q, name, "value", _WHERE), _VALUE),
        Query(whole, "all of the traffic"),
    )  # fmt: skip


ROW = Row(
    "Tails by $dimension",
    (
        rows(
            "$dimension, now", "Each value of the dimension beside the others.",
            {
                "exchanges/s": (rate(_EXCHANGES, "value", _WHERE), "reqps"),
                "failed": (errors(_EXCHANGES, "value", _WHERE), "percentunit"),
                "p50": (quantile(0.5, _DURATION, "value", _WHERE), "s"),
                "p95": (quantile(0.95, _DURATION, "value", _WHERE), "s"),
                "p99": (quantile(0.99, _DURATION, "value", _WHERE), "s"),
                "first token p95": (quantile(0.95, _FIRST_TOKEN, "value", _WHERE), "s"),
                "tokens/s": (rate("monitor_segment_tokens_total", "value", _WHERE), "cps"),
            },
            ("value",),
            sort="p95",
        ),
        _tail("p50 duration", "The usual exchange.", 0.5, _DURATION),
        _tail("p95 duration", "One in twenty waits longer.", 0.95, _DURATION),
        _tail("p99 duration", "One in a hundred waits longer.", 0.99, _DURATION),
        _tail("p95 time to first token", "Streams only.", 0.95, _FIRST_TOKEN),
        graph(
            "Failed", "Share of exchanges that the endpoint failed.", "percentunit",
            Query(errors(_EXCHANGES, "value", _WHERE), _VALUE),
            Query(errors(_EXCHANGES, "dimension", 'dimension="all"'), "all of the traffic"),
        ),
        graph(
            "Exchanges", "Too few make every percentile above a guess.", "reqps",
            Query(rate(_EXCHANGES, "value", _WHERE), _VALUE),
            stacked=True,
        ),
        graph(
            "Tokens", "Who spends them.", "cps",
            Query(
                rate("monitor_segment_tokens_total", "value, direction", _WHERE),
                "{{value}} {{direction}}",
            ),
            span=24,
            stacked=True,
        ),
    ),
    repeat="dimension",
)  # fmt: skip
