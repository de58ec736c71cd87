"""The findings of consecutive chunks → how each feature went in each segment, and since when."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from monitor.findings import Finding
from monitor.replay.document import Chunk, Course, Replay
from monitor.replay.usual_course import NOTHING, Usual
from monitor.types import WatchKey

SURE = 3.0
"""One chunk says no more than this about when a drift began: e^3 to 1."""

CHANCE = 1.0
"""Log evidence that chance may give a chunk without a change."""

PRICE = 2.0
"""Log evidence that a bet costs before it earns anything, about."""

OVER = 2.0
"""So many standard deviations of evidence must chunks lack that say that a drift is over."""


def with_timeline(found: Replay, tolerance: float, usual: Usual = NOTHING) -> Replay:
    """The document with a Course for each of its findings, beside that of the `usual` in the
    reference; drift has a PSI of `tolerance`."""
    chunks = found.chunks or []
    by_chunk = [_by_key(chunk.features) for chunk in chunks]
    before = [_by_key(findings) for findings in usual.findings]
    courses = [
        _course(
            one.key, one.status == "drift", by_chunk, chunks,
            tolerance,
        )
        for one in found.features
    ]  # fmt: skip
    courses = [_beside(one, before) for one in courses]
    return msgspec.structs.replace(found, timeline=courses, usual=usual.stretches)


def _by_key(findings: Sequence[Finding]) -> dict[WatchKey, Finding]:
    return {one.key: one for one in findings}


def _beside(course: Course, before: Sequence[dict[WatchKey, Finding]]) -> Course:
    """The course with that of the reference, where it has one."""
    entries = [part.get(course.key) for part in before]
    known = [one if one is not None and one.samples else None for one in entries]
    if not any(known):
        return course
    return msgspec.structs.replace(
        course,
        usual_scores=[one.scores.get("psi") if one else None for one in known],
        usual_log_evidence=[one.log_evidence if one else None for one in known],
    )


def _course(
    key: WatchKey,
    drifts: bool,
    by_chunk: Sequence[dict[WatchKey, Finding]],
    chunks: Sequence[Chunk],
    tolerance: float,
) -> Course:
    entries = [inside.get(key) for inside in by_chunk]
    known = [one if one is not None and one.samples else None for one in entries]
    course = Course(
        *key,
        tolerance,
        [one.scores.get("psi") if one else None for one in known],
        [one.log_evidence if one else None for one in known],
        [one.status if one else "insufficient" for one in known],
        [one.samples if one else 0 for one in known],
    )
    if not (drifts or "drift" in course.status):
        return course
    said = [_says(one, tolerance) for one in known]
    first, last = stretch(said)
    if first is None:
        return course
    is_over = _is_over(known[first:], last + 1 - first)
    until = chunks[last].end if is_over else None
    return msgspec.structs.replace(
        course, onset=first, last=last, since=chunks[first].start, until=until
    )


def _says(one: Finding | None, tolerance: float) -> float:
    """How likely a chunk is one of the drift, as the logarithm of odds within `SURE`."""
    if one is None:
        return 0.0
    if one.changed and one.scores.get("psi", 0.0) < tolerance:
        return -SURE
    return max(-SURE, min(SURE, one.log_evidence - CHANCE))


def _is_over(known: Sequence[Finding | None], count: int) -> bool:
    """Whether the chunks after the first `count` show that a drift is over: none drifts, and they
    have much less evidence than as many values of a drift as large as all of these chunks show
    would give. In small chunks a small drift shows now and then, and goes on; a large one may be
    over in chunks of which each is too small to be judged alone.

    The log evidence of a change varies about as twice its mean and its price do.
    """
    rest = [one for one in known[count:] if one is not None]
    if not rest or any(one.status == "drift" for one in rest):
        return False
    seen = [one for one in known if one is not None]
    each = math.fsum(one.log_evidence for one in seen) / sum(one.samples for one in seen)
    expected = [max(each, 0.0) * one.samples for one in rest]
    lacking = math.fsum(expected) - math.fsum(one.log_evidence for one in rest)
    return lacking >= OVER * math.sqrt(math.fsum(2 * (one + PRICE) for one in expected))


def stretch(said: Sequence[float]) -> tuple[int | None, int]:
    """The first and the last of the consecutive entries whose sum is largest, where that is above 0
    (Kadane 1977): of evidence, the likeliest beginning and end of a change (Page 1954).

    >>> stretch([-1, -2, 3, 3, -1, 3]), stretch([-1, 2, 2, -3, -3]), stretch([-1, 0])
    ((2, 5), (1, 2), (None, -1))
    """
    best, found = 0.0, (-1, -1)
    total, start = 0.0, 0
    for place, one in enumerate(said):
        if total <= 0:
            total, start = 0.0, place
        total += one
        if total > best:
            best, found = total, (start, place)
    return (None, -1) if found[0] < 0 else found
