"""How many tokens go in and out, and how many does an exchange take?"""

from dashboards.panels import Query, Row, graph, rate

ROW = Row(
    "Tokens",
    (
        graph(
            "Tokens by direction", "As the endpoint reports them.", "cps",
            Query(rate("monitor_tokens_total", "direction"), "{{direction}}"),
        ),
        graph(
            "Tokens by model", "Input and output of each model.", "cps",
            Query(rate("monitor_tokens_total", "model, direction"), "{{model}} {{direction}}"),
            stacked=True,
        ),
        graph(
            "Tokens for each answered exchange",
            "Mean over exchanges that ended ok. A jump is a changed prompt or a rambling model.",
            "none",
            Query(
                rate("monitor_tokens_total", "model, direction")
                + " / on (model) group_left () ("
                + rate("monitor_exchanges_total", "model", 'outcome="ok"')
                + " > 0)",
                "{{model}} {{direction}}",
            ),
        ),
    ),
)  # fmt: skip
