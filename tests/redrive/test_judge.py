"""An endpoint that is only noisy is the same; one that has changed is not, however noisy it is."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from monitor.redrive.compare import FEATURES, Traits
from monitor.redrive.document import Found
from monitor.redrive.judge import CONFIDENCE, MINIMUM, Answers, Judge, more, verdict
from monitor.redrive.wording import Wording
from monitor.sequential import bounded_means
from tests.redrive.models import WORDS

Change = Callable[[list[str], random.Random], list[str]]
WIDE = {name: one.within(0.5) for name, one in FEATURES.items()}


def answer(
    chance: random.Random, base: list[str], change: Change | None = None, **fields: Any
) -> Traits:
    """A third of the words are others each time, and the length is another."""
    words = [chance.choice(WORDS) if chance.random() < 0.3 else word for word in base]
    words = words[: max(3, round(len(words) * chance.uniform(0.8, 1.2)))]
    words = change(words, chance) if change else words
    text = " ".join(words)
    made = Traits(
        ok=True, status=200, outcome="ok", duration=chance.lognormvariate(-1, 0.3), length=len(text),
        tokens=len(words), kind="text", finish=("stop",), text=text, words=Counter(words), language="en",
    )  # fmt: skip
    return msgspec.structs.replace(made, **fields)


def judged(
    seed: int, pairs: int, change: Change | None = None, *, baseline: bool = True, slow: float = 1.0,
    margin: float | None = None,
) -> tuple[str, list[Found]]:  # fmt: skip
    chance = random.Random(seed)
    features = {n: one.within(margin) if margin else one for n, one in FEATURES.items()}
    judge = Judge((), 0.05, baseline=baseline, features=features)
    for _ in range(pairs):
        base = [chance.choice(WORDS) for _ in range(chance.randint(10, 40))]
        candidate = answer(chance, base, change)
        candidate = msgspec.structs.replace(candidate, duration=slow * candidate.duration)
        others = tuple(answer(chance, base) for _ in range(2 if baseline else 1))
        judge.add(Answers(candidate, others), {})
    found = judge.found()
    return verdict(found, judge.paired), found


@pytest.mark.parametrize("baseline", [True, False])
def test_noise_is_no_difference(baseline: bool) -> None:
    """No two answers are alike, and at most 5 of 100 verdicts are `different`. With a wide margin the
    others are `same`, but where recorded answers do not tell noise; 60 pairs are too few for the usual
    one."""
    verdicts = Counter(judged(seed, 60, baseline=baseline)[0] for seed in range(40))
    assert verdicts["insufficient"] >= 38
    assert not verdicts["same"]
    wide = Counter(judged(seed, 60, baseline=baseline, margin=0.7)[0] for seed in range(10))
    assert wide["same" if baseline else "insufficient"] >= 9


CHANGES: dict[str, tuple[str, Change]] = {
    "shorter": ("length", lambda words, _: words[: len(words) // 2]),
    "longer": ("length", lambda words, _: words * 2),
    "other words": ("wording", lambda words, _: ["Indeed", *words]),
    "one word of ten": (
        "wording", lambda words, chance: [w if chance.random() > 0.1 else "Surely" for w in words],
    ),
    "nonsense": ("words", lambda words, chance: [chance.choice(WORDS) for _ in words]),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_through_noise(change: str) -> None:
    """In 100 pairs, and in the feature that it is of."""
    feature, how = CHANGES[change]
    for seed in range(3):
        said, found = judged(seed, 100, how)
        assert said == "different"
        assert feature in {one.feature for one in found if one.status == "different"}


def test_a_slower_endpoint_is_another() -> None:
    """By latency alone, with the factor in its interval; without a baseline latency says nothing."""
    said, found = judged(1, 150, slow=2.0)
    different = [one for one in found if one.status == "different"]
    assert [one.feature for one in different] == ["latency"]
    assert different[0].lower < 2.0 < 1.25 * different[0].upper
    assert said == "different"
    assert "latency" not in {one.feature for one in judged(1, 150, slow=2.0, baseline=False)[1]}


def test_a_cache_of_prompts_makes_no_endpoint_slower_than_itself() -> None:
    """Whoever asks first waits longer; the interval holds what is true: no difference."""
    held = 0
    for seed in range(20):
        chance = random.Random(seed)
        judge = Judge((), 0.05, baseline=True)
        for _ in range(200):
            times = [chance.lognormvariate(place and -1, 0.2) for place in range(3)]
            place = chance.randrange(3)
            candidate = msgspec.structs.replace(answer(chance, ["a"]), duration=times.pop(place))
            others = tuple(
                msgspec.structs.replace(answer(chance, ["a"]), duration=one) for one in times
            )
            judge.add(Answers(candidate, others, place), {})
        (latency,) = (one for one in judge.found() if one.feature == "latency")
        held += latency.lower <= 1.0 <= latency.upper and latency.status != "different"
        assert 100 < latency.pairs < 170
    assert held >= 19


def test_two_endpoints_without_noise_differ_after_a_dozen_pairs() -> None:
    """Where an answer is always the same, and now always another."""
    judge = Judge((), 0.05, baseline=True)
    for number in range(14):
        others = [
            msgspec.structs.replace(answer(random.Random(1), ["a"]), text=f"{which} {number}",
                                    words=Counter([f"{which}{number}"]))
            for which in ("new", "old", "old")
        ]  # fmt: skip
        judge.add(Answers(others[0], tuple(others[1:])), {})
    found = judge.found()
    assert {"exact", "words"} <= {one.feature for one in found if one.status == "different"}
    assert verdict(found, judge.paired) == "different"


def test_few_pairs_are_insufficient() -> None:
    """Nothing is called the same by fewer pairs than could tell."""
    same = answer(random.Random(1), ["a"])
    for pairs, said in ((MINIMUM - 1, "insufficient"), (MINIMUM, "same")):
        judge = Judge((), 0.05, baseline=True, features=WIDE)
        for _ in range(pairs):
            judge.add(Answers(same, (same, same)), {})
        assert verdict(judge.found(), judge.paired) == said
    assert verdict([], 0) == "insufficient"
    assert more([]) is None


def alike(pairs: int, others: int = 0) -> Judge:
    """Two endpoints that always give the same answer, but for so many others."""
    one = answer(random.Random(1), ["a"])
    other = msgspec.structs.replace(one, text="b", words=Counter("b"))
    judge = Judge((), 0.05, baseline=True)
    for number in range(pairs):
        judge.add(Answers(other if number < others else one, (one, one)), {})
    return judge


def test_as_many_more_as_are_asked_for_tell() -> None:
    """Where they are like those before: the last of the features is then within its margin, or beyond."""
    few = alike(60)
    needed = more(few.found())
    assert needed is not None
    assert verdict(few.found(), few.paired) == "insufficient"
    enough = alike(60 + needed)
    assert verdict(enough.found(), enough.paired) == "same"
    almost = alike(60 + needed - 20)
    assert verdict(almost.found(), almost.paired) == "insufficient"
    changed = alike(40, others=4)
    needed = more(changed.found())
    assert needed is not None
    assert verdict(changed.found(), changed.paired) == "insufficient"
    times = math.ceil(1 + needed / 40)
    enough = alike(40 * times, others=4 * times)
    assert verdict(enough.found(), enough.paired) == "different"


def test_the_same_is_said_wrongly_hardly_ever() -> None:
    """Of answers that differ a little more than the margin at most 5 of 100 runs, looked at again and again;
    an interval that is watched leaves its truth out so often."""
    wrong = 0
    for seed in range(40):
        chance = random.Random(seed)
        contrasts = np.array([float(chance.random() < 0.021) for _ in range(2000)])
        ends = (bounded_means.interval(contrasts[:n], CONFIDENCE) for n in range(500, 2001, 500))
        wrong += any(FEATURES["exact"].is_harmless(one.lower, one.upper) for one in ends)
    assert wrong <= 2


def test_equal_answers_need_no_baseline() -> None:
    """A distance within its margin is so with all its noise; one beyond it may be noise alone."""
    one = answer(random.Random(1), ["a", "b"])
    other = msgspec.structs.replace(one, text="c d", words=Counter(["c", "d"]))
    for candidate, status, said in ((one, "same", "same"), (other, "not judged", "insufficient")):
        judge = Judge((), 0.05, baseline=False, features=WIDE)
        for _ in range(40):
            judge.add(Answers(candidate, (one,)), {})
        found = judge.found()
        assert {f.status for f in found if f.feature in ("exact", "words")} == {status}
        if status == "same":
            assert verdict(found, judge.paired) == said
    judge = Judge((), 0.05, baseline=False)
    for _ in range(40):
        judge.add(Answers(one, (one,)), {})
    assert {f.status for f in judge.found() if f.feature == "exact"} == {"insufficient"}


def test_failures_are_a_difference_of_their_own() -> None:
    """A request that failed on a side tells nothing else."""
    judge = Judge((), 0.05, baseline=True)
    failed = Traits(ok=False, status=500, outcome="server_error", duration=0.1)
    good = answer(random.Random(1), ["a", "b"])
    for _ in range(15):
        assert judge.add(Answers(failed, (good, good)), {}) == {"failed": 1.0}
    (found,) = judge.found()
    assert (found.feature, found.status, found.difference, judge.paired) == (
        "failed",
        "different",
        1.0,
        0,
    )
    both = Judge((), 0.05, baseline=True)
    for _ in range(40):
        both.add(Answers(failed, (failed, failed)), {})
    assert verdict(both.found(), both.paired) == "insufficient"


def test_columns_have_no_noise() -> None:
    """A model that answers in numbers is held against its recorded numbers, a text is not."""
    one = Traits(True, 200, "ok", 0.1, text="1", values={"p[0]": 0.25}, is_text=False)
    other = msgspec.structs.replace(one, text="2", values={"p[0]": 0.5})
    judge = Judge((), 0.05, baseline=False)
    for _ in range(30):
        judge.add(Answers(other, (one,)), {})
    assert {found.feature for found in judge.found(is_text=False) if found.status == "different"} == {
        "exact", "values",
    }  # fmt: skip
    texts = {found.feature: found.status for found in judge.found(is_text=True)}
    assert texts["exact"] == texts["values"] == "not judged"


def test_a_segment_that_changed_is_named() -> None:
    """The others are not; a record that does not say where it belongs is in the whole alone."""
    chance = random.Random(3)
    judge = Judge(("plan",), 0.05, baseline=True)
    for number in range(300):
        base = [chance.choice(WORDS) for _ in range(20)]
        plan = ("free", "paid", "none")[number % 3]
        change = CHANGES["shorter"][1] if plan == "paid" else None
        others = answer(chance, base), answer(chance, base)
        judge.add(Answers(answer(chance, base, change), others), {"plan": plan})
    different = {
        (one.dimension, one.value)
        for one in judge.found()
        if one.status == "different" and one.feature == "length"
    }
    assert different == {("all", "all"), ("plan", "paid")}
    assert {one.value for one in judge.found()} == {"all", "free", "paid"}


def test_words_are_guessed_before_they_are_learned() -> None:
    """The first pair tells nothing; a word that one side alone says tells from then on."""
    wording = Wording()
    one, other = Counter(["a", "indeed"]), Counter(["a", "b"])
    assert wording.guess(one, other) == 0
    wording.learn(one, other)
    assert wording.guess(Counter(["indeed"]), Counter(["x"])) == 1
    assert wording.guess(Counter(["x"]), Counter(["indeed"])) == -1
    assert wording.guess(one, one) == 0
