"""Requests → what sending them will take, by what they took when they were recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.redrive.requests import Resend, Selection

CHARACTERS = 4
"""Characters of a token, about, where nobody counted."""


@dataclass
class Estimate:
    """Requests, tokens, and cost by currency; `unpriced` is how many requests have no price."""

    requests: int = 0
    tokens: int = 0
    cost: dict[str, float] = field(default_factory=dict)
    unpriced: int = 0

    @property
    def dearest(self) -> float:
        """The cost in the currency of which there is most."""
        return max(self.cost.values(), default=0.0)


def estimate(resends: Sequence[Resend], sides: int) -> Estimate:
    """Return what it takes to send each so many times."""
    found = Estimate()
    for one in resends:
        _add(found, one, sides)
    return found


def within(
    selection: Selection, sides: int, *, requests: float = math.inf, tokens: float = math.inf,
    cost: float = math.inf,
) -> None:  # fmt: skip
    """Leave out what is beyond the bounds, from the first Record on that is."""
    so_far = Estimate()
    for place, one in enumerate(selection.chosen):
        _add(so_far, one, sides)
        if so_far.requests > requests or so_far.tokens > tokens or so_far.dearest > cost:
            selection.left_out["bounds"] += len(selection.chosen) - place
            del selection.chosen[place:]
            return


def _add(found: Estimate, one: Resend, sides: int) -> None:
    record = one.record
    counted = record.tokens
    tokens = 0 if counted is None else (counted.input or 0) + (counted.output or 0)
    found.requests += sides
    found.tokens += sides * (tokens or len(one.body) // CHARACTERS)
    if record.cost is None:
        found.unpriced += sides
    else:
        currency = record.cost.currency
        found.cost[currency] = found.cost.get(currency, 0.0) + sides * record.cost.amount
