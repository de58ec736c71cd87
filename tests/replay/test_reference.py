"""How the profile of a reference is made, and how often the rows of both sides are read for it."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from monitor.assembly.analysis import rules_of
from monitor.assembly.sanitizer import Sanitizer
from monitor.replay.comparison import Comparison, compare
from monitor.replay.datasets import Dataset
from monitor.replay.document import Replay
from monitor.replay.files import ReadOptions
from monitor.replay.judge import judge
from monitor.replay.plan import Plan
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.tables.columns import Columns

CLEAN = Sanitizer(Settings())


def watch(rows: Iterable[Row], what: str, total: int = 0) -> Iterator[Row]:
    yield from rows


def counted(dataset: Dataset, reads: Counter[str], side: str) -> Dataset:
    """The same, which counts how often it is read."""

    def rows(options: ReadOptions) -> Iterator[Row]:
        reads[side] += 1
        return dataset.rows(options)

    return dataclasses.replace(dataset, rows=rows)


def judged(both: Comparison, plan: Plan) -> tuple[Replay, Counter[str]]:
    """What is found, and how often each side was read."""
    assert both.reference is not None
    reads: Counter[str] = Counter()
    counting = dataclasses.replace(
        both,
        current=counted(both.current, reads, "current"),
        reference=counted(both.reference, reads, "reference"),
    )
    return judge(plan, counting, watch), reads


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A table against one that is sorted, as exports of a database are."""
    rng = random.Random(7)
    for name in ("reference.csv", "current.csv"):
        lines = [
            f"{age:.3f},{rng.choice('ab')},{rng.random():.3f},{rng.choice('01')}"
            for age in sorted(rng.gauss(40, 10) for _ in range(5000))
        ]
        (tmp_path / name).write_text("\n".join(["age,plan,score,truth", *lines]))
    return Plan(
        sources=(str(tmp_path / "current.csv"),), endpoint="default", shards=1, features=(),
        rules=rules_of(Settings()), learn=1000, reference=str(tmp_path / "reference.csv"),
    )  # fmt: skip


def test_a_side_is_read_three_times_at_most(plan: Plan) -> None:
    """A census where one is needed, a judgement; a sorted reference is counted in bins of its own."""
    by = dataclasses.replace(plan, columns=Columns(by=("plan",)), score="score", label=("truth",))
    _, reads = judged(compare(plan, CLEAN, lambda: 0.0), plan)
    assert reads == {"current": 1, "reference": 3}
    found, reads = judged(compare(by, CLEAN, lambda: 0.0), by)
    assert reads == {"current": 2, "reference": 3}
    assert found.performance is not None


def test_a_sample_on_the_way_gives_the_bins_of_a_second_reading(plan: Plan) -> None:
    """Whether rows spread over a sorted reference are kept or read again, the numbers are the same."""
    once = dataclasses.replace(plan, columns=Columns(by=("plan",)))
    found, _ = judged(compare(once, CLEAN, lambda: 0.0), once)
    alone, _ = judged(compare(plan, CLEAN, lambda: 0.0), plan)

    def age(found: Replay) -> object:
        return next(one for one in found.features if (one.feature, one.value) == ("age", "all"))

    assert age(found) == age(alone)
