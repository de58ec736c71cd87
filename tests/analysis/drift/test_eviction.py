"""Strangers cannot blind the analysis: what is refused opens nothing, what is idle gives way."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import profile_of
from monitor.analysis.drift.reference import Room
from monitor.analysis.drift.watches import Baseline, Watches
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.distances import LIVE, psi
from monitor.rows import Row
from monitor.texts import LONGEST
from monitor.types import Observation, Segment
from tests.analysis.checkpoints import unnamed

RULES = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=2.0, watches=200)
REAL = {"income", "age"}


def real(first: int, count: int) -> Iterator[Row]:
    """A row a second, of two features in two populations."""
    for number in range(first, first + count):
        chance = random.Random(number)
        seen = [Observation(name, "numeric", chance.gauss(0, 1)) for name in sorted(REAL)]
        yield Row(float(number), {"population": "ab"[number % 2]}, seen)


LETTERS = string.ascii_letters + "\r\n\x1b"
NOISE = "".join(random.Random(0).choices(LETTERS, k=20_000))


def hostile(at: float, *, taken: bool, seed: int = 0, names: int = 250) -> Row:
    """One request with names that nobody has used before, longer than any."""
    chance = random.Random(f"{at}{seed}")
    seen = []
    for _ in range(names):
        place = chance.randrange(len(NOISE) - 300)
        name = "".join(chance.choices(LETTERS, k=16)) + NOISE[place : place + 284]
        seen.append(Observation(name, "numeric", 1.0))
    return Row(at, {"population": "a"}, seen, taken)


def learning() -> Analysis:
    return analysis_of((), RULES, Baseline(learn=100))


def watches(analysis: Analysis) -> Watches:
    """What its monitor of drift counts."""
    (drift,) = analysis.monitors
    assert isinstance(drift, DriftMonitor)
    return drift.watches


def judged(analysis: Analysis) -> set[tuple[str, str]]:
    """(feature, value) of the real features that something can be said of."""
    return {
        (found.feature, found.value)
        for found in analysis.findings()
        if found.feature in REAL and found.status == "ok"
    }


ALL = {(name, value) for name in REAL for value in ("all", "a", "b")}


@pytest.mark.parametrize("taken", [False, True], ids=["refused", "accepted"])
@pytest.mark.parametrize("moment", [0, 60, 1500], ids=["before", "during", "after learning"])
def test_twenty_hostile_requests_do_not_blind_it(taken: bool, moment: int) -> None:
    """5,000 new names: what is refused opens nothing; what is accepted gives way to what is used."""
    analysis = learning()
    for row in real(0, moment):
        analysis.add_row(row)
    for number in range(20):
        analysis.add_row(hostile(moment + number / 20, taken=taken))
    strangers = {found.feature for found in analysis.findings()} - REAL
    assert bool(strangers) == taken
    for row in real(moment, 2400):
        analysis.add_row(row)
    assert judged(analysis) == ALL
    assert len(analysis.findings()) <= RULES.watches


def test_an_endless_stream_of_new_names_does_not_blind_it() -> None:
    """A hostile request with every real one, all accepted: the real ones are judged."""
    analysis = learning()
    for number, row in enumerate(real(0, 2400)):
        analysis.add_row(hostile(float(number), taken=True, names=7))
        analysis.add_row(row)
    assert judged(analysis) == ALL


def test_giving_way_survives_restarts() -> None:
    """Stopped anywhere and restored, the same watches have given up their places."""
    rows = []
    for number, row in enumerate(real(0, 900)):
        rows += [hostile(float(number), taken=True, names=30), row] if number % 3 == 0 else [row]
    straight, broken = learning(), learning()
    kept: dict[str, bytes] = {}
    for number, row in enumerate(rows):
        straight.add_row(row)
        if number % 50 == 49:
            changes = broken.saved()
            kept = {name: entry for name, entry in (kept | changes).items() if entry}
            broken = learning()
            broken.restore(kept)
        broken.add_row(row)
    assert broken.findings() == straight.findings()
    assert watches(broken).overflow == watches(straight).overflow > 0
    assert len(kept) <= RULES.watches + 2


def test_a_checkpoint_that_strangers_have_filled_is_usable() -> None:
    """Of the old form: long raw names and no times; names are cleaned, and real features get in."""
    analysis = learning()
    for number in range(20):
        analysis.add_row(hostile(float(number), taken=True))
    old = {}
    for name, entry in unnamed(analysis.saved()).items():
        if name == "fold":
            fold = msgspec.msgpack.decode(entry)
            del fold["pane"], fold["crowded"]
            old[name] = msgspec.msgpack.encode(fold)
        else:
            watch = msgspec.msgpack.decode(entry, strict=False)
            del watch["last"]
            feature, *where = msgspec.json.decode(name)
            key = [feature + "\x1b\r" * 300, *where]
            old[msgspec.json.encode(key).decode()] = msgspec.msgpack.encode(watch)
    again = learning()
    again.restore(old)
    for row in real(20, 2400):
        again.add_row(row)
    assert judged(again) == ALL
    assert {name for name, entry in again.saved().items() if not entry} >= set(old) - {"fold"}


def test_what_a_profile_declares_never_gives_way() -> None:
    """Nor what others are compared with; however long nothing comes."""
    profile = profile_of(real(0, 500), ("population",))
    analysis = analysis_of((), replace(RULES, watches=20), Baseline(profile=profile))
    for number in range(100):
        analysis.add_row(hostile(1e6 * number, taken=True, names=30))
    kept = {(one.feature, one.value) for one in analysis.findings() if one.feature in REAL}
    assert kept == ALL
    versus = analysis_of((), RULES, Baseline(learn=20, versus=Segment("population", "a")))
    for row in real(0, 200):
        versus.add_row(row)
    for number in range(40):
        versus.add_row(hostile(1e6 + 1000.0 * number, taken=True))
    assert {"a", "b"} <= {one.value for one in versus.findings() if one.feature in REAL}


def test_a_learned_watch_goes_only_after_a_week_and_when_there_is_no_room() -> None:
    """Six days without a value change nothing; a week does, where places are wanted."""

    def left(days: float, *, watches: int) -> int:
        analysis = analysis_of((), replace(RULES, watches=watches), Baseline(learn=100))
        for row in real(0, 400):
            analysis.add_row(row)
        for number in range(6):
            at = 400 + days * 86400.0 + number * 200.0
            analysis.add_row(hostile(at, taken=True, names=3))
        return sum(one.feature in REAL for one in analysis.findings())

    assert left(6.0, watches=6) == 6
    assert left(8.0, watches=100) == 6
    assert 0 < left(8.0, watches=6) < 6


def test_a_reference_is_built_of_what_was_accepted() -> None:
    """Live equals replay: a refused request opens no reference either."""
    rows = [hostile(0.0, taken=False), *real(0, 50), hostile(1.0, taken=False)]
    assert {key[0] for key in profile_of(rows).references} == REAL


def test_names_are_bounded_and_printable_wherever_they_go() -> None:
    """A raw CR or ESC in a feature, a segment or a category never reaches what is said."""
    analysis = analysis_of((), RULES, Baseline(learn=60))
    evil = "\x1b[2J\r\nmonitor: analyzer: all is well\u2028\u202e" + "x" * 5000
    for number in range(400):
        value: Any = evil + str(number % 2 if number < 200 else 5)
        seen = [Observation(evil, "categorical", value)]
        analysis.add_row(Row(float(number), {evil: evil}, seen))
    found = analysis.findings()
    assert {one.status for one in found} == {"drift"}
    for one in found:
        labels = [moved.bin for moved in (*one.moved, *one.bins)]
        for text in (one.feature, one.dimension, one.value, *labels):
            assert len(text) <= LONGEST
        for text in (one.feature, one.dimension, one.value, *labels, one.words):
            assert text.isprintable()


def test_a_watch_that_fails_begins_anew() -> None:
    """One record is lost to it, not every one that comes after; a save goes on without it."""
    analysis = learning()
    for row in real(0, 300):
        analysis.add_row(row)
    broken = watches(analysis).by_key["age", "all", "all"]
    broken.more = -100  # in the next pane no bin is there to be counted in
    rows = list(real(300, 400))
    with pytest.raises(IndexError):
        analysis.add_row(rows[0])
    for row in rows[1:]:
        analysis.add_row(row)
    assert analysis.records == 699
    assert judged(analysis) == ALL
    watches(analysis).by_key["age", "all", "all"].seen = 2**70
    with pytest.raises(OverflowError):
        analysis.saved()
    again = learning()
    again.restore(analysis.saved())
    assert judged(again) == ALL - {("age", "all")}


def test_what_is_kept_to_learn_from_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide vectors under ever new names fill it; when they are idle, real features learn again,
    after a restart too."""
    monkeypatch.setattr(Room.__init__, "__defaults__", (10_000,))
    analysis = learning()
    for number in range(100):
        vector = Observation(f"v{number}", "vector", [0.5] * 1000)
        analysis.add_row(Row(number / 10, {}, [vector]))
        assert watches(analysis).room.used <= 10_000
    for number, row in enumerate(real(10, 2400)):
        analysis.add_row(row)
        assert watches(analysis).room.used <= 10_000
        if number == 50:
            kept = {name: entry for name, entry in analysis.saved().items() if entry}
            used, analysis = watches(analysis).room.used, learning()
            analysis.restore(kept)
            assert watches(analysis).room.used == used
    assert judged(analysis) == ALL
