"""Is the endpoint answering, how fast, and what is asked of it?"""

from dashboards.panels import ERRORS, Query, Row, errors, graph, number, of, quantile, rate, ratio

_ENDPOINT = "endpoint"

SIGNALS = Row(
    "Now",
    (
        number(
            "Exchanges",
            "Requests with their responses, each second. Normal is what your clients send; at "
            "0 look at MonitorTrafficGone in the runbook.", "reqps",
            Query(rate("monitor_exchanges_total", _ENDPOINT), "{{endpoint}}"),
        ),
        number(
            "Failed",
            "Share of exchanges that the endpoint failed: 5xx, refused, timed out, cut. "
            "Above what the objective allows, look at Failures by outcome and model.",
            "percentunit",
            Query(errors("monitor_exchanges_total", _ENDPOINT), "{{endpoint}}"),
            steps=((0.005, "orange"), (0.05, "red")),
        ),
        number(
            "p95 duration",
            "95 % of the answers take no longer than this, first byte of the request to last "
            "byte of the response. Above the objective, look at the board Models.", "s",
            Query(
                quantile(0.95, "monitor_exchange_duration_seconds", _ENDPOINT), "{{endpoint}}"
            ),
        ),
        number(
            "p95 first token",
            "95 % of the streams show their first content no later than this. A rise means "
            "that requests queue or prompts became longer.", "s",
            Query(
                quantile(0.95, "monitor_time_to_first_token_seconds", _ENDPOINT), "{{endpoint}}"
            ),
        ),
        number(
            "Drifting",
            "Features, of the whole or of a segment, whose change is believed and large. "
            "Normal is 0; otherwise look at the board Drift.", "none",
            Query(
                f"""sum by (endpoint) ({of("monitor_drift_status", 'status="drift"')})""",
                "{{endpoint}}",
            ),
            steps=((1, "red"),),
        ),
        number(
            "Not recorded",
            "Share of exchanges that left no record, without those beyond `capture.sample_over`. "
            "Normal is 0; otherwise look at Lost by reason, board Pipeline. Users are served all "
            "the same.",
            "percentunit",
            Query(
                ratio(
                    rate("monitor_exchanges_lost_total", _ENDPOINT, 'reason!="sampled"'),
                    rate("monitor_exchanges_total", _ENDPOINT),
                ),
                "{{endpoint}}",
            ),
            steps=((0.0001, "orange"), (0.01, "red")),
        ),
    ),
)  # fmt: skip

ROW = Row(
    "Traffic",
    (
        graph(
            "Exchanges by outcome",
            "How exchanges ended. Normal is mostly ok; the runbook says what the other "
            "outcomes mean (MonitorErrorBudgetBurn).", "reqps",
            Query(rate("monitor_exchanges_total", "outcome"), "{{outcome}}"),
            stacked=True,
        ),
        graph(
            "Exchanges by model and operation",
            "What clients ask for. `unknown` is traffic that the recorder did not read; if it "
            "stays, look at Restarts.", "reqps",
            Query(rate("monitor_exchanges_total", "model, operation"), "{{model}} {{operation}}"),
            stacked=True,
        ),
        graph(
            "Failed by model",
            "Share of each model's exchanges that the endpoint failed. If one model stands "
            "out, roll back its last change.",
            "percentunit",
            Query(errors("monitor_exchanges_total", "model"), "{{model}}"),
        ),
        graph(
            "Failures by outcome and model",
            "Failed exchanges by kind. `upstream_refused` and `upstream_timeout`: process or "
            "network; `server_error`: the model server; `upstream_broken`: it crashed during "
            "an answer.", "reqps",
            Query(
                rate("monitor_exchanges_total", "outcome, model", ERRORS),
                "{{outcome}} {{model}}",
            ),
        ),
        graph(
            "Exchanges by protocol",
            "The protocol that the recorder read the traffic as. A move to `generic_json` or "
            "`unknown` means that bodies can no longer be read.", "reqps",
            Query(rate("monitor_exchanges_total", "protocol"), "{{protocol}}"),
            stacked=True,
        ),
        graph(
            "Versions in service",
            "Records each second by what served them: versions that the setting `lineage` states, "
            "and digests of the configuration. A line that begins to rise is a roll-out; hold it "
            "against the other panels.", "reqps",
            Query(rate("monitor_lineage_records_total", "fact, value"), "{{fact}} {{value}}"),
        ),
    ),
)  # fmt: skip
