"""Were predictions right, where not, and on what evidence?"""

from dashboards.panels import Query, Row, of, rows, states

_BY = "endpoint, monitor, measure, dimension, value"
_NAME = "{{monitor}} · {{measure}} · {{dimension}}={{value}}"


def _status(name: str) -> str:
    return f"""max by ({_BY}) ({of("monitor_outcome_status", f'status="{name}"')})"""


_EVER = of("monitor_outcome_status", 'status="alarm"') + "[$__range]"
_ALARMED = f"max by ({_BY}) (max_over_time({_EVER})) == 1"
_EVIDENCE = f"max by ({_BY}) ({of('monitor_outcome_log_evidence')})"

ROW = Row(
    "Outcomes",
    (
        states(
            "What raised an alarm in the time shown",
            "What a monitor of outcomes had an alarm for. Alarm: it is certain, and larger than "
            "tolerated. Insufficient: too few labels. Empty is normal.",
            Query(f"(2 * {_status('alarm')} + {_status('ok')}) and {_ALARMED}", _NAME),
            {"0": ("insufficient", "gray"), "1": ("ok", "green"), "2": ("alarm", "red")},
        ),
        rows(
            "Judgements",
            "Every measure of every segment that is judged, the most certain first.",
            {
                "log evidence": (_EVIDENCE, "none"),
                "alarm": (_status("alarm"), "bool_yes_no"),
                "insufficient": (_status("insufficient"), "bool_yes_no"),
            },
            ("endpoint", "monitor", "measure", "dimension", "value"),
            sort="log evidence",
        ),
    ),
)  # fmt: skip
