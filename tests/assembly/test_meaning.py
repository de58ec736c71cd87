"""What of a checkpoint is kept when settings change."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.assembly import meaning
from monitor.settings.schema import (
    Calibration,
    DimensionSource,
    Drift,
    Fairness,
    Outcomes,
    Reference,
    Settings,
    Windows,
)

SEGMENTS = {"population": DimensionSource("x-a"), "plan": DimensionSource("x-b")}
CROSSED = {"corner": DimensionSource(cross=["population", "plan"])}
PLAIN = Settings(segments=SEGMENTS)
HOURLY = Settings(segments=SEGMENTS, reference=Reference(hour_of_week=True))
KEYS = {
    ("x", "all", "all"), ("x", "population", "a"), ("x", "plan", "p"), ("duration", "all", "all"),
    ("input_embedding", "all", "all"), ("x", "edge_case", "refusal"),
    ("x", "edge_case", "long_input"), ("x", "corner", "a|p"), ("check.schema", "all", "all"),
    ("check.citation.share", "population", "a"), ("check.citation", "all", "all"),
}  # fmt: skip


def kept(before: Settings, now: Settings) -> set[Any]:
    keeps = meaning.keeps(meaning.read(meaning.saved(meaning.of(before))), meaning.of(now))
    return {key for key in KEYS if keeps(key)}


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [
        (PLAIN, PLAIN, set()),
        (PLAIN, Settings(segments=SEGMENTS, windows=Windows(pane=3600, samples=7)), set()),
        (PLAIN, Settings(segments=SEGMENTS, drift=Drift(tolerance=0.5, design_effect=3)), set()),
        (
            PLAIN,
            Settings(segments=SEGMENTS | {"plan": DimensionSource("x-c")}),
            {("x", "plan", "p")},
        ),
        (
            Settings(segments=SEGMENTS, drift=Drift(features=["latency"])),
            PLAIN,
            {("duration", "all", "all")},
        ),
        (
            PLAIN,
            Settings(segments=SEGMENTS, drift=Drift(embed="/a/model")),
            {("input_embedding", "all", "all")},
        ),
        (
            Settings(segments=SEGMENTS, edge_cases={"refusal": {}, "long_input": {"tokens": 5}}),
            Settings(segments=SEGMENTS, edge_cases={"refusal": {}, "long_input": {"tokens": 6}}),
            {("x", "edge_case", "long_input")},
        ),
        (
            Settings(segments=SEGMENTS, checks={"citation": {}, "schema": {}}),
            Settings(segments=SEGMENTS, checks={"citation": {"least": 2}, "schema": {}}),
            {("check.citation", "all", "all"), ("check.citation.share", "population", "a")},
        ),
        (
            PLAIN,
            Settings(segments=SEGMENTS, edge_cases={"refusal": None}),
            {("x", "edge_case", "refusal")},
        ),
        (
            Settings(segments=SEGMENTS | CROSSED),
            Settings(segments=SEGMENTS | CROSSED | {"plan": DimensionSource("x-c")}),
            {("x", "plan", "p"), ("x", "corner", "a|p")},
        ),
        (
            Settings(segments=SEGMENTS, reference=Reference(variant="plan=p")),
            Settings(
                segments=SEGMENTS | {"plan": DimensionSource("x-c")},
                reference=Reference(variant="plan=p"),
            ),
            KEYS,
        ),
        (PLAIN, HOURLY, KEYS),
        (PLAIN, Settings(segments=SEGMENTS, reference=Reference(learn=5)), KEYS),
        (
            HOURLY,
            Settings(segments=SEGMENTS, reference=HOURLY.reference, drift=Drift(design_effect=2)),
            KEYS,
        ),
    ],
)  # fmt: skip
def test_only_what_means_something_else_is_lost(
    before: Settings, now: Settings, lost: set[Any]
) -> None:
    """Settings that counts are judged by change no count."""
    assert kept(before, now) == KEYS - lost
    assert bool(meaning.changed(meaning.of(before), meaning.of(now))) == (
        bool(lost) or now.windows.pane != before.windows.pane
    )


def test_a_checkpoint_of_before_is_taken_as_it_is() -> None:
    """One that does not say, or that is damaged, is of these settings."""
    for state in ({}, {meaning.FIELD: b"\xff"}, {meaning.FIELD: b"[1]"}):
        before = meaning.read(state)
        assert before is None
        assert meaning.keeps(before, meaning.of(PLAIN))(("x", "plan", "p"))
        assert meaning.changed(before, meaning.of(PLAIN)) == ""


def test_a_key_of_before_means_what_it_is_called_now() -> None:
    """A checkpoint that says `drift.together` goes on."""
    settings = Settings(segments=SEGMENTS, reference=HOURLY.reference, drift=Drift(design_effect=2))
    now = meaning.of(settings)
    before = {key.replace("design_effect", "together"): digest for key, digest in now.items()}
    assert "drift.together" in before
    assert meaning.changed(meaning.read(meaning.saved(before)), now) == ""


OUTCOMES = {
    (name, dimension, value)
    for name in ("quality", "calibration", "coverage", "fairness", "hit")
    for dimension, value in (("all", "all"), ("plan", "p"))
}


@pytest.mark.parametrize(
    ("now", "lost"),
    [
        (Settings(segments=SEGMENTS, outcomes=Outcomes(wait=5.0, records=7)), set()),
        (Settings(segments=SEGMENTS, calibration=Calibration(minimum=7)), set()),
        (Settings(segments=SEGMENTS, outcomes=Outcomes(positive="yes")), OUTCOMES),
        (Settings(segments=SEGMENTS, outcomes=Outcomes(score="outputs.p")), OUTCOMES),
        (Settings(segments=SEGMENTS, reference=Reference(learn=7)), OUTCOMES),
        (
            Settings(segments=SEGMENTS, fairness=Fairness(tolerance=0.2)),
            {key for key in OUTCOMES if key[0] == "fairness"},
        ),
        (
            Settings(segments=SEGMENTS | {"plan": DimensionSource("x-c")}),
            {key for key in OUTCOMES if key[1] == "plan"},
        ),
    ],
)
def test_outcomes_begin_anew_where_predictions_mean_something_else(
    now: Settings, lost: set[Any]
) -> None:
    """All of them, or those of one monitor; drift goes on, unless it depends on the same."""
    before = meaning.read(meaning.saved(meaning.of(PLAIN)))
    keeps = meaning.keeps_outcomes(before, meaning.of(now))
    assert {key for key in OUTCOMES if not keeps(key)} == lost
    if not (now.reference != PLAIN.reference or now.segments != PLAIN.segments):
        assert kept(PLAIN, now) == KEYS
