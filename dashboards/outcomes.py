"""Were predictions right, where not, and on what evidence?"""

from dashboards.panels import Query, Row, graph, of, rate, rows, states

_BY = "endpoint, monitor, measure, dimension, value"
_NAME = "{{monitor}} · {{measure}} · {{dimension}}={{value}}"


def _status(name: str) -> str:
    return f"""max by ({_BY}) ({of("monitor_outcome_status", f'status="{name}"')})"""


_EVER = of("monitor_outcome_status", 'status="alarm"') + "[$__range]"
_ALARMED = f"max by ({_BY}) (max_over_time({_EVER})) == 1"
_SEGMENT = "endpoint, dimension, value"
_EVIDENCE = f"max by ({_BY}) ({of('monitor_outcome_log_evidence')})"

_ALL = 'dimension="all"'
_MEASURED = "endpoint, dimension, value, measure"
_CLASSED = "endpoint, dimension, value, class, measure"
_LABELS = (
    f"max by ({_MEASURED}) ({of('monitor_quality')} * 0 + on (endpoint, dimension, value) "
    f"group_left () {of('monitor_quality_labels')})"
)
_FINAL = of("monitor_feedback_total", 'result!="waiting"')
_WAITING = of("monitor_feedback_total", 'result="waiting"')
_SLICES = of("monitor_slices", 'status="alarm"')
_RECORDS = of("monitor_outcome_records_total")


def _delay(quantile: float) -> str:
    buckets = of("monitor_feedback_delay_seconds_bucket")
    return f"histogram_quantile({quantile}, sum by (kind, le) (rate({buckets}[$__rate_interval])))"


JUDGED = Row(
    "Judgements",
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

QUALITY = Row(
    "Quality",
    (
        graph(
            "Quality",
            "How good predictions were for all of the traffic, by the labels that are due, since "
            "counting began. What changed lately stands in the alarms.", "none",
            Query(f"max by (endpoint, measure) ({of('monitor_quality', _ALL)})", "{{measure}}"),
            Query(
                f"max by (endpoint, measure) ({of('monitor_quality_estimate', _ALL)})",
                "{{measure}}, expected",
            ),
            Query(
                f"min by (endpoint) ({of('monitor_quality_estimate_valid')})", "estimate is valid"
            ),
            span=12,
        ),
        graph(
            "Without a whole outcome",
            "Outcomes that were due and lack something, each second: a label, a prediction, a "
            "score from 0 to 1. Some without a label is normal.", "ops",
            Query(rate("monitor_outcomes_incomplete_total", "reason"), "{{reason}}"),
            span=12,
        ),
        graph(
            "Labels overdue",
            "How much longer than `outcomes.overdue` a monitor has had records to judge, and too "
            "few labels. Normal is 0; empty without that setting.", "s",
            Query(
                f"max by (endpoint, monitor) ({of('monitor_outcome_overdue_seconds')})",
                "{{monitor}}",
            ),
        ),
        rows(
            "Quality by segment",
            "Every measure in every segment, with the labels that it was made of. Small segments "
            "say little.",
            {
                "quality": (f"max by ({_MEASURED}) ({of('monitor_quality')})", "none"),
                "labels": (_LABELS, "short"),
            },
            ("endpoint", "dimension", "value", "measure"),
            sort="labels",
        ),
        rows(
            "Quality by class",
            "Precision, recall and F1 of every class. A class with few labels says little.",
            {"quality": (f"max by ({_CLASSED}) ({of('monitor_class_quality')})", "none")},
            ("endpoint", "dimension", "value", "class", "measure"),
            sort="quality",
        ),
    ),
)  # fmt: skip

CALIBRATION = Row(
    "Calibration and coverage",
    (
        graph(
            "Calibration",
            "Of all traffic: the error of scores as probabilities. Normal for ece is about 0; "
            "brier depends on how hard the task is. Judgements say whether an error is certain.",
            "none",
            Query(
                f"max by (endpoint, measure) ({of('monitor_calibration_error', _ALL)})",
                "{{measure}}",
            ),
            span=12,
        ),
        graph(
            "Coverage",
            "Of all traffic: the share of labels that prediction sets and intervals held. Normal "
            "is near `coverage.target`. Empty where nothing predicts sets.", "percentunit",
            Query(f"max by (endpoint) ({of('monitor_coverage_ratio', _ALL)})", "{{endpoint}}"),
            span=12,
        ),
        graph(
            "Size of prediction sets",
            "Of all traffic: classes in a prediction set, in the mean. Larger sets at the same "
            "coverage: the model knows less. Empty where nothing predicts sets.", "none",
            Query(f"max by (endpoint) ({of('monitor_prediction_set_size', _ALL)})", "{{endpoint}}"),
            span=12,
        ),
        graph(
            "Width of prediction intervals",
            "Of all traffic: the mean width of intervals, in the unit of what is predicted. Wider "
            "ones at the same coverage: the model knows less. Empty where nothing predicts "
            "intervals.", "none",
            Query(
                f"max by (endpoint) ({of('monitor_prediction_interval_width', _ALL)})",
                "{{endpoint}}",
            ),
            span=12,
        ),
        rows(
            "Calibration by segment",
            "The error of scores as probabilities in every segment, largest first. Small segments "
            "say little.",
            {"error": (f"max by ({_MEASURED}) ({of('monitor_calibration_error')})", "none")},
            ("endpoint", "dimension", "value", "measure"),
            sort="error",
        ),
        rows(
            "Temperature and coverage by segment",
            "By what to divide the logits of scores, 1 where they are as sure as they should be; "
            "the share of labels inside of prediction sets and intervals, and how large these are.",
            {
                "temperature": (
                    f"max by ({_SEGMENT}) ({of('monitor_calibration_temperature')})", "none",
                ),
                "coverage": (
                    f"max by ({_SEGMENT}) ({of('monitor_coverage_ratio')})", "percentunit",
                ),
                "set size": (f"max by ({_SEGMENT}) ({of('monitor_prediction_set_size')})", "none"),
                "width": (
                    f"max by ({_SEGMENT}) ({of('monitor_prediction_interval_width')})", "none",
                ),
            },
            ("endpoint", "dimension", "value"),
            sort="temperature",
        ),
    ),
)  # fmt: skip

FAIRNESS = Row(
    "Fairness",
    (
        rows(
            "Gaps between groups",
            "How each group fares minus how the rest of its dimension does, the group that fares "
            "worst first. An estimate: `Judgements` says which gaps are believed.",
            {"gap": (f"max by ({_MEASURED}) ({of('monitor_fairness_gap')})", "none")},
            ("endpoint", "dimension", "value", "measure"),
            sort="gap",
        ),
        graph(
            "Slices that are worse",
            "How many slices of up to three conditions are worse than the rest by more than "
            "`slices.tolerance`, by measure. Normal is none; `/api/v1/slices` names them.", "none",
            Query(f"sum by (measure) ({_SLICES})", "{{measure}}"),
        ),
    ),
)  # fmt: skip

FEEDBACK = Row(
    "Feedback",
    (
        graph(
            "Feedback",
            "Items a second by what became of them. Unmatched: they name no record, or came after "
            "`outcomes.wait`. Normal is mostly joined.", "reqps",
            Query(
                f"sum by (kind, result) (rate({_FINAL}[$__rate_interval]))", "{{kind}} {{result}}"
            ),
            span=12,
        ),
        graph(
            "Delay of feedback",
            "Seconds from the end of an exchange until something became known of it, 50 and 95 % "
            "of all. What is near `outcomes.wait` may come too late.", "s",
            Query(_delay(0.5), "{{kind}} 50 %"), Query(_delay(0.95), "{{kind}} 95 %"),
            span=12,
        ),
        graph(
            "Waiting",
            "Items that wait for their record, and records whose outcome is not due. Many items "
            "that wait: look whether clients say ids that the monitor knows.", "short",
            Query(f"sum by (kind) ({_WAITING})", "{{kind}}"),
            Query(f"sum ({of('monitor_outcome_records_waiting')})", "records"),
            span=12,
        ),
        graph(
            "Outcomes that were due",
            "Records a second whose outcome is counted, and those left out of an even share "
            "because of `outcomes.records`; the share is 1 where all are kept.", "short",
            Query(f"sum by (result) (rate({_RECORDS}[$__rate_interval]))", "{{result}}"),
            Query(f"min ({of('monitor_outcome_share_ratio')})", "share"),
            span=12,
        ),
    ),
)  # fmt: skip

ROWS = (JUDGED, QUALITY, CALIBRATION, FAIRNESS, FEEDBACK)
