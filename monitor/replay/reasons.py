"""Findings → the same, with the reason for all that was not judged, or cannot be believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from monitor.analysis.drift.findings import verdict
from monitor.analysis.drift.judgement import MINIMUM
from monitor.findings import Calibration, Coverage, Fairness, Finding, Quality, Slice, Status
from monitor.replay.document import Chunk, Course, Replay, lacking

_Judged = TypeVar("_Judged", Quality, Calibration, Coverage, Fairness, Slice)


DAMAGED = "what was read may be wrong"
"""Why nothing is judged of a damaged file; which it is stands before all."""
LEARNS = "fewer values than reference.learn asks for"
"""Why a feature is not judged of which all values that came are taken for usual."""


def explained(found: Replay, silent: Mapping[str, str]) -> Replay:
    """The same, with the reason for all that was not judged.

    `silent` are features, with the reason, of which it can only be seen that they are there: as
    long as they do not drift they are `insufficient`, not `ok`. So it is in the chunks with what is
    still being learned in the whole: a chunk of it is compared with itself and little else.
    """
    features = [_reasoned(one, silent) for one in found.features]
    learned = {_watch(one) for one in features if one.reason == LEARNS}
    chunks = None
    if found.chunks is not None:
        chunks = []
        for chunk in found.chunks:
            inside = [
                _reasoned(one, {one.feature: LEARNS} if _watch(one) in learned else silent)
                for one in chunk.features
            ]
            said = verdict(inside, left_out=chunk.left_out)
            chunks.append(msgspec.structs.replace(chunk, features=inside, verdict=said))
    said = verdict(features, left_out=lacking(found.left_out))
    return msgspec.structs.replace(found, features=features, verdict=said, chunks=chunks)


def _watch(finding: Finding) -> tuple[str, str, str]:
    return finding.feature, finding.dimension, finding.value


def _reasoned(finding: Finding, silent: Mapping[str, str]) -> Finding:
    if finding.feature in silent and finding.status == "ok":
        reason = silent[finding.feature]
        return msgspec.structs.replace(finding, status="insufficient", reason=reason)
    if finding.status != "insufficient":
        return finding
    if finding.samples and not finding.reference_samples and not finding.scores:
        known = finding.words.endswith("is not in the reference")
        reason = "not in the reference" if known else LEARNS
    elif not finding.samples:
        reason = "no values"
    elif finding.samples < MINIMUM or finding.reference_samples < MINIMUM:
        reason = f"fewer than {MINIMUM} values"
    else:
        reason = "too few values for so many bins"
    return msgspec.structs.replace(finding, reason=reason)


WITHOUT_STATUS = {
    "performance": "performance", "class_quality": "quality by class", "confusion": "confusion",
}  # fmt: skip
"""What would stand there as if it were so: nothing in it can say that it was not judged."""


def unbelieved(found: Replay) -> Replay:
    """The same, in which nothing was judged, because what was read may be wrong. Numbers stay,
    without what was said of them, where something says that they were not judged."""
    left = [words for name, words in WITHOUT_STATUS.items() if getattr(found, name) is not None]
    told = [f"left out, as {DAMAGED}: {', '.join(left)}"] if left else []

    def judged(of: Replay | Chunk) -> dict[str, Any]:
        features = [
            msgspec.structs.replace(
                one, status="insufficient", changed=False, since=None, moved=[], words="",
                drivers=[], mix=[], reason=DAMAGED if one.status != "insufficient" else one.reason,
            )
            for one in of.features
        ]  # fmt: skip
        entries = {
            name: [_unjudged(one) for one in getattr(of, name)]
            for name in ("quality", "calibration", "coverage", "fairness", "slices")
            if getattr(of, name) is not None
        }
        arms = of.experiments and [
            msgspec.structs.replace(one, verdict="keep_going", reason=DAMAGED)
            for one in of.experiments
        ]
        return {
            "verdict": "insufficient", "features": features, "experiments": arms,
            "performance": None, **entries,
        }  # fmt: skip

    return msgspec.structs.replace(
        found,
        **judged(found),
        chunks=found.chunks
        and [msgspec.structs.replace(one, **judged(one)) for one in found.chunks],
        timeline=found.timeline and [_undated(one) for one in found.timeline],
        together=[],
        schema=[],
        timelines=None,
        class_quality=None,
        confusion=None,
        data_quality=found.data_quality
        and [msgspec.structs.replace(one, new=[], lost=[], words=[]) for one in found.data_quality],
        remarks=[*found.remarks, *told],
        words=[],
        what_if=found.what_if
        and [
            msgspec.structs.replace(one, verdict="insufficient", drifted=0) for one in found.what_if
        ],
    )


def _unjudged(one: _Judged) -> _Judged:
    """What a monitor of outcomes says, without its verdict."""
    if one.status is None:
        return one
    beside: dict[str, Any] = {"reason": DAMAGED, "words": "", "improved": False}
    known = {name: value for name, value in beside.items() if name in one.__struct_fields__}
    return msgspec.structs.replace(one, status="insufficient", since=None, **known)


def _undated(one: Course) -> Course:
    status: list[Status] = ["insufficient"] * len(one.status)
    return msgspec.structs.replace(
        one, status=status, onset=None, last=None, since=None, until=None
    )
