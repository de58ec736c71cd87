"""What has changed, in which segment, by how much, and on what evidence?"""

from dashboards.panels import Query, Row, graph, matrix, of, rows, states

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
            "What had the status drift at some time. Drift: the change is certain (evidence) "
            "and large (score). Insufficient: too few samples. Empty is normal: nothing "
            "drifted.",
            Query(f"(2 * {_status('drift')} + {_status('ok')}) and {_DRIFTED}", _NAME),
            {"0": ("insufficient", "gray"), "1": ("ok", "green"), "2": ("drift", "red")},
        ),
        matrix(
            "Score of threshold, by feature and segment",
            "How far each feature of each segment is from usual, as a share of the threshold. One "
            "red row: the feature changed for everybody. One red column: a segment changed. Above "
            "100 % it is drift where the evidence suffices: look at Findings.",
            Query(
                f"label_join(max by ({_BY}) ({_OF_THRESHOLD}), "
                '"segment", "=", "dimension", "value")'
            ),
            "feature",
            "segment",
            unit="percentunit",
            steps=((0.5, "yellow"), (1, "red")),
        ),
        rows(
            "Findings",
            "Every feature of every segment, largest score first. A large score alone may be "
            "chance; only with evidence is it drift. /api/drift of the analyzer says which "
            "bins moved.",
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
            "The twelve largest distances of the current window from the reference. Normal is "
            "below the threshold; above it, look at Log evidence.",
            "none",
            Query(f"topk(12, max by ({_BY}) ({_SCORE}))", _NAME),
            Query(f"max by (measure) ({_THRESHOLD})", "threshold"),
            span=12,
        ),
        graph(
            "Log evidence",
            "The twelve largest: natural logarithm of the evidence against `nothing changed`. "
            "Normal is near 0. A steady rise is a real change; watching often causes no false "
            "alarm.", "none",
            Query(f"topk(12, max by ({_BY}) ({of('monitor_drift_log_evidence')}))", _NAME),
            span=12,
        ),
        graph(
            "Fewest samples",
            "Values in the twelve smallest windows that are judged; smaller windows are "
            "`insufficient`. Small windows find only large changes.", "short",
            Query(
                f"bottomk(12, max by ({_BY}) ({of('monitor_drift_samples')}) and {_JUDGED})", _NAME
            ),
            span=12,
        ),
        graph(
            "Segments by status",
            "How many features of segments have each status. Normal is mostly ok. All "
            "insufficient: look at MonitorDriftBlind in the runbook.", "none",
            Query(f"sum by (status) ({of('monitor_drift_status')})", "{{status}}"),
            span=12,
            stacked=True,
        ),
        graph(
            "Watches",
            "Features of segments that are watched. Those left out have no series because "
            "/metrics is full. `drift.watches` bounds them all.", "short",
            Query(f"sum by (state) ({of('monitor_drift_watches')})", "{{state}}"),
            span=12,
            stacked=True,
        ),
    ),
)  # fmt: skip
