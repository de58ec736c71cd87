"""How many exchanges are odd, in which way, and how do they fare?"""

from dashboards.panels import Query, Row, errors, graph, number, of, quantile, rate, rows

_EXCHANGES = "monitor_segment_exchanges_total"
_DURATION = "monitor_segment_duration_seconds"
_FIRST_TOKEN = "monitor_segment_time_to_first_token_seconds"  # noqa: S105  no password
_OF = 'dimension="edge_case"'
_NAMED = 'value!~"none|unknown"'


def _per_second(*matchers: str) -> str:
    return f"sum (rate({of(_EXCHANGES, *matchers)}[$__rate_interval]))"


_ALL = _per_second('dimension="all"')
_UNSEEN = _per_second(_OF, 'value="unknown"')
_LOOKED_AT = f"({_ALL} - ({_UNSEEN} or vector(0)))"
"""Exchanges each second that the rules saw: all but those without a Record."""

_EACH = rate(_EXCHANGES, "value", _OF, _NAMED)
_SHARE = f"{_EACH} / on () group_left () ({_LOOKED_AT} > 0)"
_PLAIN = _per_second(_OF, 'value="none"')
_NONE = f"({_PLAIN} or vector(0))"
_DRIFT = of("monitor_drift_status", _OF, 'status="drift"')

ROW = Row(
    "Edge cases",
    (
        number(
            "Of any edge case",
            "Share of exchanges that are of at least one edge case. Each may be of several.",
            "percentunit",
            Query(f"1 - {_NONE} / ({_LOOKED_AT} > 0)"),
        ),
        number(
            "Looked at",
            "Share of exchanges that the rules saw. Below 100 % while capture.sample_over leaves "
            "exchanges without a record.", "percentunit",
            Query(f"{_LOOKED_AT} / ({_ALL} > 0)"),
        ),
        graph(
            "Share by edge case",
            "Share of exchanges of each edge case. MonitorEdgeCaseSurge fires at three times the "
            "share of the day before. `monitor records list --edge-case NAME` shows them.",
            "percentunit",
            Query(_SHARE, "{{value}}"),
            span=16,
        ),
        rows(
            "Edge cases, now",
            "Every edge case, the most frequent first. All are listed, also those that did not "
            "come.",
            {
                "share": (_SHARE, "percentunit"),
                "exchanges/s": (_EACH, "reqps"),
                "failed": (errors(_EXCHANGES, "value", _OF, _NAMED), "percentunit"),
                "p95": (quantile(0.95, _DURATION, "value", _OF, _NAMED), "s"),
                "first token p95": (quantile(0.95, _FIRST_TOKEN, "value", _OF, _NAMED), "s"),
                "features that drift": (f"sum by (value) ({_DRIFT})", "short"),
            },
            ("value",),
            sort="share",
        ),
    ),
)  # fmt: skip
