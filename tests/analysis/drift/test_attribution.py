"""Attribution: a drift of the whole is traced to the segments that moved."""

from __future__ import annotations

import random

from monitor.analysis.drift.attribution import drivers, mix
from monitor.analysis.drift.judgement import Rules, read
from monitor.analysis.drift.profiles import profile_of
from monitor.analysis.drift.reference import Learner
from monitor.analysis.drift.watch import Watch
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.distances import LIVE, psi
from monitor.rows import Row
from monitor.types import Observation

RULES = Rules(psi.MEASURE, LIVE)


def watch(dimension: str, value: str, count: int, shift: float) -> Watch:
    chance = random.Random(f"{dimension}{value}")
    made = Watch(("x", dimension, value), Learner(500))
    for number in range(500 + count):
        made.count(chance.gauss(shift if number >= 500 else 0.0, 1), 0, 0.0)
    return made


WHOLE = watch("all", "all", 1000, 0.3)
read([WHOLE], RULES)


def test_who_moved_is_named_with_their_part() -> None:
    """By how far and how many; who stayed, or is alone in a dimension, is not."""
    segments = [
        watch("population", "a", 1000, 0.0),
        watch("population", "b", 600, 1.0),
        watch("population", "c", 200, 1.0),
        watch("population", "d", 5, 3.0),
        watch("template", "only", 1000, 1.0),
        Watch(("x", "population", "learning"), Learner(500)),
    ]
    read(segments, RULES)
    found = drivers(segments, WHOLE, 0.0, RULES)
    assert [(one.dimension, one.value) for one in found] == [
        ("population", "b"),
        ("population", "c"),
    ]
    assert 0.6 < found[0].share < 0.9
    assert drivers([], WHOLE, 0.0, RULES) == []


def test_where_all_moved_alike_nobody_drove() -> None:
    """Half of a change that comes from half of the traffic says nothing about that half."""
    segments = [watch("population", name, 1000, 1.0) for name in "abc"]
    read(segments, RULES)
    assert drivers(segments, WHOLE, 0.0, RULES) == []


def test_variants_that_are_compared_with_each_other_drive_nothing() -> None:
    """That b differs from the champion does not say that either of them changed."""
    champion = watch("variant", "champion", 1000, 1.0)
    other = Watch(("x", "variant", "b"), None, peer=champion)
    for number in range(1000):
        other.count(float(number % 3), 0, 0.0)
    read([champion, other], RULES)
    assert drivers([champion, other], WHOLE, 0.0, RULES) == []


def mixture(count: int, share: float, *, start: float) -> list[Row]:
    """Populations a and b, far apart and each as ever; b is `share` of the rows."""
    chance = random.Random(start)
    rows = []
    for number in range(count):
        name = "b" if chance.random() < share else "a"
        value = chance.gauss(3.0 if name == "b" else 0.0, 1)
        rows.append(Row(start + number, {"population": name}, [Observation("x", "numeric", value)]))
    return rows


def test_a_whole_that_drifts_by_its_mix_says_so() -> None:
    """Nobody changed; some come more often. No segment is blamed for a change of its own."""
    analysis = analysis_of((), RULES, Baseline(learn=400))
    for row in [*mixture(5000, 0.2, start=0.0), *mixture(1500, 0.6, start=5000.0)]:
        analysis.add_row(row)
    found = {(one.feature, one.value): one for one in analysis.findings()}
    whole = found["x", "all"]
    assert whole.status == "drift"
    assert whole.drivers == []
    (first, second) = sorted(whole.mix, key=lambda one: one.bin, reverse=True)
    assert (first.bin, second.bin) == ("population b", "population a")
    assert abs(first.before - 0.2) < 0.05
    assert abs(first.after - 0.6) < 0.08
    assert "went from" in whole.words
    assert found["x", "a"].status == found["x", "b"].status == "ok"


def test_a_mix_that_stays_is_not_mentioned() -> None:
    """Also where the segments themselves changed, or hardly came."""
    segments = [watch("population", name, 1000, 1.0) for name in "ab"]
    read(segments, RULES)
    assert mix(segments, 0.0, 10.0) == []
    assert mix([], 0.0, 10.0) == []


def test_references_that_were_learned_say_nothing_of_the_mix() -> None:
    """Each segment learns from equally many values, and the rare one is the last to have them: a
    change that came before is told without shares that nobody had."""
    chance = random.Random(7)
    fold = analysis_of((), RULES, Baseline(learn=90))
    for number in range(1200):
        (name,) = chance.choices(("en", "fr", "pl"), (0.6, 0.22, 0.18))
        value = chance.gauss(3.0 if name == "pl" and number > 450 else 0.0, 1)
        segments = {"population": name}
        fold.add_row(Row(number / 12, segments, [Observation("x", "numeric", value)]))
    whole = next(one for one in fold.findings() if one.dimension == "all")
    assert whole.status == "drift"
    assert whole.mix == []


def test_a_reference_that_was_given_has_the_shares_of_its_values() -> None:
    """Where the change is as old as the comparison."""
    fold = analysis_of((), RULES, Baseline(profile_of(mixture(2000, 0.2, start=0.0))))
    for row in mixture(1500, 0.6, start=5000.0):
        fold.add_row(row)
    whole = next(one for one in fold.findings() if one.dimension == "all")
    found = {one.bin: (round(one.before, 1), round(one.after, 1)) for one in whole.mix}
    assert found == {"population a": (0.8, 0.4), "population b": (0.2, 0.6)}


def test_edge_cases_are_no_parts_of_a_whole() -> None:
    """An exchange is of several or of none, so that none of them has a share of a change."""
    chance = random.Random(3)
    rows = [
        Row(
            float(n),
            {"population": "ab"[n % 2]},
            [Observation("x", "numeric", chance.gauss(4.0 if n > 2000 and n % 2 else 0.0, 1))],
            edge_cases=["refusal", "truncated"] if n % 2 else [],
        )
        for n in range(4000)
    ]
    fold = analysis_of((), RULES, Baseline(learn=1000))
    for row in rows:
        fold.add_row(row)
    fold.close()
    found = {(one.dimension, one.value): one for one in fold.findings()}
    assert found["edge_case", "refusal"].status == found["all", "all"].status == "drift"
    whole = found["all", "all"]
    assert {one.dimension for one in whole.drivers} == {"population"}
    assert "edge_case" not in whole.words + str(whole.mix)
