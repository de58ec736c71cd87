"""Is another arm of an experiment better than its control?"""

from dashboards.panels import Query, Row, graph, of, rows, states

_ARM = "endpoint, experiment, variant, metric"
_VERDICT = "monitor_experiment_verdict"


_SEVERAL = of("monitor_experiment_units", 'arms="several"')
_UNITS = of("monitor_experiment_units", 'arms="all"')


def _is(verdict: str) -> str:
    matcher = f'verdict="{verdict}"'
    return f"max by ({_ARM}) ({of(_VERDICT, matcher)})"


_VERDICTS = (
    f"3 * {_is('better')} + 2 * {_is('no_difference')} - {_is('worse')} - 2 * {_is('invalid')}"
)

ROW = Row(
    "Experiments",
    (
        states(
            "Verdicts",
            "What can be said of each arm beside the control, at every moment. Invalid: exchanges "
            "do not come to the arms as declared; find out why before anything else.",
            Query(_VERDICTS, "{{experiment}} {{variant}}: {{metric}}"),
            {
                "-2": ("invalid", "purple"), "-1": ("worse", "red"), "0": ("keep going", "gray"),
                "2": ("no difference", "blue"), "3": ("better", "green"),
            },
        ),
        rows(
            "Effects",
            "The arm's minus the control's, in the unit of the metric, with an interval that holds "
            "at every moment. Without an interval there is too little to say.",
            {
                "effect": (f"max by ({_ARM}) ({of('monitor_experiment_effect')})", "none"),
                "from": (f"max by ({_ARM}) ({of('monitor_experiment_effect_lower')})", "none"),
                "to": (f"max by ({_ARM}) ({of('monitor_experiment_effect_upper')})", "none"),
            },
            ("endpoint", "experiment", "variant", "metric"),
            sort="effect",
        ),
        graph(
            "Evidence against the allocation",
            "From 4.6 on exchanges do not come to the arms as declared, and verdicts are invalid. "
            "Look for arms that crash, retry or are cached differently.", "none",
            Query(
                "max by (endpoint, experiment) "
                f"({of('monitor_experiment_allocation_log_evidence')})",
                "{{experiment}}",
            ),
        ),
        graph(
            "Users in more than one arm",
            "Users, or whatever the experiment's unit is, that were seen in several arms, as a "
            "share of all. They make effects look smaller; look for what divides the traffic.",
            "percentunit",
            Query(
                f"max by (endpoint, experiment) ({_SEVERAL}) / "
                f"max by (endpoint, experiment) ({_UNITS})",
                "{{experiment}}",
            ),
        ),
    ),
)  # fmt: skip
