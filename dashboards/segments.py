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
            "$dimension, now",
            "Each value of the dimension beside the others, slowest first. Look for one that "
            "is twice as slow as the rest, or fails more often.",
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
        _tail("p50 duration",
        "Half of the exchanges take no longer. A segment far above all of the traffic has "
        "longer prompts or a slower variant.", 0.5, _DURATION),
        _tail("p95 duration",
        "One exchange in twenty takes longer. MonitorSegmentSlow fires at twice the rest of "
        "the traffic.", 0.95, _DURATION),
        _tail("p99 duration",
        "One exchange in a hundred takes longer. Below a few hundred exchanges this is a "
        "guess.", 0.99, _DURATION),
        _tail("p95 time to first token",
        "Streams only: one in twenty waits longer for its first content. If one segment "
        "stands out, compare its input tokens.", 0.95, _FIRST_TOKEN),
        graph(
            "Failed",
            "Share of exchanges that the endpoint failed. If one segment fails and the others "
            "do not, compare its requests with theirs.", "percentunit",
            Query(errors(_EXCHANGES, "value", _WHERE), _VALUE),
            Query(errors(_EXCHANGES, "dimension", 'dimension="all"'), "all of the traffic"),
        ),
        graph(
            "Objectives missed",
            "Share of exchanges that took longer than the objectives allow. "
            "MonitorSegmentBudgetBurn fires where a segment does so and the whole does not. Empty: "
            "none did.", "percentunit",
            Query(
                rate("monitor_segment_objective_missed_total", "value, objective", _WHERE)
                + f" / on (value) group_left () ({rate(_EXCHANGES, 'value', _WHERE)} > 0)",
                "{{value}} {{objective}}",
            ),
        ),
        graph(
            "Failed checks",
            "Share of exchanges whose answer failed an output check, by check. Empty: `checks` "
            "names none, or none failed.", "percentunit",
            Query(
                rate("monitor_segment_check_failures_total", "value, check", _WHERE)
                + f" / on (value) group_left () ({rate(_EXCHANGES, 'value', _WHERE)} > 0)",
                "{{value}} {{check}}",
            ),
        ),
        graph(
            "Exchanges",
            "Exchanges each second. With fewer than 50 in 10 minutes the percentiles above "
            "are guesses.", "reqps",
            Query(rate(_EXCHANGES, "value", _WHERE), _VALUE),
            stacked=True,
        ),
        graph(
            "Cost each hour",
            "What the exchanges of each segment cost at the listed prices. Look for one that costs "
            "more than its share of the exchanges.", "none",
            Query(
                rate("monitor_segment_cost_total", "value, currency", _WHERE) + " * 3600",
                "{{value}} {{currency}}",
            ),
            stacked=True,
        ),
        graph(
            "Tokens",
            "Tokens each second, by segment. A sudden rise is a changed template or a client "
            "that runs away.", "cps",
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
