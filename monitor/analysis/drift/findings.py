"""Findings in words and numbers: what moved, a sentence about it, the document, Measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar, get_args

import msgspec

from monitor.analysis.drift.labels import Form, label
from monitor.analysis.drift.windows import Bins
from monitor.findings import BinShift, Change, Driver, Finding, Quality, Status, Together
from monitor.readable import rounded
from monitor.turns import in_turns
from monitor.types import WHOLE, Measurement, Window

PAGE = 8 << 20
"""Bytes of `/metrics` for drift: some 5,000 watches with names of usual length."""

SERIES = 130
"""Bytes of a line there beside the names: of the metric, of its labels, of the number."""

Dated = TypeVar("Dated", Finding, Quality)

MOVED = 3
"""So many bins are named."""


def moved(bins: Bins, reference: Window, current: Window, form: Form = "number") -> list[BinShift]:
    """The bins whose share changed most, largest change first; none where nothing is counted.
    Numbers are told in a `form`."""
    shares = _shares(reference, current)
    changes = [abs(after - before) for before, after in shares]
    most = sorted(range(len(changes)), key=changes.__getitem__, reverse=True)[:MOVED]
    return [BinShift(label(bins, index, form), *shares[index]) for index in most if changes[index]]


def bins_of(
    bins: Bins, reference: Window, current: Window, form: Form = "number"
) -> list[BinShift]:
    """All bins with their shares before and now, named as above; none where nothing is counted."""
    return [
        BinShift(label(bins, index, form), before, after)
        for index, (before, after) in enumerate(_shares(reference, current))
    ]


def _shares(reference: Window, current: Window) -> list[tuple[float, float]]:
    m, n = reference.samples, current.samples
    if not (m and n):
        return []
    return [(r / m, c / n) for r, c in zip(reference.counts, current.counts, strict=True)]


def direction(reference: Window, current: Window) -> float:
    """How far the mean moved, in standard deviations of the reference; 0 where it cannot be said.

    >>> direction(Window((0, 5, 5, 0), (0, 0, 1, 1), 0.5), Window((0, 0, 10, 0), (0, 0, 1, 1), 0.5))
    1.0
    """
    if not reference.points or not reference.scale:
        return 0.0
    means = []
    for window in (reference, current):
        counts = window.counts[: len(reference.points)]
        total = sum(counts)
        if not total:
            return 0.0
        pairs = zip(counts, reference.points, strict=True)
        mean = sum(count * (point / total) for count, point in pairs)
        means.append(mean + window.excess / total)
    return (means[1] - means[0]) / reference.scale


def yes(bins: Sequence[BinShift]) -> float:
    """How far the share of yes moved, of a feature that is yes or no; 0 for any other.

    >>> yes([BinShift("false", 0.25, 0.5), BinShift("true", 0.75, 0.5), BinShift("missing", 0, 0)])
    -0.25
    """
    found = {one.bin: one.after - one.before for one in bins}
    return found["true"] if {"true", "false"} <= found.keys() else 0.0


FAR = 30.0
"""What is told of a mean that has moved farther: a value counts as sixteen ranges of the reference
away at most, each of two standard deviations or more."""


def shifted(shift: float) -> str:
    """How far a mean has moved, in standard deviations of the reference.

    >>> shifted(0.62), shifted(-3.0), shifted(108.8)
    ('mean up 0.6 sd', 'mean down 3.0 sd', 'mean up more than 30 sd')
    """
    size = f"more than {FAR:.0f}" if abs(shift) > FAR else f"{abs(shift):.1f}"
    return f"mean {'up' if shift > 0 else 'down'} {size} sd"


def words(
    name: str, *, effect: float, samples: int, since: float, harmless: bool, shifts: list[BinShift],
    shift: float, baseline: str = "", lately: tuple[float, int] | None = None,
) -> str:  # fmt: skip
    """One sentence: what changed, how much, since when, and what went where. Where the last values
    alone do not show it, `lately` has their effect and how many they are.

    >>> words("tokens in population b", effect=0.31, samples=6400, since=0.0, harmless=False,
    ...       shifts=[BinShift("above 512", 0.02, 0.31)], shift=0.6)
    'tokens in population b drifted: PSI 0.31 over 6,400 values since 1970-01-01 00:00 UTC, mean \
up 0.6 sd; above 512: 2 % → 31 %'
    """
    verb = "changed, harmless" if harmless else "drifted"
    if baseline:
        verb += f" from {baseline}"
    text = f"{name} {verb}: PSI {effect:.2g} over {samples:,} values since {moment(since)}"
    if abs(shift) >= 0.05:
        text += f", {shifted(shift)}"
    if moves := ", ".join(f"{m.bin}: {rounded(m.before)} → {rounded(m.after)}" for m in shifts):
        text += f"; {moves}"
    if lately is not None:
        text += (
            f"; the last {lately[1]:,} show little of it (PSI {lately[0]:.2g}), which may be chance"
        )
    return text


def origin(drivers: Sequence[Driver], mix: Sequence[BinShift] = ()) -> str:
    """Where most of a drift of the whole came from, to be added to its words.

    >>> origin([Driver("population", "b", 0.93), Driver("template", "x", 0.4)])
    '; 93 % of it from population b'
    >>> origin([], [BinShift("population b", 0.1, 0.6)])
    '; population b went from 10 % to 60 % of the values'
    """
    most = [driver for driver in drivers if driver.share > 0.5]
    parts = [f"{rounded(one.share)} of it from {one.dimension} {one.value}" for one in most]
    parts += [
        f"{one.bin} went from {rounded(one.before)} to {rounded(one.after)} of the values"
        for one in mix[:1]
    ]
    return "".join(f"; {part}" for part in parts)


def verdict(findings: Sequence[Finding], *, left_out: int) -> Status:
    """`drift` where any feature drifts, else `ok` where anything can be said and nothing is
    `left_out`: values that had no place among those that are looked at."""
    statuses = {found.status for found in findings}
    if "drift" in statuses:
        return "drift"
    return "ok" if "ok" in statuses and not left_out else "insufficient"


def together(findings: Sequence[Finding]) -> list[Together]:
    """Which features drift in each segment, and since when the first does.

    >>> together([])
    []
    """
    segments: dict[tuple[str, str], list[Finding]] = {}
    for found in findings:
        if found.status == "drift":
            segments.setdefault((found.dimension, found.value), []).append(found)
    return [
        Together(
            dimension,
            value,
            min((found.since for found in group if found.since is not None), default=None),
            [found.feature for found in group],
        )
        for (dimension, value), group in sorted(segments.items())
    ]


def summary(
    records: int, findings: Sequence[Finding], changes: Sequence[Change] = (), *, left_out: int = 0
) -> bytes:
    """The JSON document of `/api/drift`: verdict, records, every finding, which go together, and
    what serves that has changed. Of late so many values were `left_out`."""
    document = {
        "verdict": verdict(findings, left_out=left_out),
        "records": records,
        "features": findings,
        "together": together(findings),
        "changes": changes,
        "left_out": left_out,
    }
    return msgspec.json.encode(document)


def measurements(
    endpoint: str, findings: Sequence[Finding], thresholds: Mapping[str, float]
) -> list[Measurement]:
    """The drift metrics of the catalogue, of as many findings as fit into `PAGE` bytes.

    `thresholds` are by measure. What drifts comes first, then the whole traffic before segments,
    and what has most values.
    """
    samples = [
        Measurement("monitor_drift_threshold", {"endpoint": endpoint, "measure": name}, threshold)
        for name, threshold in thresholds.items()
    ]
    exported = _fitting(findings, len(endpoint))
    counts = {"exported": len(exported), "left_out": len(findings) - len(exported)}
    samples += [
        Measurement("monitor_drift_watches", {"endpoint": endpoint, "state": state}, count)
        for state, count in counts.items()
    ]
    for found in in_turns(exported):
        where = {
            "endpoint": endpoint,
            "feature": found.feature,
            "dimension": found.dimension,
            "value": found.value,
        }
        samples += [
            Measurement("monitor_drift_score", {**where, "measure": name}, score)
            for name, score in found.scores.items()
        ]
        samples.append(Measurement("monitor_drift_log_evidence", where, found.log_evidence))
        samples.append(Measurement("monitor_drift_samples", where, found.samples))
        samples += [
            Measurement(
                "monitor_drift_status", {**where, "status": status}, float(status == found.status)
            )
            for status in get_args(Status)
        ]
    return samples


def _fitting(findings: Sequence[Finding], endpoint: int) -> list[Finding]:
    """The most important of the findings, as many as fit into `PAGE` bytes."""
    ranked = sorted(
        findings,
        key=lambda one: (
            one.status != "drift", one.dimension != WHOLE.dimension, -one.samples,
            one.feature, one.dimension, one.value,
        ),
    )  # fmt: skip
    left, kept = PAGE, []
    for found in in_turns(ranked):
        names = sum(map(_size, (found.feature, found.dimension, found.value)))
        left -= (names + endpoint + SERIES) * (len(found.scores) + 2 + len(get_args(Status)))
        if left < 0:
            break
        kept.append(found)
    return kept


def _size(text: str) -> int:
    """Bytes of a label's value on a page."""
    return len(text.encode()) + text.count('"') + text.count("\\")


def undated(finding: Dated) -> Dated:
    """A finding of one window as a whole, which says nothing of when in it a change came."""
    if finding.since is None:
        return finding
    words = finding.words.replace(f" since {moment(finding.since)}", "", 1)
    return msgspec.structs.replace(finding, since=None, words=words)


def moment(time: float) -> str:
    """Unix seconds for a person.

    >>> moment(0.0)
    '1970-01-01 00:00 UTC'
    """
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "an unknown time"
