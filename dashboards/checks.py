"""Which checks do answers fail, how often, and where?"""

from dashboards.panels import Query, Row, graph, of, rate, ratio, rows

_CHECKS = "monitor_output_checks_total"
_FAILURES = "monitor_segment_check_failures_total"

_FAILED = rate(_CHECKS, "check", 'result="failed"')
_JUDGED = rate(_CHECKS, "check", 'result=~"passed|failed"')
_SKIPPED = rate(_CHECKS, "check", 'result="skipped"')
_LEFT_OUT = rate(_CHECKS, "check", 'result="left_out"')
_ALL = rate(_CHECKS, "check")
_ITEMS = "monitor_output_check_items_total"
_RIGHT = rate(_ITEMS, "check, given", 'result="right"')
_SHARE = ratio(f"({_FAILED} or 0 * {_JUDGED})", _JUDGED)
_DRIFT = of("monitor_drift_status", 'feature=~"check[.].+"', 'dimension="all"', 'status="drift"')
_OF = f'label_replace({_DRIFT}, "check", "$1", "feature", "check[.]([^.]+).*")'

ROW = Row(
    "Output checks",
    (
        graph(
            "Failed by check",
            "Share of the answers that a check applies to and that fail it. "
            "MonitorOutputCheckSurge fires at three times the share of the day before. Empty: "
            "`checks` names none.",
            "percentunit",
            Query(_SHARE, "{{check}}"),
            span=12,
        ),
        graph(
            "Where answers fail",
            "Failures each second by check, in the segments of $dimension.", "short",
            Query(
                rate(_FAILURES, "value, check", 'dimension="$dimension"'), "{{value}} {{check}}"
            ),
            span=12,
        ),
        graph(
            "Supported, and by chance",
            "Share of the numbers in answers that stand in what the answer was given (own) and, by "
            "chance, in what another was given (other). Where both are near, the check "
            "unsupported_number says little. Empty: it is not on.",
            "percentunit",
            Query(ratio(_RIGHT, rate(_ITEMS, "check, given")), "{{given}}"),
            span=24,
        ),
        rows(
            "Output checks, now",
            "Every check that is on, the one that fails most often first. A check that is always "
            "skipped has nothing to look at: its condition is in docs/checks.md.",
            {
                "failed": (_SHARE, "percentunit"),
                "failed/s": (_FAILED, "short"),
                "looked at/s": (_JUDGED, "short"),
                "skipped": (
                    ratio(f"({_SKIPPED} or 0 * {_ALL})", _ALL), "percentunit",
                ),
                "left out": (
                    ratio(f"({_LEFT_OUT} or 0 * {_ALL})", _ALL), "percentunit",
                ),
                "features that drift": (f"sum by (check) ({_OF})", "short"),
            },
            ("check",),
            sort="failed",
        ),
    ),
)  # fmt: skip
