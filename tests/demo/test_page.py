"""A scraped page is read as a dashboard reads it."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.demo.page import Page


def histogram(*counts: tuple[str, float]) -> Page:
    return Page({"d_bucket": [({"le": bound, "v": "a"}, count) for bound, count in counts]})


def test_a_quantile_is_linear_within_its_bucket() -> None:
    """As PromQL's histogram_quantile does it."""
    page = histogram(("1", 10), ("2", 30), ("+Inf", 30))
    assert page.quantile(0.5, "d") == pytest.approx(1.25)
    assert page.quantile(0.5, "d", v="a") == pytest.approx(1.25)


def test_a_quantile_beyond_the_last_bound_is_that_bound() -> None:
    """Nothing is known above it."""
    assert histogram(("1", 1), ("+Inf", 10)).quantile(0.9, "d") == 1


def test_nothing_observed_has_no_quantile() -> None:
    """Neither an unknown metric nor an empty one."""
    assert histogram(("1", 0), ("+Inf", 0)).quantile(0.5, "d") is None
    assert Page({}).quantile(0.5, "d") is None


def test_the_law_of_conservation_is_checked_over_all_labels() -> None:
    """Appended, lost and pending add up, or not."""
    samples = {
        "monitor_exchanges_total": [({"outcome": "ok"}, 3.0), ({"outcome": "client_gone"}, 1.0)],
        "monitor_records_appended_total": [({}, 2.0)],
        "monitor_exchanges_lost_total": [({"reason": "buffer_full"}, 1.0)],
        "monitor_records_pending": [({"place": "buffer"}, 1.0)],
    }
    assert Page(samples).is_conserved()
    assert not Page({**samples, "monitor_records_appended_total": []}).is_conserved()


def test_a_page_is_read_as_the_library_reads_it() -> None:
    """Line by line, of which it reads each series once: hostile values, histograms, infinities."""
    text = (
        '# HELP a b\n# TYPE a counter\na_total{x="y z",q="\\"} 9\\n\\\\"} 3\n'
        '# TYPE h histogram\nh_bucket{le="0.5"} 1\nh_bucket{le="+Inf"} 4\nh_count 4\nh_sum 1e-09\n'
        '\n# TYPE g gauge\ng{a="",} -2.5\ng{a="b"} +Inf\n'
    )
    expected: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            expected.setdefault(sample.name, []).append((sample.labels, sample.value))
    assert Page.parse(text).samples == Page.parse(text).samples == expected
    assert expected["a_total"] == [({"x": "y z", "q": '"} 9\n\\'}, 3)]
