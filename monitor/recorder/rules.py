"""(Record, Inference) → its edge cases and the verdicts of checks, all told by one View."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from monitor.interfaces import Check, EdgeCase
from monitor.prices.pricing import Pricing
from monitor.recorder.repeats import Repeats
from monitor.turns import give_way
from monitor.types import Inference, Record, Verdict
from monitor.view import Usual, View, view

MOST = 1 << 53
"""Things that a check may have looked at: integers that every reader of JSON has without loss."""


class Rules:
    """Looks at Records; one per recorder. `stumble` is told which part raised on an exchange.

    A rule that raises costs itself alone: the exchange is not of that edge case, and that check has
    no verdict.
    """

    def __init__(
        self,
        edge_cases: Sequence[EdgeCase],
        checks: Sequence[Check],
        *,
        usual: Mapping[str, Usual] | None,
        repeats: Repeats | None,
        pricing: Pricing,
        stumble: Callable[[str, str, BaseException], None],
    ) -> None:
        self._edge_cases = edge_cases
        self._checks = checks
        self._usual = usual
        self._repeats = repeats
        self._pricing = pricing
        self._stumble = stumble

    def look(self, record: Record, inference: Inference) -> tuple[list[str], dict[str, Verdict]]:
        """The names of the edge cases that an exchange is of, and the verdicts of the checks that
        apply to it, by name."""
        if not (self._edge_cases or self._checks):
            return [], {}
        give_way()
        try:
            seen = self._view(record, inference)
        except Exception as error:  # noqa: BLE001  no rule can look, and the rest stays
            self._stumble("edge_case" if self._edge_cases else "check", "view", error)
            return [], {}
        names = [one.name for one in self._edge_cases if self._holds(one, seen)]
        verdicts = {}
        for one in self._checks:
            give_way()
            verdict = self._verdict(one, seen)
            if verdict is not None:
                verdicts[one.name] = verdict
        return names, verdicts

    def _view(self, record: Record, inference: Inference) -> View:
        """What rules may look at: what is on record, what was asked for, and what came before."""
        after = None if self._repeats is None else self._repeats.after(record)
        return view(
            record, inference, context=self._pricing.context(inference), usual=self._usual,
            repeated_after=after,
        )  # fmt: skip

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


def _sound(verdict: Verdict) -> Verdict:
    """The same; raises TypeError where somebody's own check gave what no Record can hold."""
    numbers = verdict.count, verdict.of
    if type(verdict.passed) is bool and all(type(n) is int and 0 <= n <= MOST for n in numbers):
        return verdict
    raise TypeError("a Verdict has a bool and two whole numbers from 0 on")
