"""What columns hold, before and now → an entry of the document for each."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from monitor.analysis.drift.profiles import Profile
from monitor.findings import BinShift
from monitor.replay.document import DataQuality, Replay
from monitor.tables.facts import CATEGORIES, Facts, TableFacts

NAMED = 10
"""New or lost categories of a column that are named, at most."""


def of(table: TableFacts) -> list[DataQuality]:
    """What the columns of a table hold, with nothing before."""
    return [DataQuality(name, now=facts) for name, facts in table.facts().items()]


def beside(found: Replay, profile: Profile) -> Replay:
    """The document with what the columns of the reference held, where the profile tells that."""
    if not profile.facts:
        return found
    now = {one.feature: one.now for one in found.data_quality or ()}
    names = dict.fromkeys([*sorted(profile.facts), *now])
    entries = [_beside(name, profile.facts.get(name), now.get(name)) for name in names]
    return msgspec.structs.replace(found, data_quality=entries)


def _beside(name: str, before: Facts | None, now: Facts | None) -> DataQuality:
    if before is None or now is None or not (before.categories and now.categories):
        return DataQuality(name, before, now)
    new = _only_in(now.categories, before.categories, now.values)
    lost = _only_in(before.categories, now.categories, before.values)
    return DataQuality(
        name, before, now,
        [BinShift(one, 0.0, share) for one, share in new],
        [BinShift(one, share, 0.0) for one, share in lost],
    )  # fmt: skip


def _only_in(
    here: Mapping[str, int], there: Mapping[str, int], values: int
) -> list[tuple[str, float]]:
    """The most frequent of the categories of one side that the other has not, with their share.

    Categories of fewer rows than are told may be there; so may any where there are too many.
    """
    if len(there) >= CATEGORIES:
        return []
    missing = sorted((-count, name) for name, count in here.items() if name not in there)
    return [(name, -count / max(values, 1)) for count, name in missing[:NAMED]]
