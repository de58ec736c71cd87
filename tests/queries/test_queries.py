"""What is asked of a system, by query."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from monitor.documents import kinds, meanings
from monitor.errors import StreamError, UsageError
from monitor.findings import Missing
from monitor.queries import (
    QUERIES,
    decisions,
    experiments,
    findings,
    outcomes,
    record,
    records,
    segments,
    slices,
    status,
    templates,
    timeline,
)
from monitor.queries.query import MissingError, Query, ask, read
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
    assert (found.analysis.drifting, found.analysis.alarms) == (2, 6)
    assert (found.problems, found.store) == ([], "ok")
    house = House()
    house.is_ready, house.trouble = False, "connection refused"
    assert asked(status.QUERY, house).problems == [
        "the proxy accepts no connections",
        "the store does not answer: connection refused",
    ]
    house = House()
    house.missing = [
        Missing("quality", 0.0, 400, 70, 50, NOW), Missing("coverage", 9.0, 400, 7, 50, NOW)
    ]  # fmt: skip
    assert asked(status.QUERY, house).problems == [
        "coverage lacks labels: 7 of 400 records have what it needs"
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


def test_what_is_known_early_stands_apart() -> None:
    """Marked, by the same filters, and in no page of what is due."""
    found = asked(outcomes.QUALITY)
    assert [one.early for one in found.early] == [True]
    assert not any(one.early for one in found.items)
    assert asked(outcomes.QUALITY, dimension="population").early == []


def test_slices_are_filtered_by_measure_and_status() -> None:
    """What is believed to be worse comes first."""
    assert [one.status for one in asked(slices.QUERY).items] == ["alarm", "ok"]
    assert asked(slices.QUERY, measure="latency").total == 1
    assert asked(slices.QUERY, status="alarm").items[0].conditions[1].value == "free"
    with pytest.raises(UsageError, match="measure: is not"):
        asked(slices.QUERY, measure="f1")


def test_experiments_are_filtered_by_verdict() -> None:
    """By experiment, arm and metric."""
    assert [one.metric for one in asked(experiments.QUERY).items] == ["converted", "slow"]
    assert asked(experiments.QUERY, verdict="keep_going").total == 1


def test_an_experiment_is_told_from_its_beginning_on() -> None:
    """Of one experiment, by arm and metric; one that is not there is missing."""
    found = asked(timeline.QUERY, id="prompt")
    assert [look.verdict for look in found.items[0].looks] == ["keep_going", "keep_going", "better"]
    assert [one.metric for one in found.now] == ["converted", "slow"]
    assert asked(timeline.QUERY, id="prompt", metric="slow").items == []
    with pytest.raises(MissingError, match="there is no experiment 'other'"):
        asked(timeline.QUERY, id="other")


def test_records_are_listed_without_content_and_in_pages() -> None:
    """The last appended first; filters are those of `monitor records list`."""
    first = asked(records.QUERY, limit="20")
    assert [one.id for one in first.items][:2] == ["r-30", "r-29"]
    rest = asked(records.QUERY, limit="20", cursor=first.cursor)
    assert [one.id for one in (*first.items, *rest.items)] == [f"r-{n}" for n in range(30, 0, -1)]
    assert rest.cursor is None
    assert not hasattr(first.items[0], "inputs")
    some = asked(records.QUERY, segment="population=north", outcome="server_error")
    assert [one.id for one in some.items] == ["r-30", "r-20", "r-10"]
    assert [one.id for one in asked(records.QUERY, edge_case="refusal", model="small").items][
        -1
    ] == "r-7"
    between = asked(records.QUERY, **{"from": str(NOW - 80), "to": str(NOW - 78)})
    assert [one.id for one in between.items] == ["r-21", "r-20"]
    assert between.scanned == 11


def test_a_page_of_records_looks_through_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says where to go on, also where it has found none."""
    monkeypatch.setattr(records, "SCANNED", 10)
    found = asked(records.QUERY, outcome="client_error")
    assert (found.items, found.scanned, found.cursor) == ([], 10, "21-0.0")


def test_what_is_out_of_the_time_or_no_record_is_looked_through_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exchange may be appended long after it began, so all that came later is looked at, and
    counts: page by page one comes to what began before."""
    monkeypatch.setattr(records, "SCANNED", 10)
    house = House()
    house.unreadable = frozenset((22, 3))
    pages, cursor = [], ""
    while cursor is not None:
        page = asked(records.QUERY, house, to=str(NOW - 95), cursor=cursor)
        pages.append(([one.id for one in page.items], page.scanned, page.cursor))
        cursor = page.cursor
    assert pages == [
        ([], 10, "21-0.0"), ([], 10, "11-0.0"), (["r-4", "r-2", "r-1"], 10, "1-0.0"), ([], 0, None),
    ]  # fmt: skip


def test_templates_count_so_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also such as are no records."""
    monkeypatch.setattr(templates, "COUNTED", 10)
    house = House()
    house.unreadable = frozenset((28, 24))
    assert asked(templates.QUERY, house).records == 8


def test_the_last_day_that_can_be_written_is_a_time() -> None:
    """9999-12-31 often stands for no end."""
    assert len(asked(records.QUERY, to="9999-12-31T00:00:00Z").items) == 30
    assert asked(records.QUERY, **{"from": "9999-12-31"}).items == []


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"from": "soon"}, "from: 'soon' is not a time such as 2026-11-28T10:00:00Z"),
        (
            {"from": "1700000000", "to": "1700000000"},
            "to: is not later than `from`, so nothing lies between the two",
        ),
        ({"segment": "=x"}, "segment: '=x' is not DIMENSION=VALUE, as population=north"),
        ({"segment": "north"}, "segment: is not DIMENSION=VALUE, as population=north"),
        ({"outcome": "bad"}, "outcome: is not one of ok, "),
        *(
            ({"cursor": cursor}, "cursor: is not a `cursor` of the page before")
            for cursor in (
                "W10",
                "99999999999999999999-1.0",
                "1-18446744073709551616.0",
                "0-0.0",
                "1-0.1",
                "1-0.9999",
                "01-0.0",
                "1-0.0\n",
                "1-0",
                "\u0661-0.0",
            )
        ),
    ],
)
def test_a_wrong_filter_of_records_is_named(parameters: dict[str, str], sentence: str) -> None:
    """And what would be right is said."""
    with pytest.raises(UsageError, match=re.escape(sentence)):
        asked(records.QUERY, **parameters)


def test_the_content_of_a_record_is_logged_before_it_is_given() -> None:
    """Who, what, and which; nothing is given where that cannot be written down, nor logged where
    nothing is there."""
    house = House()

    def got(id_: str) -> Any:
        return asyncio.run(ask(record.QUERY, house, [("id", id_)], "kim"))

    assert got("r-3").inputs[0].text == "hello south"
    assert house.accesses == [("kim", "records", "r-3")]
    with pytest.raises(MissingError, match="id: there is no record 'r-99' in the stream"):
        got("r-99")
    house.trouble = "READONLY"
    with pytest.raises(StreamError):
        got("r-3")
    assert len(house.accesses) == 1


def test_who_reads_verdicts_is_written_down() -> None:
    """Before they are given; only those of the page."""
    house = House()
    asyncio.run(ask(experiments.QUERY, house, [("verdict", "keep_going")], "kim"))
    ((who, read),) = house.readings
    assert who == "kim"
    assert [verdict for _, verdict in read] == ["keep_going"]
    house.trouble = "READONLY"
    with pytest.raises(StreamError):
        asyncio.run(ask(experiments.QUERY, house, [], "kim"))


def test_the_log_of_decisions_is_told_page_by_page() -> None:
    """The newest first: what changed with the numbers it stands on, and who read it, of the
    experiment that is asked for; what is no entry of ours is left out."""
    house = House()
    whole = asked(decisions.QUERY, house)
    assert [one.what for one in whole.items] == ["verdict", "read", "read"] * 3
    assert (whole.scanned, whole.cursor) == (12, None)
    one, read = whole.items[:2]
    assert (one.experiments, one.arm, one.before, one.verdict) == (
        ["prompt"], "north", "keep_going", "better"
    )  # fmt: skip
    assert (one.effect, one.lower, one.samples, one.declared) == (0.031, 0.004, 4000, "5f0c1b")
    assert (read.who, read.through, read.experiments) == ("north", "api", ["prompt", "other"])
    found, cursor = [], ""
    while cursor is not None:
        page = asked(decisions.QUERY, house, limit="2", **({"cursor": cursor} if cursor else {}))
        assert len(page.items) <= 2
        found += page.items
        cursor = page.cursor
    assert found == whole.items
    assert asked(decisions.QUERY, house, experiment="other").items == [
        one for one in whole.items if one.what == "read"
    ]
    assert {one.what for one in asked(decisions.QUERY, house, what="verdict").items} == {"verdict"}
    assert asked(decisions.QUERY, house, experiment="none").items == []
    for cursor in ("x", "0-0", "1", "1-0.0", f"{1 << 64}-0", "-"):
        with pytest.raises(UsageError, match="cursor: is not a `cursor` of the page before"):
            asked(decisions.QUERY, house, cursor=cursor)


def test_a_page_of_the_log_looks_through_a_bounded_part_of_it() -> None:
    """However long it is, and whatever is asked for; what somebody read of verdicts is written
    down."""
    house = House()
    house.log = 50_000
    page = asked(decisions.QUERY, house, experiment="none")
    assert (page.items, page.scanned, page.cursor) == ([], 20_000, "30001-0")
    asyncio.run(ask(decisions.QUERY, house, [("limit", "1")], "kim"))
    assert house.readings[-1] == ("kim", [("prompt", "better")])


def test_templates_are_counted_and_their_text_is_shown_one_by_one() -> None:
    """The list has no text of a prompt; reading one is logged."""
    house = House()
    found = asked(templates.QUERY, house)
    assert (found.records, found.total) == (30, 1)
    (one,) = found.items
    assert (one.id, one.count, one.record) == ("t_0123456789ab", 15, "r-29")
    whole = asyncio.run(ask(templates.ONE, house, [("id", one.id)], "kim"))
    assert whole.skeletons == ["Answer north about {…}."]
    assert house.accesses == [("kim", "templates", one.id)]


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
