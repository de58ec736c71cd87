"""What only the people who run an endpoint know, whatever its domain: five answers."""

from __future__ import annotations

from monitor.settings.kinds import Duration, Section


class Circumstances(Section, frozen=True):
    """Five answers, each of which lays some settings over those of `preset`, in this order.

    The file of an answer is `modifiers/NAME.yaml` (`settings.layers`). `latency_budget` are the
    seconds within which an answer is due; null: nobody said.
    """

    data_sensitive: bool = False
    latency_budget: Duration | None = None
    cost_tight: bool = False
    knowledge_changes: bool = False
    high_consequence: bool = False
