"""Any value that JSON can carry is observed, counted, saved and restored: nothing ends the fold."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analysis.drift import embed
from monitor.analysis.drift.findings import measurements, summary
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.profiles import dump_profile, load_profile, profile_of
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.drift.windows import Bins, keepable, locator
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.analysis.rows import row_of
from monitor.distances import LIVE, psi
from monitor.exporters.prometheus import render
from monitor.features import FEATURES, MORE
from monitor.rows import Row
from monitor.types import (
    Observation,
    Outcome,
    Part,
    Record,
    RequestSummary,
    ResponseSummary,
    Segment,
    Tokens,
)

RULES = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=2.0, samples=20)
ALL = (*FEATURES, *MORE, embed.feature(lambda text: [float(len(text)), -0.0, 1e300]))

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-10, 10),
    st.integers(min_value=2**63, max_value=2**70),
    st.sampled_from([2**128 - 1, -(2**64), 10**400, -(10**400), 0, -0.0]),
    st.floats(),
    st.sampled_from([1.7e308, -1.7e308, 5e-324, math.nan, math.inf, -math.inf, 1e150]),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(codec=None), max_size=300),
    st.sampled_from(["", "\ud800", "a\r\nmonitor: forged", "\x1b[31m", "2024-02-30", "x" * 5000]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.one_of(
    SCALARS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ),
    st.lists(NUMBERS, min_size=3, max_size=3),
    st.binary(max_size=9),
)
KINDS = ("numeric", "categorical", "boolean", "datetime", "duration", "vector", "words")
DATATYPES = st.sampled_from([None, "FP32", "INT64", "BYTES", "BOOL", "", "\x00"])


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """A text, or a tensor of anything, also a wide one."""
    if draw(st.booleans()):
        return Part(role=draw(st.sampled_from(["user", "error", None, "\x1b"])), text=draw(TEXTS))
    name = draw(st.one_of(st.none(), TEXTS, st.sampled_from(["x", "output_tokens"])))
    if draw(st.integers(0, 4)) == 0:
        data = draw(st.lists(NUMBERS, min_size=1, max_size=5)) * 70
        return Part(name=name, datatype="FP64", shape=[1, len(data)], data=data)
    data = draw(st.lists(VALUES, max_size=4))
    shape = draw(st.one_of(st.none(), st.just([len(data)]), st.lists(st.integers(), max_size=3)))
    return Part(name=name, datatype=draw(DATATYPES), shape=shape, data=data)


@st.composite
def records(draw: st.DrawFn, number: int = 0) -> Record:
    """A record whose every field that a stranger can fill holds anything."""
    times = st.one_of(st.just(1.7e9 + number), st.floats(), st.floats(1.7e9, 1.7e9 + 500))
    return Record(
        id=draw(TEXTS), endpoint="e", protocol="p", operation="o", model=draw(TEXTS),
        started=draw(times), duration=draw(st.one_of(st.just(0.1), st.floats())),
        time_to_first_token=draw(st.one_of(st.none(), st.floats())),
        time_per_output_token=draw(st.one_of(st.none(), st.floats())),
        status=200, outcome=draw(st.sampled_from([Outcome.OK, Outcome.OK, *Outcome])),
        streamed=False, segments={"population": draw(st.one_of(st.sampled_from("ab"), TEXTS))},
        request=RequestSummary("POST", "/", {}, 1, False), response=ResponseSummary({}, 1, False),
        inputs=draw(st.lists(parts(), max_size=3)), outputs=draw(st.lists(parts(), max_size=3)),
        tokens=draw(st.one_of(st.none(), st.builds(Tokens, st.integers(), st.integers()))),
        finish_reasons=draw(st.lists(TEXTS, max_size=2)), pseudonyms={}, key="k", trace_id=None,
    )  # fmt: skip


def again(analysis: Analysis, fresh: Analysis) -> Analysis:
    """`fresh`, gone on from what `analysis` saves."""
    fresh.restore(analysis.saved())
    return fresh


def found(analysis: Analysis) -> str:
    return repr(analysis.findings())


def said(analysis: Analysis) -> str:
    """What is found, once all of it has left: document and page."""
    found = analysis.findings()
    summary(analysis.records, found)
    for accept in ("", "application/openmetrics-text"):
        render(measurements("e", found, RULES.thresholds()), accept)
    return repr(found)


OPTIONS = st.sampled_from([
    {"learn": 1}, {"learn": 3}, {"learn": 1000},
    {"learn": 3, "hourly": True},
    {"learn": 3, "versus": Segment("population", "a")},
])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(records(), min_size=1, max_size=6), OPTIONS, st.integers(0, 6))
def test_any_record_survives_observe_count_save_and_restore(
    sent: list[Record], options: dict[str, Any], cut: int
) -> None:
    """With every feature; restored equals saved, what comes after is counted alike."""
    straight = analysis_of(ALL, RULES, Baseline(**options))
    broken = analysis_of(ALL, RULES, Baseline(**options))
    for number, one in enumerate(sent * 2):
        straight.add(one)
        if number == cut:
            broken = again(broken, analysis_of(ALL, RULES, Baseline(**options)))
        broken.add(one)
    assert said(straight) == found(broken)
    restored = again(straight, analysis_of(ALL, RULES, Baseline(**options)))
    assert found(restored) == found(straight)
    restored.close()
    straight.close()
    assert said(restored) == found(straight)


@settings(max_examples=75, deadline=None)
@given(
    st.lists(st.tuples(VALUES, st.sampled_from(KINDS)), min_size=1, max_size=12),
    st.sampled_from([1, 2, 5, 1000]),
)
def test_any_value_of_any_kind_makes_a_reference_that_can_be_written(
    values: list[tuple[Any, Any]], learn: int
) -> None:
    """Learned from, or built and read again: bit for bit the same."""
    rows = [
        Row(float(number), {"population": "a"}, [Observation(name, kind, value)])
        for number, (value, kind) in enumerate(values)
        for name in ("all of them", kind)
    ]
    profile = profile_of(rows, learn=learn)
    read = load_profile(dump_profile(profile), "file")
    assert read == profile
    for options in ({"learn": learn}, {"profile": read}):
        analysis = analysis_of((), replace(RULES, pane=None), Baseline(**options))
        for row in rows:
            analysis.add_row(row)
        assert said(
            again(analysis, analysis_of((), replace(RULES, pane=None), Baseline(**options)))
        ) == found(analysis)


@settings(max_examples=300)
@given(VALUES)
def test_a_value_is_kept_as_one_that_falls_into_the_same_bin(value: Any) -> None:
    """Whatever the bins; and what is kept can be written and read."""
    kept = keepable(value)
    assert repr(msgspec.msgpack.decode(msgspec.msgpack.encode(kept))) == repr(kept)
    for bins in (
        Bins("numeric", edges=[-5.0, 0.0, 3.0, 1e30]),
        Bins("categorical", categories=["", "a", "true"]),
        Bins("vector", centers=[[0.0, 1.0, 2.0]], radius=1.0, bandwidth=1.0),
        Bins("numeric", edges=[0.0, 0.5, 1.0], vocabulary=bytes(2048)),
        Bins("nothing"),
    ):
        locate = locator(bins)
        assert locate(kept) == locate(value)


def test_values_too_large_to_be_shown_are_kept_too() -> None:
    """A list nested 100,000 deep, and an integer of more digits than Python writes."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert (keepable(deep), keepable(10**5000), keepable(-(10**5000))) == ([], math.inf, -math.inf)
    kinds = [Observation(kind, kind, 10**5000) for kind in KINDS]
    analysis = analysis_of((), RULES, Baseline(learn=2))
    for at in (1.0, 2.0, 3.0):
        analysis.add_row(Row(at, {}, [*kinds, Observation("deep", "categorical", deep)]))
    assert said(again(analysis, analysis_of((), RULES, Baseline(learn=2)))) == found(analysis)


def test_the_number_that_stopped_an_analyzer_is_one_value_among_others() -> None:
    """2^128 - 1, while a reference is learned."""
    row = Row(1.7e9, {}, [Observation("id", "numeric", 2**128 - 1)])
    analysis = analysis_of((), RULES, Baseline(learn=1000))
    analysis.add_row(row)
    assert again(analysis, analysis_of((), RULES, Baseline(learn=1000))).findings()[0].samples == 1


def test_a_whole_record_of_any_numbers_is_seen_by_every_feature() -> None:
    """No feature raises on a batch of numbers beyond any float."""
    wide = Part(name="v", datatype="FP64", shape=[1, 70], data=[10**400, 1e308] * 35)
    one = Record(
        "i", "e", "p", "o", "m", 1.7e9, 0.1, None, None, 200, Outcome.OK, False, {},
        RequestSummary("POST", "/", {}, 1, False), ResponseSummary({}, 1, False),
        [wide], [wide], Tokens(10**30, -5), [], {}, "k", None,
    )  # fmt: skip
    assert len(row_of(ALL, one).observations) >= 4
