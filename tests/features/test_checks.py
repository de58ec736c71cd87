"""What the checks said, as something that drifts."""

from __future__ import annotations

from monitor.features import checks
from monitor.types import Observation, Verdict


def test_each_verdict_is_observed(record) -> None:
    """Whether it passed; of several things the share that is wrong, too."""
    given = {
        "refusal": Verdict(True, 0, 1),
        "citation": Verdict(False, 1, 4),
        "sections": Verdict(True, 0, 0),
    }
    assert list(checks.observe(record(checks=given))) == [
        Observation("check.refusal", "boolean", True),
        Observation("check.citation", "boolean", False),
        Observation("check.citation.share", "numeric", 0.25),
        Observation("check.sections", "boolean", True),
    ]
    assert list(checks.observe(record())) == []
