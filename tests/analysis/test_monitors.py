"""The fold hosts any monitor: told of rows and panes, saved, restored, merged and measured."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest

from monitor.analysis.drift import reference
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import dump_profile, load_profile, profile_of
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.analysis.rows import segments_of
from monitor.distances import LIVE, psi
from monitor.findings import Finding
from monitor.interfaces import Monitor
from monitor.rows import Row
from monitor.texts import hashed
from monitor.types import Measurement, Observation, Segment, WatchKey
from tests.analysis.checkpoints import unnamed

DATA = Path(__file__).with_name("data")

RULES = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=2.0, samples=100)


class Volume:
    """A monitor as small as one can be: how many rows came, by segment, in closed panes and open
    ones."""

    name = "volume"

    def __init__(self) -> None:
        self.open: dict[int, Counter[str]] = {}
        self.closed: Counter[str] = Counter()
        self.ends: list[float] = []

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row."""
        counts = self.open.setdefault(pane, Counter())
        counts.update(f"{dimension} {value}" for dimension, value in segments_of(row, None))

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Let panes be closed."""
        for pane in sorted(pane for pane in self.open if pane <= last):
            self.closed += self.open.pop(pane)
            self.ends.append(end(pane))

    def merge(self, other: Self) -> None:
        """Add up."""
        for pane, counts in other.open.items():
            self.open.setdefault(pane, Counter()).update(counts)

    def state(self) -> dict[str, bytes]:
        """All of it, each time."""
        return {"counts": msgspec.json.encode((self.open, self.closed, self.ends))}

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on."""
        if "counts" in state:
            kept = tuple[dict[int, dict[str, int]], dict[str, int], list[float]]
            panes, closed, self.ends = msgspec.json.decode(state["counts"], type=kept)
            self.closed = Counter(closed)
            for pane, counts in panes.items():
                self.open.setdefault(place(pane), Counter()).update(counts)

    def findings(self) -> list[Finding]:
        """It judges nothing."""
        return []

    def measurements(self, endpoint: str) -> Iterable[Measurement]:
        """Rows by segment."""
        for segment, count in sorted(sum(self.open.values(), self.closed).items()):
            yield Measurement("rows", {"endpoint": endpoint, "segment": segment}, count)


def hosted(*monitors: Monitor, pane: float = 10.0, lateness: float = 2.0) -> Analysis:
    return Analysis((), monitors, pane=pane, lateness=lateness)


def both(lateness: float = 2.0, **options: Any) -> Analysis:
    """Drift and volume beside each other."""
    return hosted(DriftMonitor(RULES, Baseline(learn=100, **options)), Volume(), lateness=lateness)


def row(number: int) -> Row:
    chance = random.Random(number)
    seen = [
        Observation("x", "numeric", chance.gauss(1.0 if number >= 800 else 0.0, 1)),
        Observation("color", "categorical", chance.choice(["red", "green"])),
        Observation("took", "duration", chance.expovariate(1)),
        Observation("vector", "vector", [chance.gauss(0, 1), chance.gauss(0, 1)]),
        Observation(
            "said", "words", hashed(f"{chance.choice('abcd') * 3} and {chance.choice('efg') * 3}")
        ),
    ]
    return Row(number * 0.1, {"population": "ab"[number % 2]}, seen)


def rows(first: int, last: int) -> Iterator[Row]:
    return map(row, range(first, last))


def folded(analysis: Analysis, some: Iterable[Row]) -> Analysis:
    for one in some:
        analysis.add_row(one)
    return analysis


def measured(analysis: Analysis) -> list[list[Measurement]]:
    return [list(monitor.measurements("e")) for monitor in analysis.monitors]


def volume(analysis: Analysis) -> Volume:
    found = analysis.monitors[-1]
    assert isinstance(found, Volume)
    return found


def test_a_monitor_beside_drift_counts_and_changes_nothing_of_it() -> None:
    """Each is told of every row and pane; findings and measurements of both are told."""
    alone = folded(analysis_of((), RULES, Baseline(learn=100)), rows(0, 1200))
    beside = folded(both(), rows(0, 1200))
    assert beside.findings() == alone.findings()
    assert measured(beside)[0] == measured(alone)[0]
    labels = [("all all", 1200), ("population a", 600), ("population b", 600)]
    assert measured(beside)[1] == [
        Measurement("rows", {"endpoint": "e", "segment": name}, count) for name, count in labels
    ]
    assert volume(beside).ends == [float(10 * pane) for pane in range(1, 12)]
    assert set(volume(beside).open) == {11}


def test_monitors_are_restored_from_their_own_entries() -> None:
    """Saved in one checkpoint, from changes alone, each under its name: as if never stopped."""
    straight, broken = both(), both()
    kept: dict[str, bytes] = {}
    for start in range(0, 1200, 170):
        folded(straight, rows(start, start + 170))
        folded(broken, rows(start, start + 170))
        kept |= broken.saved()
        broken = both()
        broken.restore(kept)
    assert broken.findings() == straight.findings()
    assert measured(broken) == measured(straight)
    assert volume(broken).ends == volume(straight).ends
    assert {name.partition("/")[0] for name in kept} == {"fold", "drift", "volume"}


def test_monitors_of_shards_add_up() -> None:
    """What was counted apart, merged and closed is what one pass counts."""
    whole = folded(both(lateness=1e9), rows(0, 100))
    parts = [
        folded(both(lateness=1e9), [one for one in rows(0, 100) if int(one.at * 10) % 3 == shard])
        for shard in range(3)
    ]
    parts[0].merge(parts[1])
    parts[0].merge(parts[2])
    whole.close()
    parts[0].close()
    assert measured(parts[0])[1] == measured(whole)[1]
    assert volume(parts[0]).ends == volume(whole).ends
    assert parts[0].records == whole.records == 100


def test_a_monitor_may_come_and_go() -> None:
    """One that is new begins with nothing; what one counted that is asked no more is removed."""
    kept = folded(analysis_of((), RULES, Baseline(learn=100)), rows(0, 500)).saved()
    more = both()
    more.restore(kept)
    assert measured(more)[1] == []
    kept |= folded(more, rows(500, 600)).saved()
    less = analysis_of((), RULES, Baseline(learn=100))
    less.restore(kept)
    assert folded(less, rows(600, 700)).saved()["volume/counts"] == b""


def test_what_one_monitor_saved_outlives_the_failure_of_another() -> None:
    """The next save has the changes of both."""
    analysis = folded(hosted(DriftMonitor(RULES, Baseline(learn=100)), Failing()), rows(0, 50))
    with pytest.raises(ArithmeticError):
        analysis.saved()
    assert {name.partition("/")[0] for name in analysis.saved()} == {"fold", "drift", "volume"}
    again = analysis_of((), RULES, Baseline(learn=100))
    folded(analysis, rows(50, 80))
    assert analysis.records == 80
    again.restore(analysis.saved())


class Failing(Volume):
    """Its first save fails."""

    saves = 0

    def state(self) -> dict[str, bytes]:
        """Raise once."""
        self.saves += 1
        if self.saves == 1:
            raise ArithmeticError
        return super().state()


def test_panes_of_another_length_are_those_of_every_monitor() -> None:
    """Open ones become those of now, and are closed at their ends."""
    kept = folded(both(), rows(0, 500)).saved()
    drift = DriftMonitor(RULES, Baseline(learn=100))
    again = hosted(drift, Volume(), pane=60.0)
    again.restore(kept)
    assert sum(sum(counts.values()) for counts in volume(again).open.values()) > 0
    folded(again, rows(500, 1000))
    assert volume(again).ends[-1] == 60.0
    assert measured(again)[1][0].value == 1000


# --- checkpoints of earlier versions ---------------------------------------------------------------


@pytest.fixture
def _strides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first version made bins of every second or third value; what it learned so stays as it
    is, and only what never stopped must learn like it here."""
    monkeypatch.setattr(reference, "is_picked", lambda number, size: number % size == 0)


@pytest.mark.usefixtures("_strides")
@pytest.mark.parametrize(
    ("name", "options"),
    [("learned", {}), ("variant", {"versus": Segment("population", "a")}), ("hourly", {"hourly": True})],
)  # fmt: skip
def test_a_checkpoint_of_the_first_version_goes_on(name: str, options: dict[str, Any]) -> None:
    """As that version wrote it: the findings are those of one that never stopped, and the next save
    leaves nothing of the old form."""
    stored = json.loads((DATA / "checkpoint-1.json").read_bytes())[name]
    old = {field: base64.b64decode(entry) for field, entry in stored.items()}
    straight = folded(analysis_of((), RULES, Baseline(learn=100, **options)), rows(0, 1200))
    again = analysis_of((), RULES, Baseline(learn=100, **options))
    again.restore(old)
    assert again.findings() == straight.findings()
    folded(straight, rows(1200, 1400))
    folded(again, rows(1200, 1400))
    assert again.findings() == straight.findings()
    saved = {field: entry for field, entry in (old | again.saved()).items() if entry}
    assert saved == straight.saved()
    assert again.records == 1400


@pytest.mark.usefixtures("_strides")
def test_a_profile_of_the_first_version_is_read() -> None:
    """As that version wrote it: all of it means what it meant, and a build of today writes it."""
    stored = (DATA / "reference-1.json").read_bytes()
    profile = load_profile(stored, "reference-1.json")
    assert profile == profile_of(rows(0, 300))
    assert dump_profile(profile) == stored
    assert profile.references["took", "all", "all"].autocorrelated
    assert any(profile.references["vector", "all", "all"].fourier)


def test_the_form_of_before_can_be_made_for_tests() -> None:
    """`unnamed` undoes what reading an old checkpoint does."""
    state = folded(analysis_of((), RULES, Baseline(learn=100)), rows(0, 300)).saved()
    again = analysis_of((), RULES, Baseline(learn=100))
    again.restore(unnamed(state))
    kept = {name: entry for name, entry in again.saved().items() if entry and name != "fold"}
    assert kept == {name: entry for name, entry in state.items() if name != "fold"}
