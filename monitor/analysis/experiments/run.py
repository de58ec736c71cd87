"""An experiment under way: what its arms had, by exchange or by unit, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from monitor.analysis.experiments.arms import Arms, Judged
from monitor.analysis.experiments.bars import Bars
from monitor.analysis.experiments.declared import Experiment, Metric, period_of
from monitor.analysis.experiments.follow_up import FollowUp, Sums, of_unit
from monitor.analysis.experiments.units import KNOWN, Clusters, Units, judged, judged_by_period
from monitor.findings import ExperimentEffect
from monitor.meters import OTHER
from monitor.sequential.known_probability import log_evidence_of_shares
from monitor.turns import in_turns

ARMS = 16
"""Arms that are looked at, where they are not declared."""

FOLLOWED_METRICS = 4
"""With more metrics, fewer units are followed: what is kept of them all has a bound."""

FOLLOWED = "followed"
"""What stands behind the unit in the name of an entry of units that are followed."""

Name = tuple[str, ...]
"""Of an entry of the state, or of its first parts."""


class Run:
    """An experiment under way."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.metrics = {one.name: one for one in experiment.metrics}
        declared = [name for name, _ in experiment.allocation]
        self.exposed: dict[str, int] = dict.fromkeys(declared or [experiment.control], 0)
        # By the periods of a ramp; else there is one, which is all.
        self.periods = (
            [dict(self.exposed) for _ in (0, *experiment.ramp)] if experiment.ramp else []
        )
        self.strangers = 0
        self.stranger = ""  # the first by name, as an example
        self.arms: dict[tuple[str, str], Arms] = {}
        self.clusters: dict[tuple[str, str, int], Clusters] = {}
        self.most, self.waiting = KNOWN, 0
        self.follow_up: FollowUp | None = None
        if experiment.follow_up:
            self.most = KNOWN * FOLLOWED_METRICS // max(FOLLOWED_METRICS, len(self.metrics))
            self.follow_up = FollowUp(experiment.follow_up)
        self.units = Units(self.most)
        self.quantiles = tuple(
            dict.fromkeys(filter(None, (m.quantile for m in experiment.metrics)))
        )
        self.bars = Bars()
        self.block = 0
        self.found: list[ExperimentEffect] | None = None

    @property
    def variants(self) -> list[str]:
        """All arms but the control."""
        return [name for name in self.exposed if name != self.experiment.control]

    @property
    def beyond(self) -> int:
        """Exchanges of arms that had no place. Where there are places left, `other` is the only arm
        that takes none, because it is a mix of values."""
        is_full = not self.experiment.allocation and len(self.exposed) >= ARMS
        return self.strangers if is_full else 0

    def expose(self, arm: str, period: int) -> bool:
        """Count an exchange; return whether its arm takes part."""
        if arm not in self.exposed:
            is_looked_at = len(self.exposed) < ARMS and arm != OTHER  # that is a mix of values
            if self.experiment.allocation or not is_looked_at:
                self.strangers += 1
                self.stranger = min(arm, self.stranger or arm)
                return False
            self.exposed[arm] = 0
        self.exposed[arm] += 1
        if self.periods:
            self.periods[period][arm] += 1
        return True

    def of(self, variant: str, metric: Metric) -> Arms:
        """The counts of a variant beside the control, of which all may have come before it."""
        key = variant, metric.name
        if key not in self.arms:
            alone = self.arms.get((self.experiment.control, metric.name))
            self.arms[key] = Arms(self.experiment, metric) if alone is None else alone.copy()
        return self.arms[key]

    def counted(self, arm: str) -> list[str]:
        """The variants beside which a value of an arm is counted. Of the control that is every one;
        and itself, for variants that are still to come, where no arms are declared."""
        if arm != self.experiment.control:
            return [arm]
        return self.variants if self.experiment.allocation else list(self.exposed)

    def of_key(self, key: Name) -> Arms | Clusters:
        """What stands in the state under a name."""
        _, arm, metric, *unit = key
        if not unit:
            return self.arms[arm, metric]
        return self.clusters[arm, metric, int(unit[1]) if len(unit) > 1 else 0]

    def cluster(self, arm: str, metric: str, period: int = 0) -> Clusters:
        """The sums of an arm by units, in a period of the allocation."""
        return self.clusters.setdefault((arm, metric, period), Clusters())

    def follow(self, unit: int, began: float, values: Iterable[tuple[str, float, float]]) -> None:
        """Count an exchange of a unit that is followed; nothing of one whose time is over."""
        assert self.follow_up is not None  # noqa: S101  for the type checker
        if unit in self.units and not self.follow_up.is_over(self.units.first(unit)[0]):
            self.follow_up.add(unit, began, values)

    def count_followed(self, unit: int, sums: Mapping[str, Sums]) -> Iterator[tuple[str, str, int]]:
        """Count a unit under the arm that it first came to, in the period in which it did; yield
        what has changed."""
        first, arm = self.units.first(unit)
        period = period_of(self.experiment.ramp, first)
        for name, one in sums.items():
            self.cluster(arm, name, period).add_sums(unit, *of_unit(self.metrics[name], one))
            yield arm, name, period

    def count_so_far(self, *, is_one_pane: bool) -> None:
        """Know how many units do not count yet. Where all is one pane, so that none is ever closed,
        count those whose time is over by the newest exchange."""
        if self.follow_up is None:
            return
        self.waiting = self.follow_up.open
        if not is_one_pane:
            return
        self.clusters = {}
        for unit, sums in self.follow_up.settled():
            self.waiting -= 1
            for _ in self.count_followed(unit, sums):
                pass

    def restore_units(self, arm: str, metric: str, rest: Sequence[str], saved: bytes) -> bool:
        """Go on from an entry of units, by what is in its name behind the unit; return whether it
        is one of ours. Raises msgspec.DecodeError where it is damaged."""
        if rest and rest[0] == FOLLOWED:
            if self.follow_up is not None:
                self.follow_up.restore(saved)
            return self.follow_up is not None
        period = int(rest[0]) if rest else 0
        if not metric:
            self.units = Units.restored(saved, self.most)
        elif metric in self.metrics and period <= len(self.experiment.ramp):
            self.clusters[arm, metric, period] = Clusters.restored(saved)
        else:
            return False
        return True

    def followed(self) -> Iterator[tuple[int, bytes]]:
        """Yield the pieces of what units that are followed did that have changed, as they are
        saved."""
        if self.follow_up is not None:
            for piece in in_turns(sorted(self.follow_up.changed)):
                yield piece, self.follow_up.saved(piece)

    def judged(self, variant: str, metric: Metric, alpha: float) -> Judged | None:
        """What is known of a variant by a metric; `alpha` is the error of an interval."""
        if not self.experiment.unit:
            return self.of(variant, metric).judged(alpha)
        pairs = self.pairs(variant, metric)
        planned = self.experiment.planned
        if self.experiment.ramp:
            return judged_by_period(pairs, planned, alpha)
        return judged(*pairs[0], planned, alpha, paired=self.experiment.paired)

    def pairs(self, variant: str, metric: Metric) -> list[tuple[Clusters, Clusters]]:
        """The sums of the control and a variant by units, in each period of the allocation."""
        control = self.experiment.control
        return [
            (self.cluster(control, metric.name, period), self.cluster(variant, metric.name, period))
            for period in range(len(self.experiment.ramp) + 1)
        ]

    def samples(self, variant: str, metric: Metric) -> int:
        """Exchanges of a variant with a value."""
        if self.experiment.unit:
            return sum(one.exchanges for _, one in self.pairs(variant, metric))
        return self.of(variant, metric).samples

    def mismatch(self) -> float:
        """ln E against the declared shares, of units where there are any; 0 where none are
        declared. Where they change, each period is held against its own."""
        shares = self.experiment.allocation
        if not shares:
            return 0.0
        if self.experiment.unit and not self.experiment.paired:
            return self.units.mismatch(shares, self.experiment.ramp)
        declared = (shares, *(later for _, later in self.experiment.ramp))
        return math.fsum(
            log_evidence_of_shares([came[name] for name, _ in part], [share for _, share in part])
            for part, came in zip(declared, self.periods or [self.exposed], strict=True)
        )

    def remark(self, *, invalid: bool) -> str:
        """What a reader of its verdicts should know; empty where there is nothing."""
        experiment = self.experiment
        if invalid:
            what = f"values of {experiment.unit}" if experiment.unit else "exchanges"
            why = f"{what} do not come to the arms of {experiment.dimension} as declared"
            return "; ".join(filter(None, (why, self._strange(), self._mixed())))
        if not self.exposed[experiment.control]:
            control = experiment.control
            return f"no exchange is of the control {control!r}, so nothing can be compared"
        said = [self._mixed()]
        if not self.bars.is_set(self.quantiles):
            counted = sum(self.bars.first.values())
            said.append(f"{counted:,} exchanges of the control, too few to say what is slow")
        if self.units.unnamed:
            said.append(f"{self.units.unnamed:,} exchanges have no {experiment.unit}")
        if self.waiting:
            waiting = self.units.estimate(self.waiting)
            said.append(
                f"{waiting:,} of {len(self.units):,} values of {experiment.unit} came less than "
                f"{experiment.follow_up:,g} s ago and do not count yet"
            )
        return "; ".join(filter(None, (*said, self._strange())))

    def _strange(self) -> str:
        """How many exchanges were of no arm that is looked at, and the name of one such arm."""
        if not self.strangers:
            return ""
        if not self.experiment.allocation:
            which = f"arms beyond the first {ARMS}, or of values too rare to be told apart"
        elif self.stranger == OTHER:
            which = (
                "no arm that was declared, or came before it had been seen privacy.min_group times"
            )
        else:
            which = "no arm that was declared"
        return f"{self.strangers:,} exchanges are of {which}, such as {self.stranger!r}"

    def _mixed(self) -> str:
        """How many units were seen in several arms, which makes any effect look smaller; of pairs
        how many were not."""
        mixed, units = self.units.several, len(self.units)
        if self.experiment.paired:
            alone = units - mixed
            named = f"values of {self.experiment.unit}"
            return f"{alone:,} of {units:,} {named} were seen in one arm alone" if alone else ""
        if not mixed:
            return ""
        unit = self.experiment.unit
        return f"{mixed:,} of {units:,} values of {unit} were seen in more than one arm"
