"""What is asked of a system, by query."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from monitor.documents import kinds, meanings
from monitor.errors import UsageError
from monitor.queries import QUERIES, experiments, findings, outcomes, segments, status
from monitor.queries.query import Query, read
from tests.queries.house import NOW, House


def asked(query: Query, house: House | None = None, /, **parameters: str) -> Any:
    return asyncio.run(query.work(house or House(), read(parameters.items(), query.asked)))


def test_findings_are_filtered_and_come_in_one_order() -> None:
    """The whole traffic first; the verdict and the counts are of all, whatever is asked for."""
    all_ = asked(findings.QUERY)
    assert [(one.dimension, one.value, one.feature) for one in all_.items] == [
        ("all", "all", "outcome"), ("all", "all", "tokens.input"),
        ("population", "north", "outcome"), ("population", "north", "tokens.input"),
        ("population", "south", "outcome"), ("population", "south", "tokens.input"),
    ]  # fmt: skip
    some = asked(findings.QUERY, status="drift", dimension="population")
    assert [one.value for one in some.items] == ["north"]
    assert (some.total, some.verdict) == (1, "drift")
    assert some.counts == all_.counts == {"drift": 2, "ok": 2, "insufficient": 2}
    page = asked(findings.QUERY, limit="4")
    assert page.total == 6
    rest = asked(findings.QUERY, cursor=page.cursor)
    assert [*page.items, *rest.items] == all_.items


def test_segments_stand_side_by_side() -> None:
    """Latency by quantile, errors, tokens, cost and failed checks, of one dimension or all."""
    found = asked(segments.QUERY, dimension="population")
    assert found.dimensions == ["all", "population"]
    assert [one.value for one in found.items] == ["north", "south"]
    row = found.items[0]
    assert (row.exchanges, row.error_ratio, row.outcomes) == (
        100, pytest.approx(0.1), {"ok": 90, "timeout": 10})  # fmt: skip
    assert (row.duration.p50, row.duration.p95, row.duration.mean) == (1.0, 2.0, 1.0)
    assert row.first_token.p50 is None
    assert (row.tokens, row.cost, row.failed_checks) == (
        {"input": 5000}, {"USD": 1.25}, {"citation": 4})  # fmt: skip


def test_the_status_has_the_ledger_and_says_what_is_wrong() -> None:
    """exchanges = appended + lost + pending; a dead process, store or proxy is a sentence."""
    found = asked(status.QUERY)
    ledger = found.ledger
    assert (ledger.exchanges, ledger.appended, ledger.lost) == (1000, 995, {"opaque": 3})
    assert ledger.exchanges == ledger.appended + sum(ledger.lost.values()) + ledger.pending
    assert (found.analysis.lag, found.analysis.newest) == (3.0, NOW - 3)
    assert (found.analysis.drifting, found.analysis.alarms) == (2, 5)
    assert (found.problems, found.store) == ([], "ok")
    house = House()
    house.is_ready, house.trouble = False, "connection refused"
    assert asked(status.QUERY, house).problems == [
        "the proxy accepts no connections",
        "the store does not answer: connection refused",
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [(outcomes.QUALITY, 2), (outcomes.CALIBRATION, 1), (outcomes.COVERAGE, 1), (outcomes.FAIRNESS, 2)],
)  # fmt: skip
def test_outcomes_are_filtered_by_segment_and_status(query: Query, count: int) -> None:
    """Quality, calibration, coverage and fairness alike."""
    found = asked(query)
    assert found.is_on
    assert len(found.items) == found.total == count
    assert asked(query, value="nobody").items == []
    assert {one.status for one in asked(query, status="alarm").items} == {"alarm"}


def test_quality_has_the_classes_of_its_segments() -> None:
    """And measures can be chosen where there are several."""
    assert [one.name for one in asked(outcomes.QUALITY, dimension="all").classes] == ["north"]
    assert asked(outcomes.QUALITY, dimension="population").classes == []
    assert asked(outcomes.QUALITY, measure="f1").items == []
    with pytest.raises(UsageError, match="is not a parameter"):
        asked(outcomes.COVERAGE, measure="f1")


def test_experiments_are_filtered_by_verdict() -> None:
    """By experiment, arm and metric."""
    assert [one.metric for one in asked(experiments.QUERY).items] == ["converted", "slow"]
    assert asked(experiments.QUERY, verdict="keep_going").total == 1


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.path)
def test_every_query_says_what_it_answers(query: Query) -> None:
    """Its docstring, each parameter and each key of its answer; a path has a parameter for each
    part in braces."""
    assert query.work.__doc__
    for part in re.findall(r"\{(\w+)\}", query.path):
        assert part in query.asked.__struct_fields__
    assert set(meanings(query.asked)) == set(query.asked.__struct_encode_fields__)
    for kind in kinds(query.answer):
        if kind.__module__.startswith("monitor.queries"):
            assert set(meanings(kind)) == set(kind.__struct_encode_fields__), kind  # type: ignore[attr-defined]
