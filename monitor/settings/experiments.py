"""What may be declared of an experiment, before it begins."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from monitor.settings.kinds import Duration, Positive, Section


class ExperimentMetric(Section, frozen=True, omit_defaults=True):
    """What is measured of each exchange: one of `event`, `outcome`, `latency_above` (seconds, or a
    quantile of the control's first exchanges), and `of`, a part of its outcome.

    It is the share of exchanges, or with `aggregate: mean` the mean of values, cut at `bounds`. A
    `guardrail` is worse only where it is so by more than `margin`. More is `better`, but of an
    `outcome` and of latency. With `per` it is the sum of values divided by that of another event;
    if that is the unit, and units are followed, the share or mean of these.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    event: str = ""
    outcome: str = ""
    latency_above: Duration | Literal["p50", "p90", "p95", "p99"] | None = None
    of: Literal["label", "score", "prediction", "rating", "cost", ""] = ""
    aggregate: Literal["share", "mean"] = "share"
    bounds: Annotated[list[float], msgspec.Meta(max_length=2)] = []
    guardrail: bool = False
    margin: Annotated[float, msgspec.Meta(ge=0, lt=1e9)] = 0.0
    better: Literal["higher", "lower", ""] = ""
    per: str = ""

    EXCLUSIVE: ClassVar = ("event", "outcome", "latency_above", "of")


class Experiment(Section, frozen=True, omit_defaults=True):
    """An experiment: the values of `dimension` are its arms, `control` is the one to beat.

    `allocation` are the shares of the traffic that the arms are given, together 1; or a list of
    these, of which each but the first says `from` when on it held. The difference that matters is
    `minimum_effect`; the experiment was planned for some `planned` exchanges. The `unit` that was
    assigned to arms, such as a user, is a dimension or one of `outcomes.key`; by default it is the
    exchange. Where every arm answered the same requests, `paired` is what these have in common:
    `trace_id`, or as `unit`; for arms on machines of their own it is `minute` or `hour`. An
    exchange counts `horizon` seconds after it ended, with what had been said by then; by default
    that is `outcomes.wait`, and it is never more. With `follow_up` a unit counts once, with its
    exchanges of so many seconds after the first one.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    dimension: Annotated[str, msgspec.Meta(min_length=1)]
    control: Annotated[str, msgspec.Meta(min_length=1)]
    metrics: Annotated[list[ExperimentMetric], msgspec.Meta(min_length=1, max_length=32)]
    allocation: (
        dict[str, Annotated[float, msgspec.Meta(gt=0, lt=1)]]
        | Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1, max_length=10)]
    ) = {}
    minimum_effect: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.01
    planned: Positive = 10000
    unit: str = ""
    paired: str = ""
    horizon: Duration | None = None
    follow_up: Duration | None = None
