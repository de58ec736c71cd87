"""What is wrong now, and what changed last?"""

from dashboards.panels import Query, Row, named, of, rows, states

_FIRING = 'ALERTS{alertname=~"Monitor.*", alertstate="firing", endpoint=~"$endpoint|"}'
_ALERT = "severity, alertname, endpoint, dimension, value, feature"
_DRIFT = of("monitor_drift_status", 'status="drift"')
_OUTCOME = of("monitor_outcome_status", 'status="alarm"')
_VERDICT = of("monitor_experiment_verdict", 'verdict=~"better|worse|invalid"')
_VERSION = of("monitor_build_info")
_EXCHANGES = of("monitor_exchanges_total")
_LINEAGE = of("monitor_lineage_change_timestamp_seconds")
_OBJECTIVE = of("monitor_objective_ratio")


def _changed(by: str, series: str) -> str:
    return f"max by ({by}) (changes({series}[$__range])) > 0"


def _new(by: str, series: str) -> str:
    return f"group by ({by}) ({series}) unless group by ({by}) ({series} offset $__range)"


_CHANGES = " or ".join(
    (
        named(_changed("endpoint, feature, dimension, value", _DRIFT), "drift", "feature"),
        named(
            _changed("endpoint, monitor, measure, dimension, value", _OUTCOME), "outcome", "measure"
        ),
        named(_changed("endpoint, experiment, variant, verdict", _VERDICT), "verdict", "verdict"),
        named(_changed("endpoint, objective", _OBJECTIVE), "objective", "objective"),
        named(_new("endpoint, version", _VERSION), "new version of monitor", "version"),
        named(_new("endpoint, model", _EXCHANGES), "new model", "model"),
        named(_new("endpoint, fact, value", _LINEAGE), "new in service", "fact"),
        named(_changed("endpoint, fact, value", _LINEAGE), "new in service", "fact"),
    )
)

ROW = Row(
    "Alerts and changes",
    (
        rows(
            "Alerts that fire",
            "What Prometheus fires now, also what is silenced in Alertmanager. Empty is normal. "
            "The runbook, linked above, has a section for each.",
            {
                "firing": (
                    f"max by ({_ALERT}) ({_FIRING})",
                    "none",
                ),
            },
            tuple(_ALERT.split(", ")),
            span=12,
        ),
        rows(
            "What changed in the time shown",
            "Judgements that changed, and versions, models and objectives that are new. Narrow the "
            "time to find when; the vertical lines of every panel show it too.",
            {"changes": (f"sum by (endpoint, what, name, dimension, value) ({_CHANGES})", "short")},
            ("endpoint", "what", "name", "dimension", "value"),
            sort="changes",
            span=12,
        ),
        states(
            "Alerts in the time shown",
            "When each alert fired. Empty is normal. Alerts that begin together often have one "
            "cause: look at the first.",
            Query(
                f"max by (alertname, endpoint) ({_FIRING})",
                "{{alertname}} {{endpoint}}",
            ),
            {"1": ("firing", "red")},
        ),
    ),
)  # fmt: skip
