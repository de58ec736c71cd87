"""How many tokens go in and out, and how many does an exchange take?"""

from dashboards.panels import Query, Row, graph, rate

ROW = Row(
    "Tokens",
    (
        graph(
            "Tokens by direction",
            "Tokens each second, as the endpoint reports them. Empty: it reports none.", "cps",
            Query(rate("monitor_tokens_total", "direction"), "{{direction}}"),
        ),
        graph(
            "Tokens by model",
            "Input and output tokens each second of each model. A rise without more exchanges "
            "means longer prompts or answers.", "cps",
            Query(rate("monitor_tokens_total", "model, direction"), "{{model}} {{direction}}"),
            stacked=True,
        ),
        graph(
            "Tokens for each answered exchange",
            "Mean over exchanges that ended ok. A jump is a changed prompt (input) or a model "
            "that rambles (output).",
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
