"""The fold: the same numbers from any road, drift where it is, silence where it is not."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.profiles import profile_of
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.distances import LIVE, psi
from monitor.findings import Finding
from monitor.rows import Row
from monitor.texts import hashed
from monitor.types import Observation, Segment
from tests.chances import SEEDED

RULES = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=2.0)
HOURLY = replace(RULES, pane=600.0)


def row(at: float, population: str = "a", **values: Any) -> Row:
    seen = [
        Observation(name, "categorical" if isinstance(value, str) else "numeric", value)
        for name, value in values.items()
    ]
    return Row(at, {"population": population}, seen)


def stream(count: int, shift: float = 0.0, *, start: float = 0.0, seed: int = 1) -> Iterator[Row]:
    """Two populations by turns; `shift` moves x in population b alone."""
    chance = random.Random(seed)
    for number in range(count):
        population = "ab"[number % 2]
        moved = shift if population == "b" else 0.0
        x, color = chance.gauss(moved, 1), chance.choice(["red", "green", "blue"])
        yield row(start + number * 0.1, population, x=x, color=color)


def fold(rows: Iterator[Row] | list[Row], **options: Any) -> Analysis:
    rules, dimensions = options.pop("rules", RULES), options.pop("dimensions", None)
    baseline = Baseline(**({"learn": 500} | options))
    analysis = analysis_of((), rules, baseline, dimensions=dimensions)
    for one in rows:
        analysis.add_row(one)
    return analysis


def found(analysis: Analysis) -> dict[tuple[str, str], Finding]:
    return {(finding.feature, finding.value): finding for finding in analysis.findings()}


profile = functools.cache(lambda: profile_of(stream(4000, seed=2)))  # no work in collection


# --- what is found -----------------------------------------------------------------------------


def test_a_shift_is_found_in_its_population_and_nowhere_else() -> None:
    """With its size, direction, time and the bins that moved, in numbers and in words."""
    analysis = fold([*stream(3000), *stream(800, 1.0, start=300.0, seed=3)])
    findings = found(analysis)
    shifted = findings["x", "b"]
    assert {key for key, finding in findings.items() if finding.status == "drift"} == {
        ("x", "b"),
        ("x", "all"),
    }
    assert shifted.changed
    assert shifted.scores["psi"] > 0.3
    assert shifted.log_evidence > 20
    assert shifted.since == pytest.approx(300, abs=30)
    assert shifted.moved[0].after > shifted.moved[0].before
    assert "x in population b drifted" in shifted.words
    assert "mean up" in shifted.words
    assert findings["x", "a"].status == "ok"
    assert findings["x", "a"].words == ""
    driver = findings["x", "all"].drivers[0]
    assert (driver.dimension, driver.value) == ("population", "b")
    assert driver.share > 0.8
    assert "of it from population b" in findings["x", "all"].words


def test_quiet_streams_stay_quiet() -> None:
    """Twenty thousand values in six watches without change: not once drift."""
    analysis = analysis_of((), RULES, Baseline(learn=500))
    for number, one in enumerate(stream(20_000, seed=9)):
        analysis.add_row(one)
        if number % 1000 == 0:
            assert {finding.status for finding in analysis.findings()} <= {"ok", "insufficient"}
    assert {finding.status for finding in analysis.findings()} == {"ok"}


def test_drift_ends_when_the_values_come_back() -> None:
    """Some hundred usual values after the shift, the status is ok again, and stays so."""
    rows = [
        *stream(2000),
        *stream(2000, 1.0, start=200.0, seed=3),
        *stream(4000, start=400.0, seed=4),
    ]
    assert found(fold(rows[:4000]))["x", "b"].status == "drift"
    findings = found(fold(rows))
    assert {finding.status for finding in findings.values()} == {"ok"}


def test_drift_holds_while_the_values_stay_away() -> None:
    """What was said is not taken back at the next look, whatever chance does to a window."""
    analysis = fold(stream(2000))
    statuses = []
    for number, one in enumerate(stream(8000, 0.4, start=200.0, seed=5)):
        analysis.add_row(one)
        if number % 200 == 199:
            statuses.append(found(analysis)["x", "b"].status)
    first = statuses.index("drift")
    assert first < 15
    assert set(statuses[first:]) == {"drift"}


def test_a_certain_but_tiny_change_is_harmless() -> None:
    """It is believed, said and shown, and it is not drift."""
    chance = random.Random(6)
    profile = profile_of(row(0.0, x=chance.gauss(0, 1)) for _ in range(20_000))
    tiny = [row(number * 0.01, x=chance.gauss(0.08, 1)) for number in range(20_000)]
    finding = found(fold(tiny, profile=profile))["x", "all"]
    assert (finding.status, finding.changed) == ("ok", True)
    assert "harmless" in finding.words
    strict = found(fold(tiny, profile=profile, rules=replace(RULES, tolerance=0.0)))["x", "all"]
    assert strict.status == "drift"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("new category", {"color": "violet"}),
        ("missing", {"x": None}),
        ("not finite", {"x": math.inf}),
        ("wrong type", {"x": "seven"}),
        ("beyond the range", {"x": 1e9}),
    ],
)
def test_what_was_never_there_is_drift(name: str, value: dict[str, Any]) -> None:
    """Five in a hundred values that are new, gone or broken are found within a thousand."""
    chance = random.Random(7)
    rows = list(stream(1500)) + [
        row(one.at, "a", **{"x": 0.0, "color": "red"} | value) if chance.random() < 0.05 else one
        for one in stream(1000, start=150.0, seed=8)
    ]
    feature = next(iter(value))
    assert found(fold(rows))[feature, "all"].status == "drift", name


def test_a_rolling_reference_follows_slow_change_and_still_finds_steps() -> None:
    """What creeps becomes usual; what jumps is drift, and drift does not become usual."""
    rules = replace(RULES, renew=100.0)
    chance = random.Random(12)
    creeping = [row(n * 0.1, x=chance.gauss(n / 10_000, 1)) for n in range(10_000)]
    assert found(fold(creeping))["x", "all"].status == "drift"
    rolling = fold(creeping, rules=rules)
    assert found(rolling)["x", "all"].status == "ok"
    for n in range(10_000, 14_000):
        rolling.add_row(row(n * 0.1, x=chance.gauss(2.0, 1)))
    assert found(rolling)["x", "all"].status == "drift"


# --- too little, or nonsense -------------------------------------------------------------------


def test_while_learning_nothing_can_be_said() -> None:
    """Samples are counted, the status says that they do not suffice."""
    finding = found(fold(stream(300)))["x", "all"]
    assert (finding.status, finding.samples, finding.reference_samples) == ("insufficient", 300, 0)
    assert finding.words == "x is being learned"


def test_a_few_values_are_insufficient_however_odd() -> None:
    """Twenty records are no drift, and a hundred of the usual kind no proof that all is well."""
    few = found(fold([*stream(1000), *stream(20, 9.0, start=100.0)], profile=profile()))
    assert found(fold(stream(20, 9.0), profile=profile()))["x", "b"].status == "insufficient"
    assert few["x", "a"].status == "ok"
    assert found(fold(stream(60), profile=profile()))["x", "b"].status == "insufficient"


@pytest.mark.parametrize(
    "values",
    [
        [None],
        [math.nan, math.inf, -math.inf],
        [0.0],
        ["only one"],
        [1, "one", None, True, 2.5, {"a": 1}, [1.0], b"x", 10**400],
        [float(number) for number in range(50)] + [str(number) for number in range(50)],
        [f"user {number}" for number in range(4000)],
        [5e-324, 1.7e308, -1.7e308],
        [[]],
    ],
    ids=["missing", "not finite", "constant", "one", "anything", "turns", "ids", "extremes", "[]"],
)
@pytest.mark.parametrize("kind", ["fixed", "variant", "hourly"])
def test_any_values_give_a_status_and_no_exception(values: list[Any], kind: str) -> None:
    """As reference and as traffic, in any combination with usual values, whatever the reference."""
    options: dict[str, Any] = {
        "fixed": {},
        "variant": {"versus": Segment("population", "a")},
        "hourly": {"hourly": True, "rules": HOURLY},
    }[kind]
    step = 1200.0 if kind == "hourly" else 0.1
    odd = [
        Row(
            n * step, {"population": "ab"[n % 2]},
            [Observation("x", "numeric", values[n % len(values)])],
        )
        for n in range(800)
    ]  # fmt: skip
    usual = [row(n * step + 150, "ab"[n % 2], x=math.sin(n)) for n in range(800)]
    for rows in (odd, odd + usual, usual + odd, odd[:1]):
        for finding in fold(rows, **({"learn": 200} | options)).findings():
            assert finding.status in ("ok", "drift", "insufficient")
            assert all(math.isfinite(score) for score in finding.scores.values())
            assert math.isfinite(finding.log_evidence)


def test_a_feature_that_nothing_is_known_of_is_insufficient() -> None:
    """So is one that is known and does not come."""
    findings = found(fold([row(number * 0.1, new=1.0) for number in range(900)], profile=profile()))
    assert findings["new", "all"].status == "insufficient"
    assert findings["new", "all"].words == "new is not in the reference"
    assert findings["x", "all"].status == "insufficient"
    assert findings["x", "all"].samples == 0


def test_there_are_only_so_many_watches() -> None:
    """What comes beyond is counted, not watched."""
    analysis = fold(
        [row(0.0, **{f"f{number}": 1.0}) for number in range(50)], rules=replace(RULES, watches=10)
    )
    assert len(analysis.findings()) == 10
    (drift,) = analysis.monitors
    missed = [one for one in drift.measurements("e") if one.name == "monitor_series_overflow_total"]
    assert [one.value for one in missed] == [90]


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, -1e300, 1e300])
def test_a_time_out_of_this_world_is_folded_all_the_same(at: float) -> None:
    """Nothing is lost to a broken clock."""
    rows = [*stream(1200), *(row(at, x=0.0) for _ in range(5)), *stream(1200, start=120.0)]
    assert found(fold(rows, profile=profile()))["x", "all"].samples > 0


# --- the same from any road --------------------------------------------------------------------

ROWS = st.lists(
    st.tuples(
        st.floats(0, 100),
        st.sampled_from("ab"),
        st.floats(-4, 4) | st.none() | st.just(math.nan),
        st.sampled_from(["red", "green", "blue", "violet"]),
    ),
    max_size=150,
)


def dressed(rows: Iterable[Row]) -> list[Row]:
    """The rows, with a vector and a text that go with x."""
    found = []
    for one in rows:
        x = one.observations[0].value
        number = x if isinstance(x, float) and math.isfinite(x) else 0.0
        vector = None if x is None else [number, 1.0, number * number]
        said = hashed(
            f"{'abcd'[int(abs(number)) % 4]} and {one.observations[1].value} {number:.1f}"
        )
        more = [Observation("vector", "vector", vector), Observation("said", "words", said)]
        found.append(Row(one.at, one.segments, [*one.observations, *more]))
    return found


dressed_profile = functools.cache(lambda: profile_of(dressed(stream(1500, seed=2))))


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 5), SEEDED)
def test_shards_merged_are_one_pass(values: list[Any], shards: int, chance: random.Random) -> None:
    """Counted in k shards, in any order, merged and closed: the same findings bit for bit."""
    rows = dressed(row(at, who, x=x, color=color) for at, who, x, color in values)
    rules = replace(RULES, samples=20, lateness=1e9)
    whole = fold(rows, profile=dressed_profile(), rules=rules)
    parts = [
        fold(rows[shard::shards], profile=dressed_profile(), rules=rules) for shard in range(shards)
    ]
    chance.shuffle(parts)
    merged = parts[0]
    for part in parts[1:]:
        merged.merge(part)
    assert merged.findings() == whole.findings()
    whole.close()
    merged.close()
    assert merged.findings() == whole.findings()
    assert merged.records == whole.records


@settings(max_examples=40, deadline=None)
@given(
    ROWS,
    st.lists(st.integers(0, 150), max_size=3),
    st.sampled_from([None, 40]),
    st.sampled_from([None, 20.0]),
)
def test_a_restart_changes_nothing(
    values: list[Any], cuts: list[int], learn: int | None, renew: float | None
) -> None:
    """Saved and restored anywhere, also from changes alone: the same findings bit for bit."""
    rows = dressed(row(at, who, x=x, color=color) for at, who, x, color in values)
    options: dict[str, Any] = {"rules": replace(RULES, samples=20, renew=renew), "learn": learn}
    options["profile"] = None if learn else dressed_profile()
    straight = fold(rows, **options)
    broken, kept = fold([], **options), {}
    for number, one in enumerate(rows):
        if number in cuts:
            kept |= broken.saved()
            broken = fold([], **options)
            broken.restore(kept)
        broken.add_row(one)
    assert broken.findings() == straight.findings()


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sets(st.integers(0, 150), max_size=8), st.sampled_from([None, 40]))
def test_a_look_says_what_somebody_who_never_looked_would(
    values: list[Any], looks: set[int], learn: int | None
) -> None:
    """What was told before is told again only as long as nothing has come since."""
    rows = dressed(row(at, who, x=x, color=color) for at, who, x, color in values)
    options: dict[str, Any] = {"rules": replace(RULES, samples=20), "learn": learn}
    options["profile"] = None if learn else dressed_profile()
    looking, kept = fold([], **options), {}
    for number, one in enumerate(rows):
        looking.add_row(one)
        if number in looks:
            kept |= looking.saved()
            fresh = fold([], **options)
            fresh.restore(kept)
            assert looking.findings() == fresh.findings()
            assert looking.findings() == fresh.findings()


def test_live_and_at_rest_agree() -> None:
    """Panes closed as time passes, or all at the end: the same history, the same findings."""
    rows = [*stream(3000), *stream(1000, 0.6, start=300.0, seed=3)]
    live = fold(rows, profile=profile())
    rest = fold(rows, profile=profile(), rules=replace(RULES, lateness=1e9))
    live.close()
    rest.close()
    assert live.findings() == rest.findings()


def test_another_reference_starts_anew() -> None:
    """What was counted on other bins is not taken for counts on these."""
    state = fold(stream(1500), profile=profile()).saved()
    analysis = fold([], profile=profile_of(stream(900)))
    analysis.restore(state)
    assert found(analysis)["x", "all"].samples == 0
    learning = fold([])
    learning.restore(state)
    assert learning.findings() == []


def test_a_late_value_goes_to_the_oldest_open_pane() -> None:
    """It is counted; a closed pane is closed for good."""
    analysis = fold([row(0.0, x=0.0), row(100.0, x=0.0), row(1.0, x=0.0)], profile=profile())
    assert found(analysis)["x", "all"].samples == 3


# --- by hand -----------------------------------------------------------------------------------


def test_chunks_are_panes_cut_by_hand() -> None:
    """Each chunk is judged by itself and beside those before it."""
    rules = replace(RULES, pane=None, samples=1)
    analysis = analysis_of((), rules, Baseline(profile=profile()), dimensions=())
    statuses = []
    for chunk in range(6):
        for one in stream(1000, 2.0 if chunk in (3, 4) else 0.0, seed=20 + chunk):
            analysis.add_row(one)
        finding = found(analysis)["x", "all"]
        assert finding.samples == 1000
        statuses.append(finding.status)
        analysis.close(float(chunk))
    assert statuses[:5] == ["ok", "ok", "ok", "drift", "drift"]


def test_only_the_dimensions_asked_for_are_watched() -> None:
    """And a row that does not say where it belongs is in no segment of that dimension."""
    rows = [Row(0.0, {"a": "1", "b": "2"}, [Observation("x", "numeric", 1.0)])]
    watched = {(f.dimension, f.value) for f in fold(rows, dimensions=("b", "c")).findings()}
    assert watched == {("all", "all"), ("b", "2")}


def test_dates_are_watched_by_their_age() -> None:
    """That today is another day than yesterday is no drift; that birthdays move is."""

    def people(count: int, start: float, years: float, seed: int) -> list[Row]:
        chance = random.Random(seed)
        rows = []
        for number in range(count):
            at = start + number * 60.0
            born = at - 31557600.0 * chance.gauss(years, 10)
            seen = [Observation("asked", "datetime", at), Observation("born", "datetime", born)]
            rows.append(Row(at, {}, seen))
        return rows

    usual = [*people(2000, 1.7e9, 40, 1), *people(1000, 1.75e9, 40, 2)]
    assert {finding.status for finding in fold(usual).findings()} == {"ok"}
    younger = found(fold([*usual, *people(500, 1.751e9, 30, 3)]))
    assert younger["born", "all"].status == "drift"
    assert younger["asked", "all"].status == "ok"


# --- times -------------------------------------------------------------------------------------


def durations(count: int, factor: float, *, start: float, seed: int) -> Iterator[Row]:
    """Neighbours are alike: what made one answer slow makes the next one slow."""
    chance = random.Random(seed)
    load = 0.0
    for number in range(count):
        load = 0.99 * load + 0.14 * 0.3 * chance.gauss(0, 1)
        seconds = 0.003 * factor * math.exp(load + 0.3 * chance.gauss(0, 1))
        yield Row(start + number * 0.1, {}, [Observation("duration", "duration", seconds)])


def test_a_busy_hour_is_no_drift_and_a_fourfold_time_is() -> None:
    """Autocorrelated times count for less, and only large steps mean something."""
    quiet = list(durations(6000, 1.0, start=0.0, seed=1))
    assert found(fold(quiet))["duration", "all"].status == "ok"
    busier = [*quiet, *durations(2000, 1.3, start=600.0, seed=2)]
    assert found(fold(busier))["duration", "all"].status == "ok"
    slower = [*quiet, *durations(600, 4.0, start=600.0, seed=2)]
    assert found(fold(slower))["duration", "all"].status == "drift"


def test_embeddings_of_a_new_topic_are_drift() -> None:
    """A tenth of the texts about something else fall into other clusters."""
    chance = random.Random(1)
    topics = [[chance.gauss(0, 1) for _ in range(80)] for _ in range(6)]

    def vectors(count: int, start: float, strange: float) -> list[Row]:
        rows = []
        for number in range(count):
            topic = topics[5] if chance.random() < strange else chance.choice(topics[:5])
            vector = [place + chance.gauss(0, 0.7) for place in topic]
            rows.append(Row(start + number, {}, [Observation("embedding", "vector", vector)]))
        return rows

    quiet = vectors(1500, 0.0, 0.0)
    assert found(fold(quiet))["embedding", "all"].status == "ok"
    moved = [*quiet, *vectors(500, 1500.0, 0.1)]
    assert found(fold(moved))["embedding", "all"].status == "drift"


# --- another variant, or the same hour of the week, as reference ---------------------------------


@pytest.mark.parametrize("options", [{"versus": Segment("population", "a")}, {"hourly": True}])
def test_embeddings_can_be_compared_too(options: dict[str, Any]) -> None:
    """Their clusters are; another variant's vectors elsewhere are drift from the first one's."""
    chance = random.Random(4)
    rows = []
    for number in range(3000):
        population = "ab"[number % 2]
        middle = 3.0 if population == "b" and number > 1500 else 0.0
        vector = [chance.gauss(middle, 1) for _ in range(70)]
        seen = [Observation("embedding", "vector", vector)]
        rows.append(Row(number * 0.5, {"population": population}, seen))
    findings = found(fold(rows, **options))
    if "versus" in options:
        assert findings["embedding", "b"].status == "drift"
        assert findings["embedding", "a"].status == "ok"


def arms(count: int, shift: float = 0.0, *, at: int = 0, seed: int = 3) -> Iterator[Row]:
    """Variants a, b and champion by turns; all wander together, and b moves from row `at` on."""
    chance = random.Random(seed)
    for number in range(count):
        variant = ("champion", "a", "b")[number % 3]
        moved = math.sin(number / 200) + (shift if variant == "b" and number >= at else 0.0)
        seen = [
            Observation("x", "numeric", chance.gauss(moved, 1)),
            Observation("color", "categorical", chance.choice(["red", "green"])),
        ]
        yield Row(number * 0.1, {"variant": variant}, seen)


CHAMPION = Segment("variant", "champion")


def test_a_variant_is_compared_with_another_as_both_come() -> None:
    """What all variants do together is not a difference between them; what one does, is."""
    analysis = fold(arms(9000, 0.5, at=6000), versus=CHAMPION)
    findings = found(analysis)
    assert findings["x", "b"].status == "drift"
    assert findings["x", "b"].baseline == "variant champion"
    assert "x in variant b drifted from variant champion: PSI" in findings["x", "b"].words
    assert findings["x", "b"].since == pytest.approx(600.0, abs=60.0)
    for key in (("x", "a"), ("color", "a"), ("color", "b")):
        assert findings[key].status == "ok", key


def test_variants_that_are_alike_stay_quiet() -> None:
    """However their traffic wanders, and also where one of them is rare."""
    for seed in range(8):
        rows = [one for one in arms(6000, seed=seed) if one.segments["variant"] != "a"]
        rare = [one for i, one in enumerate(rows) if one.segments["variant"] != "b" or not i % 10]
        for findings in (found(fold(rows, versus=CHAMPION)), found(fold(rare, versus=CHAMPION))):
            for (feature, value), finding in findings.items():
                assert value in ("all", "champion") or not finding.changed, (feature, value)


def test_a_variant_without_its_champion_is_insufficient() -> None:
    """There is nothing to compare it with."""
    rows = [one for one in arms(3000) if one.segments["variant"] != "champion"]
    finding = found(fold(rows, versus=CHAMPION))["x", "a"]
    assert (finding.status, finding.baseline) == ("insufficient", "variant champion")


WEEK = 168 * 3600


def season(weeks: float, shift: float = 0.0, *, at: float = math.inf, seed: int = 5) -> list[Row]:
    """A value every 100 seconds whose level goes with the hour of the day; it moves at `at`."""
    chance = random.Random(seed)
    rows = []
    for number in range(int(weeks * WEEK / 100)):
        time = number * 100.0 + 4 * 86400  # Monday 0:00
        level = 3 * math.sin(time / 86400 * 2 * math.pi) + (shift if time >= at else 0.0)
        rows.append(row(time, "a", x=chance.gauss(level, 1)))
    return rows


def hourly(rows: list[Row]) -> Finding:
    return found(fold(rows, rules=HOURLY, hourly=True, dimensions=()))["x", "all"]


def test_what_comes_at_its_hour_is_usual() -> None:
    """A fixed reference cries wolf every night; the same hour of the week before does not."""
    rows = season(3.0)
    assert found(fold(rows, rules=HOURLY, dimensions=()))["x", "all"].status == "drift"
    finding = hourly(rows)
    assert (finding.status, finding.changed) == ("ok", False)
    assert finding.baseline == "the same hour of the week"


def test_in_the_first_week_no_hour_is_known() -> None:
    """Nothing can be said, and is not."""
    finding = hourly(season(0.9))
    assert (finding.status, finding.samples) == ("insufficient", 0)


def test_a_shift_at_its_hour_is_drift() -> None:
    """Half a deviation, which the daily swing would hide six times over."""
    at = 4 * 86400 + 2.3 * WEEK
    finding = hourly(season(2.7, 1.0, at=at))
    assert finding.status == "drift"
    assert finding.since == pytest.approx(at, abs=6 * 3600)
    assert "from the same hour of the week" in finding.words


@pytest.mark.parametrize("options", [{"versus": CHAMPION}, {"hourly": True}])
def test_references_that_come_in_panes_survive_a_restart(options: dict[str, Any]) -> None:
    """At any moment, bit for bit; what was counted on another kind of reference is left."""
    rows = list(arms(2500, 0.5)) if "versus" in options else season(1.1)
    rules = RULES if "versus" in options else HOURLY
    whole = fold(rows, rules=rules, **options)
    for cut in (700, len(rows) // 2, len(rows) - 3):
        kept: dict[str, bytes] = {}
        first = fold(rows[: cut // 2], rules=rules, **options)
        kept |= first.saved()
        for one in rows[cut // 2 : cut]:
            first.add_row(one)
        kept |= first.saved()
        second = analysis_of((), rules, Baseline(learn=500, **options))
        second.restore(kept)
        for one in rows[cut:]:
            second.add_row(one)
        assert second.findings() == whole.findings()
        assert second.saved()["fold"] == whole.saved()["fold"]
    other = analysis_of((), rules, Baseline(learn=500))
    other.restore(whole.saved())
    assert other.findings() == []
