"""Findings in words and numbers."""

from __future__ import annotations

import math

import msgspec
import pytest

from monitor.analysis.drift.findings import (
    PAGE,
    bins_of,
    direction,
    measurements,
    moved,
    summary,
    verdict,
    words,
)
from monitor.analysis.drift.windows import Bins
from monitor.exporters.prometheus import render
from monitor.findings import BinShift, Finding
from monitor.metrics import BY_NAME
from monitor.texts import LONGEST
from monitor.types import Window

FOUND = Finding("age", "population", "b", 640, 1000, {"psi": 0.3}, 12.5, "drift", True, 1.7e9)
QUIET = Finding("age", "all", "all", 640, 1000, {"psi": 0.0}, -0.5, "ok")
SMALL = Finding("age", "population", "c", 3, 1000, {"psi": 0.0}, 0.0, "insufficient")


def test_the_bins_that_changed_most_come_first() -> None:
    """With their shares before and now; what did not change is left out."""
    bins = Bins("categorical", categories=["a", "b"])
    reference, current = Window((50, 50, 0, 0, 0, 0)), Window((20, 50, 30, 0, 0, 0))
    all_bins = bins_of(bins, reference, current)
    assert [one.bin for one in all_bins][:3] == ["a", "b", "any other value"]
    assert (
        math.fsum(one.before for one in all_bins) == math.fsum(one.after for one in all_bins) == 1.0
    )
    assert moved(bins, reference, current) == [
        BinShift("a", 0.5, 0.2),
        BinShift("any other value", 0.0, 0.3),
    ]
    assert bins_of(bins, reference, Window((0,) * 6)) == []


def test_direction_needs_an_order() -> None:
    """Categories have no up and down, a constant no scale."""
    assert direction(Window((5, 5, 0)), Window((1, 9, 0))) == 0.0
    points = (0.0, 1.0)
    assert direction(Window((5, 5, 0), points, 0.0), Window((0, 9, 0), points, 0.0)) == 0.0
    assert direction(Window((5, 5, 0), points, 0.5), Window((10, 0, 0), points, 0.5)) == -1.0
    assert direction(Window((5, 5, 0), points, 0.5), Window((0, 0, 9), points, 0.5)) == 0.0


def test_a_time_out_of_this_world_is_no_exception() -> None:
    """Somebody's clock may say anything."""
    text = words("x", effect=0.1, samples=1, since=1e300, harmless=True, shifts=[], shift=0.0)
    assert text == "x changed, harmless: PSI 0.1 over 1 values since an unknown time"


def test_the_verdict_is_the_worst_that_can_be_said() -> None:
    """Drift anywhere is drift; nothing known is insufficient."""
    assert verdict([SMALL, QUIET, FOUND], left_out=1) == "drift"
    assert verdict([SMALL, QUIET], left_out=0) == "ok"
    assert verdict([SMALL, QUIET], left_out=1) == "insufficient"
    assert verdict([SMALL], left_out=0) == verdict([], left_out=0) == "insufficient"


def test_the_document_has_what_the_contract_names() -> None:
    """Verdict, records, and the fields of each feature."""
    document = msgspec.json.decode(summary(9, [QUIET], left_out=3))
    assert (document["verdict"], document["left_out"]) == ("insufficient", 3)
    document = msgspec.json.decode(summary(9, [FOUND]))
    assert (document["verdict"], document["records"]) == ("drift", 9)
    assert document["together"] == [
        {"dimension": "population", "value": "b", "since": 1.7e9, "features": ["age"]}
    ]
    names = {
        "feature", "dimension", "value", "samples", "reference_samples", "scores", "log_evidence",
        "status",
    }  # fmt: skip
    assert names <= set(document["features"][0])


def test_every_measurement_is_in_the_catalogue() -> None:
    """Names and labels; of the three statuses one is 1."""
    samples = measurements("e", [FOUND, QUIET], {"psi": 0.02})
    for sample in samples:
        assert {"endpoint", *BY_NAME[sample.name].labels} == set(sample.labels)
    status = {
        sample.labels["status"]: sample.value
        for sample in samples
        if sample.name == "monitor_drift_status" and sample.labels["value"] == "b"
    }
    assert status == {"ok": 0.0, "drift": 1.0, "insufficient": 0.0}


SCORES = {"psi": 0.123456789, "wasserstein": 0.123456789, "mmd": 0.123456789}


def watched(count: int, name: str) -> list[Finding]:
    """So many findings of features and segments whose names begin with `name`."""
    return [
        Finding(
            f"{name}{number:05}"[-LONGEST:], name[:LONGEST], f"v{number}"[:LONGEST],
            number, 1000, SCORES, -123.456789012345, "ok",
        )
        for number in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["x" * 200, "\U0001f600" * 200, '"' * 200, "\\" * 200])
@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
def test_the_page_has_a_bound_whatever_is_watched(name: str, accept: str) -> None:
    """5,000 watches with the longest names: what drifts is there, and what has most values."""
    found = watched(5000, name)
    found[17] = msgspec.structs.replace(found[17], status="drift")
    samples = measurements("e" * 30, found, {})
    page, _ = render(samples, accept)
    assert 0.7 * PAGE < len(page) <= PAGE
    states = {one.labels["state"]: one.value for one in samples if "state" in one.labels}
    assert states["exported"] + states["left_out"] == 5000
    exported = {one.labels["value"] for one in samples if one.name == "monitor_drift_samples"}
    assert len(exported) == states["exported"] > 500
    rank = sorted(range(5000), key=lambda number: (number != 17, -number))
    assert exported == {f"v{number}" for number in rank[: len(exported)]}


def test_names_of_usual_length_are_all_on_the_page() -> None:
    """5,000 features and segments, as `drift.watches` allows."""
    samples = measurements("support-bot", watched(5000, "customer_income"), {})
    assert sum(one.name == "monitor_drift_samples" for one in samples) == 5000
    assert len(render(samples, "")[0]) <= PAGE
