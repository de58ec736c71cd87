"""How many tokens go in and out, how many does an exchange take, and what does it all cost?"""

from dashboards.panels import Query, Row, graph, rate

ROW = Row(
    "Tokens and cost",
    (
        graph(
            "Finish reasons",
            "Answers each second by why they ended. More `length`: answers are cut off, raise the "
            "limit of tokens. More `refusal` or `filter`: compare with the last change of model or "
            "prompt. Empty: the endpoint says none.", "cps",
            Query(rate("monitor_finish_reasons_total", "model, reason"), "{{model}} {{reason}}"),
            stacked=True,
        ),
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
        graph(
            "Cost each hour",
            "What tokens and units cost at the listed prices, by model, in the currency of the "
            "prices. A rise without more exchanges is a dearer model or longer prompts.", "none",
            Query(
                rate("monitor_cost_total", "model, currency") + " * 3600", "{{model}} {{currency}}"
            ),
            stacked=True,
        ),
        graph(
            "Cost each hour by direction",
            "Input, output, and units such as searches. Cached input is cheaper: a jump of input "
            "may be a cache that no longer hits.", "none",
            Query(
                rate("monitor_cost_total", "direction, currency") + " * 3600",
                "{{direction}} {{currency}}",
            ),
            stacked=True,
        ),
        graph(
            "Tokens without a price",
            "Tokens each second of models that neither costs.file nor the bundled table lists. "
            "Name them in costs.file, or the cost above is too low.", "cps",
            Query(rate("monitor_unpriced_tokens_total", "model"), "{{model}}"),
        ),
    ),
)  # fmt: skip
