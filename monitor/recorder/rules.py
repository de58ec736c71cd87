"""(Record, Inference) → its edge cases and the verdicts of checks, all told by one View."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.answers.gist import gist
from monitor.hidden import is_empty
from monitor.interfaces import Check, EdgeCase
from monitor.prices.pricing import Pricing
from monitor.recorder.agreements import Agreements
from monitor.recorder.placebos import Placebos
from monitor.recorder.repeats import Repeats
from monitor.texts import numbered
from monitor.turns import in_turns
from monitor.types import Inference, Record, Verdict
from monitor.view import Usual, View, view

MOST = 1 << 53
"""Things that a check may have looked at: integers that every reader of JSON has without loss."""


class Looked(NamedTuple):
    """The names of the edge cases that an exchange is of, and the verdicts of the checks that apply
    to it, by name; of some also the verdict beside what another exchange was given."""

    edge_cases: list[str]
    verdicts: dict[str, Verdict]
    placebos: dict[str, Verdict]


class Rules:
    """Looks at Records; one per recorder. `stumble` is told which part raised on an exchange.

    A rule that raises costs itself alone: the exchange is not of that edge case, and that check has
    no verdict. Of checks that are dear the exchanges of a `share` are asked about, which depends on
    their ids alone.
    """

    def __init__(
        self,
        edge_cases: Sequence[EdgeCase],
        checks: Sequence[Check],
        *,
        usual: Mapping[str, Usual] | None,
        repeats: Repeats | None,
        agreements: Agreements | None = None,
        pricing: Pricing,
        stumble: Callable[[str, str, BaseException], None],
        share: float = 1.0,
    ) -> None:
        self._edge_cases = edge_cases
        self._checks = checks
        self._usual = usual
        self._repeats = repeats
        self._agreements = agreements
        self._placebos = {one.name: Placebos() for one in checks if one.placebo}
        self._pricing = pricing
        self._stumble = stumble
        self._share = share

    def look(self, asked: Sequence[tuple[Record, Inference, Looked]]) -> None:
        """Ask all rules about exchanges, and note in the Looked of each what they say. Rule by
        rule, so that the code of each stays in the caches of the CPU."""
        if not (self._edge_cases or self._checks):
            return
        seen = []
        for record, inference, looked in in_turns(asked):
            try:
                seen.append((record.id, self._view(record, inference), looked))
            except Exception as error:  # noqa: BLE001  no rule can look, and the rest stays
                self._stumble("edge_case" if self._edge_cases else "check", "view", error)
        for rule in self._edge_cases:
            for _, view_, looked in in_turns(seen):
                if self._holds(rule, view_):
                    looked.edge_cases.append(rule.name)
        for check in self._checks:
            for id_, view_, looked in in_turns(seen):
                if not self.leaves_out(check, id_):
                    self._ask(check, view_, looked)

    def leaves_out(self, check: Check, id_: str) -> bool:
        """Whether an exchange is none of those that a check is asked about."""
        return check.is_dear and self._share < 1 and _number(id_) >= self._share

    def _ask(self, check: Check, seen: View, looked: Looked) -> None:
        """Note what a check says of an answer, and of some beside what another was given."""
        verdict = self._verdict(check, seen)
        if verdict is None:
            return
        looked.verdicts[check.name] = verdict
        other = self._placebos[check.name].swap(seen) if check.placebo else None
        chance = None if other is None else self._verdict(check, other)
        if chance is not None:
            looked.placebos[check.name] = chance

    def _view(self, record: Record, inference: Inference) -> View:
        """What rules may look at: what is on record, what was asked for, and what came before."""
        # requests that begin alike, or are alike in what is on record, may be different ones
        is_cut = record.request.truncated or "inputs" in record.withheld
        is_cut = is_cut or any(map(is_empty, record.inputs))
        after = None if self._repeats is None or is_cut else self._repeats.after(record)
        seen = view(
            record, inference, context=self._pricing.context(inference), usual=self._usual,
            repeated_after=after,
        )  # fmt: skip
        is_cut = is_cut or seen.outputs_hidden
        if self._agreements is None or is_cut or len(seen.marked_answers) != 1:
            return seen
        before = self._agreements.before(record, gist(seen.marked_answers[0]))
        return msgspec.structs.replace(seen, answered_before=before) if before else seen

    def _holds(self, rule: EdgeCase, seen: View) -> bool:
        try:
            return rule.holds(seen, rule.thresholds)
        except Exception as error:  # noqa: BLE001  a rule's defect is not the exchange's
            self._stumble("edge_case", rule.name, error)
            return False

    def _verdict(self, check: Check, seen: View) -> Verdict | None:
        try:
            verdict = check.look(seen, check.thresholds)
            return None if verdict is None else _sound(verdict)
        except Exception as error:  # noqa: BLE001  a check's defect is not the exchange's
            self._stumble("check", check.name, error)
            return None


def _number(id_: str) -> float:
    """A number for an exchange's id, evenly spread from 0 to 1: the same in every process. The id
    is made by the proxy, so that no client can choose it."""
    return (numbered(f"checks {id_}") >> 11) / (1 << 53)


def _sound(verdict: Verdict) -> Verdict:
    """The same; raises TypeError where somebody's own check gave what no Record can hold."""
    numbers = verdict.count, verdict.of
    if type(verdict.passed) is bool and all(type(n) is int and 0 <= n <= MOST for n in numbers):
        return verdict
    raise TypeError("a Verdict has a bool and two whole numbers from 0 on")
