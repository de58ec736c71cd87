"""Settings → whom people are asked about, and the queue in which they are."""

from __future__ import annotations

from monitor.edge_cases import EDGE_CASES
from monitor.errors import ConfigError
from monitor.review.queue import ReviewQueue
from monitor.review.reviewer import Reviewer
from monitor.review.sampling import Policy
from monitor.settings import validation
from monitor.settings.schema import Settings


def policy_of(settings: Settings) -> Policy | None:
    """Return with which probability people are asked, None where nobody ever is; raise ConfigError
    for an edge case that is not there."""
    given = settings.review
    known = [*(one.name for one in EDGE_CASES), *settings.edge_cases]
    for name in given.edge_cases:
        if name not in known:
            raise ConfigError(
                f"review.edge_cases: {validation.told(name)} is not one of {', '.join(known)}"
                f"{validation.did_you_mean(name, known)}"
            )
    if not (given.rate or given.drifted or given.control):
        return None
    return Policy(
        rate=given.rate,
        low_confidence=given.low_confidence,
        edge_cases=frozenset(given.edge_cases),
        drifted=given.drifted,
        control=given.control,
        second=given.second if given.reviewers > 1 else 1.0,
    )


def queue_of(settings: Settings, url: str) -> ReviewQueue:
    """The queue of the endpoint, in the store at `url`."""
    given = settings.review
    return ReviewQueue(url, settings.endpoint, readers=given.reviewers, lease=given.lease)


def arms_of(settings: Settings) -> frozenset[str]:
    """Dimensions whose value a reader does not see."""
    return frozenset(("variant", *(one.dimension for one in settings.experiments)))


def reviewer_of(settings: Settings) -> Reviewer | None:
    """What picks Records for people; None where nobody is ever asked."""
    policy = policy_of(settings)
    return None if policy is None else Reviewer(policy, queue_of(settings, settings.redis))
