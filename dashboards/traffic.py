"""Is the endpoint answering, and how fast is its error budget going?"""

from dashboards.panels import ERRORS, Query, Row, errors, graph, number, of, quantile, rate, ratio

_ENDPOINT = "endpoint"

ROW = Row(
    "Traffic",
    (
        number(
            "Exchanges", "Requests with their responses, each second.", "reqps",
            Query(rate("monitor_exchanges_total", _ENDPOINT), "{{endpoint}}"),
        ),
        number(
            "Failed", "Share of exchanges that the endpoint failed: 5xx, refused, timed out, cut.",
            "percentunit",
            Query(errors("monitor_exchanges_total", _ENDPOINT), "{{endpoint}}"),
            steps=((0.005, "orange"), (0.05, "red")),
        ),
        number(
            "p95 duration", "First byte of the request to last byte of the response.", "s",
            Query(
                quantile(0.95, "monitor_exchange_duration_seconds", _ENDPOINT), "{{endpoint}}"
            ),
        ),
        number(
            "p95 first token", "First byte of the request to the first event with content.", "s",
            Query(
                quantile(0.95, "monitor_time_to_first_token_seconds", _ENDPOINT), "{{endpoint}}"
            ),
        ),
        number(
            "Drifting",
            "Features, of the whole or of a segment, whose change is believed and large.", "none",
            Query(
                f"""sum by (endpoint) ({of("monitor_drift_status", 'status="drift"')})""",
                "{{endpoint}}",
            ),
            steps=((1, "red"),),
        ),
        number(
            "Not recorded", "Share of exchanges that left no record. Traffic is not affected.",
            "percentunit",
            Query(
                ratio(
                    rate("monitor_exchanges_lost_total", _ENDPOINT),
                    rate("monitor_exchanges_total", _ENDPOINT),
                ),
                "{{endpoint}}",
            ),
            steps=((0.0001, "orange"), (0.01, "red")),
        ),
        graph(
            "Exchanges by outcome", "How exchanges ended.", "reqps",
            Query(rate("monitor_exchanges_total", "outcome"), "{{outcome}}"),
            stacked=True,
        ),
        graph(
            "Exchanges by model and operation",
            "What is asked for. `unknown` was not read: the recorder was away.", "reqps",
            Query(rate("monitor_exchanges_total", "model, operation"), "{{model}} {{operation}}"),
            stacked=True,
        ),
        graph(
            "Failed by model", "Share of each model's exchanges that the endpoint failed.",
            "percentunit",
            Query(errors("monitor_exchanges_total", "model"), "{{model}}"),
        ),
        graph(
            "Failures by outcome and model", "Which failure it is.", "reqps",
            Query(
                rate("monitor_exchanges_total", "outcome, model", ERRORS),
                "{{outcome}} {{model}}",
            ),
        ),
        graph(
            "Exchanges by protocol", "What the recorder understood the traffic as.", "reqps",
            Query(rate("monitor_exchanges_total", "protocol"), "{{protocol}}"),
            stacked=True,
        ),
        graph(
            "Error budget burn",
            "How many times faster than allowed the 30-day error budget is spent. At 1 it lasts "
            "exactly 30 days; 14.4 over an hour pages.", "none",
            *(
                Query(
                    f'endpoint:monitor_exchange_errors:ratio_rate{window}{{endpoint=~"$endpoint"}}'
                    ' / (1 - scalar(monitor:objective:ratio{slo="availability"}))',
                    f"{{{{endpoint}}}} over {window}",
                )
                for window in ("1h", "6h", "3d")
            ),
            steps=((1, "orange"), (14.4, "red")),
        ),
    ),
)  # fmt: skip
