"""What serves has changed: one change for each rollout, whatever comes in between."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.lineage import (
    AMONG,
    CHANGES,
    COMING,
    FACTS,
    GONE,
    OTHER,
    REGULAR,
    ROLLOUT,
    VALUES,
    Lineage,
)
from monitor.findings import Change
from monitor.types import Outcome, Record, RequestSummary, ResponseSummary

PLAIN = Record(
    id="1", endpoint="bot", protocol="p", operation="o", model="m", started=0.0, duration=0.0,
    time_to_first_token=None, time_per_output_token=None, status=200, outcome=Outcome.OK,
    streamed=False, segments={}, request=RequestSummary("POST", "/", {}, 1, False),
    response=ResponseSummary({}, 1, False), inputs=[], outputs=[], tokens=None, finish_reasons=[],
    pseudonyms={}, key="k", trace_id=None,
)  # fmt: skip


def record(at: float, status: int = 200, **lineage: str) -> Record:
    return msgspec.structs.replace(PLAIN, started=at, status=status, lineage=lineage)


def played(*stretches: tuple[float, str], every: float = 1.0) -> Lineage:
    """Records each second of the values named, in turn, up to the times given."""
    lineage, at = Lineage(), 0.0
    for until, values in stretches:
        number = 0
        while at < until:
            lineage.add(record(at, model_version=values[number % len(values)]))
            at, number = at + every, number + 1
    return lineage


def told(lineage: Lineage) -> list[tuple[str, str]]:
    return [("".join(one.before), "".join(one.after)) for one in lineage.changes()]


def test_what_was_there_from_the_start_is_no_change() -> None:
    """However many values answer."""
    assert played((5000, "a")).changes() == []


def test_a_rollout_is_one_change_with_the_shares_of_both() -> None:
    """From the first record of the new to the last of the old; before its end it says how far."""
    half = played((1000, "a"), (1600, "aaab"), (2000, "abbb"))
    (one,) = half.changes()
    assert (one.before, one.after, one.since, one.until) == (["a"], ["b"], 1003.0, None)
    assert one.shares == pytest.approx({"a": 0.25, "b": 0.75}, abs=0.15)
    assert one.words.startswith("model_version changed from a to b; lately a answered ")
    over = played((1000, "a"), (1600, "aaab"), (2000, "abbb"), (4000, "b"))
    (one,) = over.changes()
    assert (one.since, one.until, one.shares) == (1003.0, 1996.0, {})
    assert one.words == "model_version changed from a to b"


def test_a_trial_that_ends_is_a_change_taken_back() -> None:
    """And the next trial is another one."""
    tried = played((1000, "a"), (1300, "aab"), (3000, "a"))
    (one,) = tried.changes()
    assert (one.before, one.after) == (["a"], ["a"])
    assert one.words == "model_version is a again: what came beside it has gone"
    again = played((1000, "a"), (1300, "aab"), (3000, "a"), (4000, "b"))
    assert told(again) == [("a", "b"), ("a", "a")]


def test_what_is_rare_does_not_come_and_go() -> None:
    """A twentieth of the records, few of them an hour, an hour without any: nothing flaps."""
    rare = "a" * 19 + "b"
    assert told(played((1000, "a"), (40_000, rare))) == [("a", "b")]
    assert told(played((1000, "a"), (400_000, rare), every=600)) == [("a", "b")]


def test_a_rollback_and_the_next_version_are_changes_of_their_own() -> None:
    """Each once; a version that comes while the one before is still rolled out joins it."""
    assert told(played((2000, "a"), (4000, "b"), (6000, "a"), (8000, "b"))) == [
        ("a", "b"), ("b", "a"), ("a", "b"),
    ]  # fmt: skip
    assert told(played((2000, "a"), (2300, "ab"), (2600, "bc"), (5000, "c"))) == [("a", "c")]
    for_long = played((1000, "a"), (2000 + ROLLOUT, "ab"), (3000 + ROLLOUT, "abc"))
    assert told(for_long) == [("ab", "c"), ("a", "b")]
    assert for_long.changes()[1].shares == {}
    assert set(for_long.changes()[0].shares) == {"a", "b", "c"}


def test_one_of_two_that_answered_for_long_goes() -> None:
    """That is a change too, at the time of its last record."""
    lineage = played((1000, "a"), (2000 + ROLLOUT, "ab"), (5000 + ROLLOUT, "b"))
    (last, _) = lineage.changes()
    assert (last.before, last.after, last.since) == (["b", "a"], ["b"], 1998 + ROLLOUT)


def test_strangers_fill_nothing_and_change_little() -> None:
    """Of what clients state 20 values are told apart; what was refused states nothing."""
    lineage = Lineage()
    for number in range(2000):
        lineage.add(record(number, 404, model_version=f"refused {number}"))
        lineage.add(record(number, model_version=f"{number} {'x' * 1000}"))
    assert set(lineage._facts) == {"key", "model", "model_version"}
    fact = lineage._facts["model_version"]
    assert len(fact.values) <= VALUES + 1
    assert OTHER in fact.values
    assert len(lineage.saved()) < 20_000
    for number in range(2 * FACTS):
        lineage.add(record(5000, **{f"fact {number}": "a"}))
        lineage.add(record(5001, **{f"fact {number}": "b"}))
    assert len(lineage._facts) <= FACTS
    assert len(lineage.changes()) <= CHANGES
    lineage.add(record(float("inf"), model_version="never"))


def test_many_values_make_no_paragraph() -> None:
    """Words name the few largest and count the others; the label stays while more come."""
    lineage = Lineage()
    labels = set()
    for number in range(100):
        lineage.add(record(number, model_version="a"))
    for number in range(100, 590):
        odd = f"odd {number} {'x' * 150}" if number % 4 == 0 else "b"
        lineage.add(record(number, model_version=odd))
        if number > 120:
            labels.update(one.labels["value"] for one in lineage.measurements("bot"))
    (one,) = lineage.changes()
    assert one.words.startswith("model_version changed from a to b, ")
    assert " and 17 others; lately " in one.words
    assert " b 62 %, " in one.words
    assert len(one.words) < 500
    (label,) = labels
    assert label.startswith("odd 100 xxx")
    assert label.endswith(" and others")
    assert len(label) <= 200


def test_only_what_may_be_told_is_followed() -> None:
    """Where counts have noise, only facts that no client states."""
    lineage = Lineage({"config"})
    for value in "ab":
        lineage.add(record(1.0, config=value, model_version=value))
    assert [one.fact for one in lineage.changes()] == ["config"]


def test_the_page_says_when_what_came() -> None:
    """One series for each fact: its last change."""
    (one,) = played((2000, "a"), (4000, "b"), (6000, "c")).measurements("bot")
    assert one.labels == {"endpoint": "bot", "fact": "model_version", "value": "c"}
    assert (one.name, one.value) == ("monitor_lineage_change_timestamp_seconds", 4000.0)


@given(
    st.lists(st.tuples(st.floats(0, 2 * GONE), st.sampled_from("aaaabc")), max_size=300),
    st.integers(0, 300),
)
def test_any_order_of_values_goes_on_after_a_restart(
    steps: list[tuple[float, str]], cut: int
) -> None:
    """The same changes as without one; each begins and ends in order, and with what was there."""
    whole, at = Lineage(), 0.0
    first, second = Lineage(), Lineage()
    for number, (pause, value) in enumerate(steps):
        at += pause
        if number == cut:
            second.restore(first.saved())
        one = record(at, model_version=value)
        whole.add(one)
        (first if number < cut else second).add(one)
    changes: list[Change] = whole.changes()
    if cut < len(steps):
        assert second.changes() == changes
    assert [one.since for one in changes] == sorted((one.since for one in changes), reverse=True)
    for change in changes:
        assert change.before
        assert change.after
        assert change.until is None or change.until >= 0


def models(*stretches: tuple[int, list[str]], key: str = "k") -> Lineage:
    """So many records of the models named, in turn, a second after another."""
    lineage, at = Lineage(), 0
    for count, names in stretches:
        for number in range(count):
            model = names[number % len(names)]
            lineage.add(msgspec.structs.replace(PLAIN, started=float(at), model=model, key=key))
            at += 1
    return lineage


def test_another_model_is_a_change_from_its_first_record_on() -> None:
    """Also one that gets a twentieth of the records; those of the beginning are none."""
    (one,) = models((1000, ["a"]), (2000, ["b"])).changes()
    assert (one.fact, one.before, one.after, one.since) == ("model", ["a"], ["b"], 1000.0)
    (one,) = models((1000, ["a"]), (500, ["a"] * 19 + ["b"])).changes()
    assert (one.before, one.after, one.since) == (["a"], ["b"], 1019.0)
    assert models((4000, ["a", "b", "c"])).changes() == []


def test_models_that_few_ask_for_are_no_news() -> None:
    """Whatever they are called, and however long they do so; another one is still seen."""
    rare = ["a"] * (AMONG // REGULAR + 2) + ["b"]
    assert models((1000, ["a"]), (20_000, rare)).changes() == []
    junk = [name for number in range(5000) for name in ("a", f"x{number}")]
    assert models((1000, ["a"]), (10_000, junk)).changes() == []
    with_b = [name for number in range(2000) for name in ("a", f"x{number}", f"y{number}", "b")]
    assert told(models((1000, ["a"]), (8000, with_b))) == [("a", "b")]
    fact = models((1000, ["a"]), (10_000, junk))._facts["model"]
    assert len(fact.coming) <= COMING


def test_another_key_is_a_change() -> None:
    """From its first record on, after a restart too."""
    lineage = models((10, ["a"]))
    again = Lineage()
    again.restore(lineage.saved())
    again.add(msgspec.structs.replace(PLAIN, started=11.0, key="k2"))
    (one,) = again.changes()
    assert (one.fact, one.before, one.after, one.since) == ("key", ["k"], ["k2"], 11.0)
