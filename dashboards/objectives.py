"""Does the endpoint keep what its users may expect, and how fast is the budget going?"""

from dashboards.panels import Query, Row, graph, of, rows

_BY = "endpoint, objective"
_BURN = "endpoint_objective:monitor_objective_burn:rate"
_HERE = '{endpoint=~"$endpoint"}'
_MISSED = of("monitor_objective_missed_total")


def _burn(objective: str, title: str, what: str) -> object:
    matchers = f'{{endpoint=~"$endpoint", objective="{objective}"}}'
    return graph(
        title,
        f"How many times faster than allowed the budget of {what} is spent. At 1 it lasts exactly "
        "30 days; 14.4 over an hour pages. Above 1, look at the row Traffic, then at Segments.",
        "none",
        *(
            Query(f"{_BURN}{window}{matchers}", f"{{{{endpoint}}}} over {window}")
            for window in ("1h", "6h", "3d")
        ),
        steps=((1, "orange"), (14.4, "red")),
    )


ROW = Row(
    "Objectives",
    (
        _burn("availability", "Error budget burn", "failed exchanges"),
        _burn("latency", "Latency budget burn", "exchanges that take too long"),
        _burn("first_token", "First token budget burn", "streams that begin too late"),
        rows(
            "Objectives",
            "What each endpoint promises, as `objectives` of its sidecars says, and how fast its "
            "budget is spent. A burn above 1 for three days uses up what is for 30.",
            {
                "share": (f"max by ({_BY}) ({of('monitor_objective_ratio')})", "percentunit"),
                "within": (f"max by ({_BY}) ({of('monitor_objective_seconds')})", "s"),
                "burn 1h": (f"{_BURN}1h{_HERE}", "none"),
                "burn 6h": (f"{_BURN}6h{_HERE}", "none"),
                "burn 3d": (f"{_BURN}3d{_HERE}", "none"),
                "too slow in the time shown": (
                    f"sum by ({_BY}) (increase({_MISSED}[$__range]))", "short",
                ),
            },
            ("endpoint", "objective"),
            sort="burn 1h",
        ),
    ),
)  # fmt: skip
