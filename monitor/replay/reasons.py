"""Findings → the same, with the reason for all that was not judged."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from monitor.analysis.drift.findings import verdict
from monitor.analysis.drift.judgement import MINIMUM
from monitor.findings import Finding
from monitor.replay.document import Replay


def explained(found: Replay, silent: Mapping[str, str]) -> Replay:
    """The same, with the reason for all that was not judged.

    `silent` are features, with the reason, of which it can only be seen that they are there: as
    long as they do not drift they are `insufficient`, not `ok`.
    """
    features = [_reasoned(one, silent) for one in found.features]
    chunks = None
    if found.chunks is not None:
        chunks = []
        for chunk in found.chunks:
            inside = [_reasoned(one, silent) for one in chunk.features]
            chunks.append(msgspec.structs.replace(chunk, features=inside, verdict=verdict(inside)))
    return msgspec.structs.replace(
        found, features=features, verdict=verdict(features), chunks=chunks
    )


def _reasoned(finding: Finding, silent: Mapping[str, str]) -> Finding:
    if finding.feature in silent and finding.status == "ok":
        reason = silent[finding.feature]
        return msgspec.structs.replace(finding, status="insufficient", reason=reason)
    if finding.status != "insufficient":
        return finding
    if finding.samples and not finding.reference_samples and not finding.scores:
        known = finding.words.endswith("is not in the reference")
        reason = "not in the reference" if known else "the reference is being learned"
    elif not finding.samples:
        reason = "no values"
    elif finding.samples < MINIMUM or finding.reference_samples < MINIMUM:
        reason = f"fewer than {MINIMUM} values"
    else:
        reason = "too few values for so many bins"
    return msgspec.structs.replace(finding, reason=reason)
