"""Settings → declared experiments; every contradiction in them is told before anything starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from monitor import decisions
from monitor.analysis.experiments.declared import (
    LARGEST,
    STRETCHES,
    Experiment,
    Metric,
    Ramp,
    Shares,
    Source,
)
from monitor.analysis.join.stubs import TRACE
from monitor.errors import ConfigError
from monitor.settings.experiments import Experiment as Declared
from monitor.settings.experiments import ExperimentMetric
from monitor.settings.schema import Settings
from monitor.settings.validation import did_you_mean, told
from monitor.texts import seconds
from monitor.types import Outcome

FROM = "from"
"""The key beside the arms that says from when on their shares hold."""

CLOSE = 1e-6
"""How far from 1 the shares of all arms may add up to."""


def experiments_of(settings: Settings) -> tuple[Experiment, ...]:
    """The experiments; raises ConfigError naming the key."""
    found: list[Experiment] = []
    for place, given in enumerate(settings.experiments):
        key = f"experiments[{place}]"
        if any(one.name == given.name for one in found):
            raise ConfigError(f"{key}.name: {told(given.name)} is the name of another experiment")
        found.append(_experiment(given, key, settings))
    return tuple(found)


def digests_of(settings: Settings) -> dict[str, str]:
    """What each experiment is declared to be, as a digest by its name."""
    return {one.name: decisions.digest(one) for one in settings.experiments}


def _experiment(given: Declared, key: str, settings: Settings) -> Experiment:
    _check_names(given, key, settings)
    shares, ramp = _shares(given.allocation, f"{key}.allocation")
    if given.paired in STRETCHES and ramp:
        raise ConfigError(
            f"{key}.allocation: shares that change go not with {key}.paired: {given.paired}; "
            "declare another experiment for each period"
        )
    may_have_shares = not given.paired or given.paired in STRETCHES
    if given.paired and (given.unit or (not may_have_shares and given.allocation)):
        other = "unit" if given.unit else "allocation"
        raise ConfigError(
            f"{key}.{other}: goes not with {key}.paired, where every arm answers each request"
        )
    arms = [arm for arm, _ in shares]
    if arms and given.control not in arms:
        raise ConfigError(
            f"{key}.control: {told(given.control)} is not one of the arms of {key}.allocation "
            f"({', '.join(arms)}){did_you_mean(given.control, arms)}"
        )
    metrics = _metrics(given, key)
    wait = settings.outcomes.wait
    if given.horizon is not None and given.horizon > wait:
        raise ConfigError(
            f"{key}.horizon: {given.horizon:g} s is longer than outcomes.wait, {wait:g} s, after "
            "which nothing is remembered of an exchange; give less here, or more there"
        )
    if given.follow_up and not given.unit:
        raise ConfigError(
            f"{key}.follow_up: needs {key}.unit, which says what is followed, such as a user"
        )
    return Experiment(
        given.name, given.dimension, given.control, metrics, shares,
        given.minimum_effect, given.planned, given.unit or given.paired, bool(given.paired), ramp,
        None if given.horizon == wait else given.horizon, given.follow_up or 0.0,
    )  # fmt: skip


def _check_names(given: Declared, key: str, settings: Settings) -> None:
    """Raise ConfigError for a dimension, unit or pairing that the settings do not name."""
    dimensions = list(settings.segments)
    if given.dimension not in dimensions:
        raise ConfigError(
            f"{key}.dimension: {told(given.dimension)} is not one of segments "
            f"({', '.join(dimensions) or 'there are none'})"
            f"{did_you_mean(given.dimension, dimensions)}"
        )
    units = [*settings.outcomes.key, *(one for one in dimensions if one != given.dimension)]
    if given.unit and given.unit not in units:
        raise ConfigError(
            f"{key}.unit: {told(given.unit)} is not one of outcomes.key or of the other segments "
            f"({', '.join(units) or 'there are none'}){did_you_mean(given.unit, units)}"
        )
    pairs = [TRACE, *STRETCHES, *units]
    if given.paired and given.paired not in pairs:
        raise ConfigError(
            f"{key}.paired: {told(given.paired)} is not trace_id, minute or hour, nor one of "
            f"outcomes.key or of the other segments ({', '.join(pairs)})"
            f"{did_you_mean(given.paired, pairs)}"
        )


def _metrics(given: Declared, key: str) -> tuple[Metric, ...]:
    metrics: list[Metric] = []
    for place, one in enumerate(given.metrics):
        here = f"{key}.metrics[{place}]"
        if any(metric.name == one.name for metric in metrics):
            raise ConfigError(f"{here}.name: {told(one.name)} is the name of another metric")
        if one.per and not (given.unit or given.paired):
            raise ConfigError(
                f"{here}.per: needs {key}.unit, which says whose sums are compared, such as a user"
            )
        metrics.append(_metric(one, here, given.unit if given.follow_up else ""))
    return tuple(metrics)


def _shares(given: Mapping[str, float] | list[dict[str, Any]], key: str) -> tuple[Shares, Ramp]:
    """The shares at first, and the later ones with the time from which on they held."""
    if not isinstance(given, list):
        _add_up(given, key)
        return tuple(given.items()), ()
    found: list[tuple[float, Shares]] = []
    for place, one in enumerate(given):
        here = f"{key}[{place}]"
        shares = {arm: share for arm, share in one.items() if arm != FROM}
        for arm, share in shares.items():
            if isinstance(share, bool) or not (isinstance(share, int | float) and 0 < share < 1):
                raise ConfigError(f"{here}: the share of {told(arm)} is not above 0 and below 1")
        arms = given[0].keys() - {FROM}
        if shares.keys() != arms or not arms:
            raise ConfigError(
                f"{here}: has other arms ({', '.join(map(str, shares)) or 'none'}) than {key}[0] "
                f"({', '.join(sorted(map(str, arms))) or 'none'}): each has a share at all times"
            )
        _add_up(shares, here)
        began = _began(one.get(FROM), here) if place else -math.inf
        if not place and FROM in one:
            raise ConfigError(f"{here}.from: the first shares hold from the beginning, without it")
        if found and began <= found[-1][0]:
            raise ConfigError(f"{here}.from: is not later than that of {key}[{place - 1}]")
        found.append((began, tuple((arm, float(shares[arm])) for arm in given[0] if arm != FROM)))
    return found[0][1], tuple(found[1:])


def _began(given: object, key: str) -> float:
    """Unix seconds of a time as YAML reads it, or as text; UTC where no offset is said."""
    if isinstance(given, date):
        given = given.isoformat()
    found = seconds(given) if isinstance(given, str) else None
    if found is None:
        raise ConfigError(
            f"{key}.from: give the time from which on these shares hold, as 2026-12-01T00:00:00Z"
        )
    return found


def _add_up(shares: Mapping[str, float], key: str) -> None:
    total = math.fsum(shares.values())
    if shares and abs(total - 1) > CLOSE:
        raise ConfigError(f"{key}: the shares of all arms add up to {total:g}, not to 1")


def _metric(given: ExperimentMetric, key: str, followed: str) -> Metric:
    """`followed` is the unit that is followed, empty where none is."""
    sources: dict[Source, str | float] = {}
    if given.event:
        sources["event"] = given.event
    if given.outcome:
        sources["outcome"] = _outcome(given.outcome, key)
    if given.latency_above is not None:
        sources["latency"] = given.latency_above
    if given.of:
        sources[given.of] = ""
    if len(sources) != 1:
        raise ConfigError(f"{key}: give one of event, outcome, latency_above and of")
    ((source, of),) = sources.items()
    if given.bounds and (len(given.bounds) != 2 or given.bounds[0] >= given.bounds[1]):
        raise ConfigError(f"{key}.bounds: give two numbers, the lower one first, as [0, 500]")
    of_units = bool(followed) and given.per == followed
    is_mean = given.aggregate == "mean" or bool(given.per and not of_units)
    if given.bounds and not is_mean:
        raise ConfigError(f"{key}.bounds: are for aggregate: mean")
    if not is_mean and source in ("rating", "cost", "score"):
        raise ConfigError(f"{key}.aggregate: of {source} there is a mean only")
    if given.margin >= 1 and not is_mean:
        raise ConfigError(f"{key}.margin: {given.margin:g} is not below 1, as a share is")
    less = source in ("outcome", "latency", "cost")
    return Metric(
        given.name,
        source,
        of,
        is_mean=is_mean,
        bounds=(given.bounds[0], given.bounds[1]) if given.bounds else (-LARGEST, LARGEST),
        guardrail=given.guardrail,
        margin=given.margin,
        less_is_better={"higher": False, "lower": True}.get(given.better, less),
        per="" if of_units else given.per,
        of_units=of_units,
    )


def _outcome(name: str, key: str) -> str:
    known = [one.value for one in Outcome]
    if name not in known:
        raise ConfigError(
            f"{key}.outcome: {told(name)} is not one of {', '.join(known)}"
            f"{did_you_mean(name, known)}"
        )
    return name
