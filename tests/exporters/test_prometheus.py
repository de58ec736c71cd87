"""Measurements of several processes become one page that Prometheus reads back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import msgspec
import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as written_open
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.samples import Exemplar as TheirExemplar

from monitor.exporters.prometheus import render
from monitor.meters import Meters
from monitor.metrics import CATALOGUE
from monitor.types import Exemplar, Measurement

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def meters() -> Meters:
    made = Meters("recorder", "e")
    made.add("monitor_pseudonyms_total", ("EMAIL_ADDRESS",), 2)
    made.set("monitor_store_up", 1)
    for value in (0.003, 0.3, 1000):
        made.observe("monitor_exchange_duration_seconds", ("chat", "m"), value)
    return made


def samples(page: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in read_text(page.decode())
        for sample in family.samples
    }


def test_two_workers_add_up() -> None:
    """Counters, gauges and buckets of equal labels are summed."""
    one = samples(render(meters().measurements(), "")[0])
    both = samples(render(meters().measurements() + meters().measurements(), "")[0])
    assert one
    assert both == {key: 2 * value for key, value in one.items()}


def test_buckets_are_cumulative_and_end_with_everything() -> None:
    """le rises, +Inf equals the count, beyond the last bound counts too."""
    found = samples(render(meters().measurements(), "")[0])
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "monitor_exchange_duration_seconds_bucket"
    }
    values = [buckets[bound] for bound in sorted(buckets, key=float)]
    assert values == sorted(values)
    assert (buckets["0.0025"], buckets["0.005"], buckets["0.32"], buckets["+Inf"]) == (0, 1, 2, 3)


def test_openmetrics_when_asked_for() -> None:
    """The content type follows Accept, and the strict parser takes the page."""
    page, content_type = render(meters().measurements(), OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert list(read_openmetrics(page.decode()))
    assert render([], "")[1].startswith("text/plain")


def one_of_each() -> list[Measurement]:
    """A sample of every metric."""
    made = []
    for metric in CATALOGUE:
        labels = {"endpoint": "e", **dict.fromkeys(metric.labels, "x")}
        if metric.kind == "histogram":
            made += [
                Measurement(f"{metric.name}_bucket", {**labels, "le": "+Inf"}, 1),
                Measurement(f"{metric.name}_count", labels, 1),
                Measurement(f"{metric.name}_sum", labels, 2),
            ]
        else:
            made.append(Measurement(metric.name, labels, 1))
    return made


def test_every_metric_is_a_family_of_its_own() -> None:
    """To the strict parser, which refuses a page where a gauge has the name of a counter without
    `_total`, and with the same kinds and samples in both formats."""
    strict = list(read_openmetrics(render(one_of_each(), OPENMETRICS)[0].decode()))
    plain = list(read_text(render(one_of_each(), "")[0].decode()))
    assert [(one.name, one.type) for one in strict] == [(one.name, one.type) for one in plain]
    assert len({one.name for one in strict}) == len(CATALOGUE)
    assert [one.type for one in strict] == [one.kind for one in CATALOGUE]
    assert [each for one in strict for each in one.samples] == [
        each for one in plain for each in one.samples
    ]


def test_names_outside_the_catalogue_do_not_leave() -> None:
    """A typo exports nothing instead of something unknown."""
    assert render([Measurement("monitor_typo_total", {}, 1)], "")[0] == b""


def test_promtool_accepts_the_page(program: Callable[[str], str]) -> None:
    """Help, types and names are as Prometheus wants them."""
    page, _ = render(meters().measurements(), "")
    result = subprocess.run(
        [program("promtool"), "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@given(
    value=st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**400), 2**64])),
    text=st.text(st.characters(codec=None)),
)
def test_any_number_and_any_text_is_a_page(accept: str, value: float, text: str) -> None:
    """It is rendered, and a label is one line."""
    sample = Measurement(
        "monitor_tokens_total", {"model": text, "direction": "\ud800\r\x1b"}, value
    )
    gauge = Measurement("monitor_drift_samples", {"feature": text}, value)
    page, _ = render([sample, gauge, gauge], accept)
    lines = page.decode().split("\n")
    assert sum(line.startswith("monitor_tokens_total{") for line in lines) == 1
    assert all(line.isprintable() or not line.isascii() for line in lines)


SHOWN = Exemplar(
    "0af7651916cd43dd8448eb211c80319c", "01a2239a-1a11-7819-bcbb-500000000001", 0.3, 1e9
)


def test_a_bucket_shows_the_newest_exchange_that_has_a_trace() -> None:
    """Of several processes, in OpenMetrics alone; the strict parser reads it back."""
    made = meters()
    made.observe("monitor_exchange_duration_seconds", ("chat", "m"), 0.3, SHOWN)
    other = meters()
    newer = msgspec.structs.replace(SHOWN, value=0.25, at=2e9)
    other.observe("monitor_exchange_duration_seconds", ("chat", "m"), 0.25, newer)
    both = other.measurements() + made.measurements()
    page = render(both, OPENMETRICS)[0].decode()
    (shown,) = [
        sample for family in read_openmetrics(page) for sample in family.samples if sample.exemplar
    ]
    assert shown.labels["le"] == "0.32"
    assert shown.exemplar.labels == {"trace_id": newer.trace_id, "record_id": newer.record_id}
    assert (shown.exemplar.value, float(shown.exemplar.timestamp)) == (0.25, 2e9)
    assert "#" not in "".join(
        line for line in render(both, "")[0].decode().split("\n") if not line.startswith("#")
    )


@pytest.mark.parametrize(
    ("trace_id", "record_id", "labels"),
    [
        ("t" * 80, "r" * 36, {"trace_id"}),
        ("t" * 121, "", None),
        ("", "r", None),
        ('a"b\\\n', "r", None),
        ("t", "r # {", {"trace_id"}),
    ],
)
def test_an_exemplar_has_the_labels_that_openmetrics_has_room_for(
    trace_id: str, record_id: str, labels: set[str] | None
) -> None:
    """128 characters in all, and none that are not in ids; the rest is left out, the bucket stays."""
    made = meters()
    exemplar = Exemplar(trace_id, record_id, 0.3, 1.0)
    made.observe("monitor_exchange_duration_seconds", ("chat", "m"), 0.3, exemplar)
    page = render(made.measurements(), OPENMETRICS)[0].decode()
    found = [one for family in read_openmetrics(page) for one in family.samples if one.exemplar]
    assert [set(one.exemplar.labels) for one in found] == ([] if labels is None else [labels])


PLAIN = [metric for metric in CATALOGUE if metric.kind != "histogram"][:6]
HISTOGRAMS = [metric for metric in CATALOGUE if metric.kind == "histogram"][:2]
LABELS = st.dictionaries(
    st.sampled_from(["endpoint", "model", "value", "a"]),
    st.sampled_from(["", "x", 'a"b', "a\\b", "é", "a=b,c", "{}"]),
)


EXEMPLARS = st.none() | st.builds(
    Exemplar,
    st.text("0123456789abcdef", min_size=1, max_size=40),
    st.text("0123456789abcdef-", max_size=40),
    st.floats(0, 1e300),
    st.floats(0, 4e9),
)


class Told:
    """Families as the client library takes them."""

    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> list[Family]:
        return self._families


def theirs(shown: Exemplar | None) -> Any:
    """An exemplar as the client library has it."""
    if shown is None:
        return None
    labels = {"trace_id": shown.trace_id, "record_id": shown.record_id}
    labels = {name: value for name, value in labels.items() if value}
    return TheirExemplar(labels, shown.value, shown.at)


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@given(
    plain=st.dictionaries(st.sampled_from(PLAIN), st.lists(st.tuples(LABELS, st.floats(0)))),
    histograms=st.dictionaries(
        st.sampled_from(HISTOGRAMS), st.lists(st.tuples(LABELS, EXEMPLARS), max_size=3)
    ),
)
@settings(max_examples=60)
def test_a_page_says_what_the_client_library_would_write(
    accept: str, plain: dict[Any, Any], histograms: dict[Any, Any]
) -> None:
    """The same names, helps, types, labels, numbers and exemplars, in the same order of metrics."""
    measurements, families = [], []
    for metric in CATALOGUE:
        family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind)
        known: list[dict[str, str]] = []
        for labels, value in plain.get(metric, ()):
            if labels not in known:
                known.append(labels)
                family.add_sample(metric.name, labels, value)
        for number, (labels, one) in enumerate(histograms.get(metric, ())):
            if labels in known:
                continue
            known.append(labels)
            for bound in ("0.1", "2.0", "+Inf"):
                shown = one if bound == "2.0" else None
                family.add_sample(
                    f"{metric.name}_bucket", labels | {"le": bound}, number,
                    exemplar=theirs(shown) if accept else None,
                )  # fmt: skip
                measurements.append(
                    Measurement(f"{metric.name}_bucket", labels | {"le": bound}, number, shown)
                )
            family.add_sample(f"{metric.name}_count", labels, number)
            family.add_sample(f"{metric.name}_sum", labels, number / 3)
        if known:
            families.append(family)
            measurements += [
                Measurement(*sample[:3])
                for sample in family.samples
                if not sample.name.endswith("_bucket")
            ]
    write = written_open if accept else prometheus_client.generate_latest
    expected = write(Told(families)).decode()  # type: ignore[arg-type]
    page = render(measurements, accept)[0].decode()
    assert [line for line in page.split("\n") if line.startswith("#")] == [
        line for line in expected.split("\n") if line.startswith("#")
    ]
    assert [line.partition(" # ")[2] for line in page.split("\n")] == [
        line.partition(" # ")[2] for line in expected.split("\n")
    ]
    read: Any = read_openmetrics if accept else read_text
    assert list(read(page)) == list(read(expected))
    if accept and measurements:
        assert len(list(read_openmetrics(page))) == len(families)
