"""What became of exchanges: feedback, quality, fairness, experiments, review."""

from __future__ import annotations

from monitor.metrics.metric import FEEDBACK_DELAY_BUCKETS, Metric

METRICS = (
    Metric(
        "monitor_quality", "gauge",
        "How good predictions were by the labels that are due, since counting began, by measure: "
        "accuracy, precision, recall, f1, auc, log_loss, mae, rmse, exact_match, token_overlap.",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_class_quality", "gauge",
        "How good predictions of one class were, by measure: precision, recall, f1. The class "
        "`other` holds what came after 64 classes.",
        "analyzer", ("dimension", "value", "class", "measure"),
    ),
    Metric(
        "monitor_quality_estimate", "gauge",
        "Quality to be expected of all outcomes that are due, with a label or without, by their "
        "scores or by the size of predicted numbers; not exported while "
        "monitor_quality_estimate_valid is 0.",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_quality_estimate_valid", "gauge",
        "1 while scores are worth what they were at first, and predicted numbers of a size off by "
        "as much, 0 once labels say that they are not.",
        "analyzer",
    ),
    Metric(
        "monitor_quality_labels", "gauge",
        "Labels that quality was measured with in a segment.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_outcomes_incomplete_total", "counter",
        "Outcomes of which not all could be counted when they were due: no label (unlabelled), no "
        "prediction (unsaid), a score outside 0 to 1 (score), a label of another kind than the "
        "prediction (kind), a number beyond all (number).",
        "analyzer", ("reason",),
    ),
    Metric(
        "monitor_calibration_error", "gauge",
        "How far scores are from the probabilities that they claim to be, by measure: ece "
        "(expected calibration error, less what a perfect model has by chance, so it may be below "
        "0), brier (mean squared error).",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_calibration_temperature", "gauge",
        "By what the logits of scores should be divided. Above 1 scores are too sure, below 1 not "
        "sure enough.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_coverage_ratio", "gauge",
        "Share of labels that prediction sets and intervals held. `coverage.target` is what they "
        "promise.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_prediction_set_size", "gauge",
        "Mean number of classes in a prediction set. A predictor that adapts keeps its coverage by "
        "larger sets.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_prediction_interval_width", "gauge",
        "Mean width of prediction intervals, in the unit of what is predicted; of those whose ends "
        "are finite and in order. A predictor that adapts keeps its coverage by wider intervals.",
        "analyzer", ("dimension", "value"),
    ),
    Metric(
        "monitor_fairness_gap", "gauge",
        "How a group fares minus how the rest of its dimension does, by measure: -1 to 1. The "
        "estimate as it is; monitor_outcome_status says whether it is believed.",
        "analyzer", ("dimension", "value", "measure"),
    ),
    Metric(
        "monitor_slices", "gauge",
        "Slices of up to three conditions that are tried, by measure (error, calibration, latency, "
        "cost, checks): alarm are believed to be worse than the rest by more than "
        "slices.tolerance, ok looked so, insufficient have fewer than slices.minimum rows.",
        "analyzer", ("measure", "status"),
    ),
    Metric(
        "monitor_feedback_total", "counter",
        "Items of feedback by kind and by what became of them: joined to a record, unmatched "
        "(nobody has that name, or it came too late), duplicate, invalid, missed (the stream "
        "deleted it before it was read); waiting is how many wait for their record now.",
        "analyzer", ("kind", "result"),
    ),
    Metric(
        "monitor_feedback_delay_seconds", "histogram",
        "Seconds from the end of an exchange to the moment at which something became known of it, "
        "of joined feedback.",
        "analyzer", ("kind",), "seconds", FEEDBACK_DELAY_BUCKETS,
    ),
    Metric(
        "monitor_outcome_records_total", "counter",
        "Records whose outcome was due and is folded (due), and those that were left out because "
        "more came within `outcomes.wait` than `outcomes.records` (left_out).",
        "analyzer", ("result",),
    ),
    Metric(
        "monitor_outcome_records_waiting", "gauge",
        "Records whose outcome is not due yet.",
        "analyzer",
    ),
    Metric(
        "monitor_outcome_share_ratio", "gauge",
        "The share of records that are remembered until their outcome is due: 1, or a half, a "
        "quarter and so on where more come than `outcomes.records`.",
        "analyzer",
    ),
    Metric(
        "monitor_experiment_effect", "gauge",
        "What an arm of an experiment does to a metric: the arm's minus the control's, in the "
        "metric's unit.",
        "analyzer", ("experiment", "variant", "metric"),
    ),
    Metric(
        "monitor_experiment_effect_lower", "gauge",
        "The lower end of the effect's interval, which holds at every moment.",
        "analyzer", ("experiment", "variant", "metric"),
    ),
    Metric(
        "monitor_experiment_effect_upper", "gauge",
        "The upper end of the effect's interval, which holds at every moment.",
        "analyzer", ("experiment", "variant", "metric"),
    ),
    Metric(
        "monitor_experiment_verdict", "gauge",
        "1 for the verdict that holds (better, worse, no_difference, keep_going, invalid), 0 for "
        "the others.",
        "analyzer", ("experiment", "variant", "metric", "verdict"),
    ),
    Metric(
        "monitor_experiment_allocation_log_evidence", "gauge",
        "Natural logarithm of the evidence that exchanges do not come to the arms as declared. "
        "From 4.6 on every verdict is invalid.",
        "analyzer", ("experiment",),
    ),
    Metric(
        "monitor_experiment_units", "gauge",
        "How many users, or whatever an experiment's unit is, came (`all`), and how many of them "
        "were seen in more than one arm (`several`), which makes effects look smaller.",
        "analyzer", ("experiment", "arms"),
    ),
    Metric(
        "monitor_outcome_log_evidence", "gauge",
        "Natural logarithm of the evidence that predictions are worse than tolerated, by monitor "
        "and measure; it may be read at every moment. A lasting rise means that it is certain.",
        "analyzer", ("monitor", "measure", "dimension", "value"),
    ),
    Metric(
        "monitor_outcome_status", "gauge",
        "1 for the status that holds (ok, alarm, insufficient), 0 for the two others, of what a "
        "monitor of outcomes judges in a segment.",
        "analyzer", ("monitor", "measure", "dimension", "value", "status"),
    ),
    Metric(
        "monitor_outcome_overdue_seconds", "gauge",
        "How much longer than `outcomes.overdue` a monitor of outcomes has had records to judge, "
        "and too few labels to judge them, in the time of the records. Normally 0; not exported "
        "without that setting.",
        "analyzer", ("monitor",), "seconds",
    ),
    Metric(
        "monitor_review_queue", "gauge",
        "Exchanges that people are asked about and have not all answered, by state: waiting, or "
        "leased to a reviewer.",
        "analyzer", ("state",),
    ),
    Metric(
        "monitor_reviews_total", "counter",
        "Answers of reviewers, by result (passed, failed, skipped). A skip is a missing verdict.",
        "analyzer", ("result",),
    ),
    Metric(
        "monitor_review_items_dropped_total", "counter",
        "Items that left the review queue unanswered, by reason: thinned (there were too many) or "
        "expired (the record was gone). Normally 0.",
        "analyzer", ("reason",),
    ),
    Metric(
        "monitor_review_agreement_ratio", "gauge",
        "How far the first two verdicts on an item agree: the share of equal ones (raw), and "
        "Gwet's AC1. Only with `review.reviewers: 2`.",
        "analyzer", ("measure",),
    ),
)  # fmt: skip
