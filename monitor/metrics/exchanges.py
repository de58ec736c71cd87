"""What exchanges were like, by model and by segment: latency, tokens, cost, output checks."""

from __future__ import annotations

from monitor.metrics.metric import (
    DURATION_BUCKETS,
    FIRST_TOKEN_BUCKETS,
    NANO,
    PER_TOKEN_BUCKETS,
    Metric,
)

METRICS = (
    Metric(
        "monitor_exchange_duration_seconds", "histogram",
        "Seconds from the first byte of the request to the last byte of the response, counted "
        "when the exchange ends.",
        "recorder", ("operation", "model"), "seconds", DURATION_BUCKETS,
    ),
    Metric(
        "monitor_time_to_first_token_seconds", "histogram",
        "Seconds from the first byte of the request to the first event with content. Streamed "
        "answers only. A rise means queueing or longer prompts.",
        "recorder", ("operation", "model"), "seconds", FIRST_TOKEN_BUCKETS,
    ),
    Metric(
        "monitor_time_per_output_token_seconds", "histogram",
        "Mean seconds between output tokens after the first, one value per streamed answer "
        "whose token count the endpoint reports. A rise means a saturated accelerator.",
        "recorder", ("operation", "model"), "seconds", PER_TOKEN_BUCKETS,
    ),
    Metric(
        "monitor_objective_missed_total", "counter",
        "Exchanges that took longer than an objective of the endpoint allows: latency the whole "
        "exchange, first_token its first event with content.",
        "recorder", ("objective",),
    ),
    Metric(
        "monitor_segment_objective_missed_total", "counter",
        "Exchanges that took longer than an objective of the endpoint allows, by segment.",
        "recorder", ("dimension", "value", "objective"),
    ),
    Metric(
        "monitor_finish_reasons_total", "counter",
        "Answers by why they ended: stop, length (cut off), tool, filter, refusal, error, pause, "
        "incomplete, other. One exchange may have several answers, or say no reason.",
        "recorder", ("model", "reason"),
    ),
    Metric(
        "monitor_tokens_total", "counter",
        "Tokens as the endpoint reported them, by direction (input, output).",
        "recorder", ("model", "direction"),
    ),
    Metric(
        "monitor_cost_total", "counter",
        "What exchanges cost, in units of the currency, by direction (input, output, units).",
        "recorder", ("model", "direction", "currency"), parts=NANO,
    ),
    Metric(
        "monitor_unpriced_tokens_total", "counter",
        "Tokens of exchanges whose price is not known.",
        "recorder", ("model",),
    ),
    Metric(
        "monitor_segment_cost_total", "counter",
        "What exchanges cost, in units of the currency, by segment.",
        "recorder", ("dimension", "value", "currency"), parts=NANO,
    ),
    Metric(
        "monitor_segment_exchanges_total", "counter",
        "Exchanges that the recorder read, by segment and outcome. An exchange counts under each "
        "of its edge cases (dimension edge_case).",
        "recorder", ("dimension", "value", "outcome"),
    ),
    Metric(
        "monitor_segment_duration_seconds", "histogram",
        "Seconds from the first byte of the request to the last byte of the response, by "
        "segment.",
        "recorder", ("dimension", "value"), "seconds", DURATION_BUCKETS,
    ),
    Metric(
        "monitor_segment_time_to_first_token_seconds", "histogram",
        "Seconds from the first byte of the request to the first event with content, by "
        "segment. Streamed answers only.",
        "recorder", ("dimension", "value"), "seconds", FIRST_TOKEN_BUCKETS,
    ),
    Metric(
        "monitor_segment_tokens_total", "counter",
        "Tokens as the endpoint reported them, by segment and direction (input, output).",
        "recorder", ("dimension", "value", "direction"),
    ),
    Metric(
        "monitor_lineage_records_total", "counter",
        "Records by each fact of what served them: what `lineage` states, and `config`, `policy` "
        "(digests of the configuration) and `monitor` (the version). A value that begins to rise "
        "is a new version in service.",
        "recorder", ("fact", "value"),
    ),
    Metric(
        "monitor_output_checks_total", "counter",
        "Exchanges that the recorder looked at, by output check and result (passed, failed, "
        "skipped where the check does not apply, left_out where it is not among the share "
        "`checks_sample`).",
        "recorder", ("check", "result"),
    ),
    Metric(
        "monitor_output_check_items_total", "counter",
        "Things that an output check looked at in one answer of eight, as its numbers, by what the "
        "answer was held against (`own`: what it was given; `other`: what another exchange was "
        "given, which shows what chance gives) and result (right, wrong).",
        "recorder", ("check", "given", "result"),
    ),
    Metric(
        "monitor_segment_check_failures_total", "counter",
        "Exchanges whose answer failed an output check, by segment and check. An exchange counts "
        "under each of its edge cases (dimension edge_case).",
        "recorder", ("dimension", "value", "check"),
    ),
)  # fmt: skip
