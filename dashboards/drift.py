"""What has changed, in which segment, by how much, and on what evidence?"""

from dashboards.panels import Query, Row, graph, of, rows, states

_BY = "endpoint, feature, dimension, value"
_NAME = "{{feature}} · {{dimension}}={{value}}"
_SCORE = of("monitor_drift_score", 'measure=~"$measure"')
_THRESHOLD = of("monitor_drift_threshold", 'measure=~"$measure"')
_OF_THRESHOLD = f"{_SCORE} / on (endpoint, measure) group_left () {_THRESHOLD}"


def _status(name: str) -> str:
    return f"""max by ({_BY}) ({of("monitor_drift_status", f'status="{name}"')})"""


_EVER = of("monitor_drift_status", 'status="drift"') + "[$__range]"
_DRIFTED = f"max by ({_BY}) (max_over_time({_EVER})) == 1"
_JUDGED = f"{_status('insufficient')} == 0"

ROW = Row(
    "Drift",
    (
        states(
            "What drifted in the time shown",
            "Drift: the change is believed (evidence) and large (score). Insufficient: too few "
            "samples to say. Ok: neither. Empty: nothing drifted; everything is in the table.",
            Query(f"(2 * {_status('drift')} + {_status('ok')}) and {_DRIFTED}", _NAME),
            {"0": ("insufficient", "gray"), "1": ("ok", "green"), "2": ("drift", "red")},
        ),
        rows(
            "Findings",
            "Every feature of every segment, largest score first. A score counts only with "
            "evidence; both together make the status.",
            {
                "score": (f"max by ({_BY}) ({_SCORE})", "none"),
                "of threshold": (
                    f"max by ({_BY}) ({_OF_THRESHOLD})",
                    "percentunit",
                ),
                "log evidence": (
                    f"max by ({_BY}) ({of('monitor_drift_log_evidence')})", "none",
                ),
                "samples": (f"max by ({_BY}) ({of('monitor_drift_samples')})", "short"),
                "drift": (_status("drift"), "bool_yes_no"),
            },
            ("endpoint", "feature", "dimension", "value"),
            sort="score",
        ),
        graph(
            "Score against threshold",
            "The twelve largest: distance of the current window from the reference.",
            "none",
            Query(f"topk(12, max by ({_BY}) ({_SCORE}))", _NAME),
            Query(f"max by (measure) ({_THRESHOLD})", "threshold"),
            span=12,
        ),
        graph(
            "Log evidence",
            "The twelve largest: natural logarithm of the evidence against `nothing changed`; it "
            "may be watched at every moment without crying wolf.", "none",
            Query(f"topk(12, max by ({_BY}) ({of('monitor_drift_log_evidence')}))", _NAME),
            span=12,
        ),
        graph(
            "Fewest samples",
            "The smallest twelve of the current windows that are judged; smaller ones still are "
            "`insufficient`.", "short",
            Query(
                f"bottomk(12, max by ({_BY}) ({of('monitor_drift_samples')}) and {_JUDGED})", _NAME
            ),
            span=12,
        ),
        graph(
            "Segments by status", "How many features of segments are in each status.", "none",
            Query(f"sum by (status) ({of('monitor_drift_status')})", "{{status}}"),
            span=12,
            stacked=True,
        ),
        graph(
            "Watches",
            "Features and segments that are watched. What is left out has no series: the page is "
            "full. `drift.watches` bounds them all.", "short",
            Query(f"sum by (state) ({of('monitor_drift_watches')})", "{{state}}"),
            span=12,
            stacked=True,
        ),
    ),
)  # fmt: skip
