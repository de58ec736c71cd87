"""Measurements → the text that Prometheus scrapes, plain or OpenMetrics.

Written by our own code: by the client library's a page takes four times as much CPU.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from monitor.meters import number
from monitor.metrics import CATALOGUE
from monitor.metrics.metric import Metric
from monitor.texts import printable
from monitor.turns import in_turns
from monitor.types import Exemplar, Measurement

_ESCAPING = re.compile(r"escaping=[\w-]+")
_ID = re.compile(r"[0-9A-Za-z._-]+")

LONGEST_EXEMPLAR = 128
"""Characters of the names and values of an exemplar's labels together (OpenMetrics 1.0)."""

Samples = dict[str, float]
"""What stands in braces → the sum of what has these labels."""


def render(measurements: Iterable[Measurement], accept: str) -> tuple[bytes, str]:
    """One page and its content type, as `accept` (the request's header) asks for.

    Measurements of equal name and labels are added up; names that the catalogue does not know are
    left out.
    """
    _, content_type = choose_encoder(accept)
    is_open = content_type.startswith("application/openmetrics-text")
    page = _Page(is_open=is_open)
    for one in in_turns(measurements):
        page.add(one)
    each = in_turns(CATALOGUE)
    parts = ["".join(page.lines(metric)).encode() for metric in each]
    if is_open:
        parts.append(b"# EOF\n")
    # Every scheme of escaping but `dots` leaves names like ours as they are.
    return b"".join(parts), _ESCAPING.sub("escaping=underscores", content_type)


class _Page:
    """Sums by name and labels, of names that the catalogue knows."""

    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open
        self._exemplars: dict[tuple[str, str, str], Exemplar] = {}  # name, labels, bound
        self._samples: dict[str, Samples] = {}
        self._series: dict[str, dict[str, Samples]] = {}  # of histograms: by labels, then by bound
        for metric in CATALOGUE:
            if metric.kind == "histogram":
                self._series[f"{metric.name}_bucket"] = {}
                self._samples[f"{metric.name}_count"] = {}
                self._samples[f"{metric.name}_sum"] = {}
            else:
                self._samples[metric.name] = {}
        self._forms: dict[tuple[str, ...], tuple[list[str], str]] = {}

    def add(self, one: Measurement) -> None:
        """Add a Measurement to those of equal name and labels."""
        samples, key = self._samples.get(one.name), self._written(one.labels)
        if samples is None:
            series = self._series.get(one.name)
            if series is None:
                return
            samples = series.setdefault(key, {})
            bound = _escaped(one.labels.get("le", "+Inf"))
            if one.exemplar is not None and self._is_open:
                self._show(one.exemplar, (one.name, key, bound))
            key = bound
        samples[key] = samples.get(key, 0) + number(one.value)

    def _show(self, exemplar: Exemplar, place: tuple[str, str, str]) -> None:
        """Keep the newest exemplar of several processes."""
        known = self._exemplars.get(place)
        if known is None or exemplar.at > known.at:
            self._exemplars[place] = exemplar

    def lines(self, metric: Metric) -> Iterator[str]:
        """The lines of a metric, none without samples; of a histogram series by series."""
        name, said = metric.name, metric.help.replace("\\", r"\\").replace("\n", r"\n")
        found = list(self._histogram(name) if metric.kind == "histogram" else self._plain(name))
        if not found:
            return
        if self._is_open:
            name, said = name.removesuffix("_total"), said.replace('"', r"\"")
        yield f"# HELP {name} {said}\n# TYPE {name} {metric.kind}\n"
        yield from found

    def _plain(self, name: str) -> Iterator[str]:
        for labels, value in in_turns(self._samples[name].items()):
            yield f"{name}{{{labels}}} {_shown(value)}\n"

    def _histogram(self, name: str) -> Iterator[str]:
        counts, sums = self._samples[f"{name}_count"], self._samples[f"{name}_sum"]
        exemplars = self._exemplars
        for labels, bounds in self._series[f"{name}_bucket"].items():
            others = f"{labels}," if labels else ""
            for bound, value in in_turns(bounds.items()):
                shown = exemplars.get((f"{name}_bucket", labels, bound)) if exemplars else None
                after = "" if shown is None else _exemplar(shown)
                yield f'{name}_bucket{{{others}le="{bound}"}} {_shown(value)}{after}\n'
            yield f"{name}_count{{{labels}}} {_shown(counts.get(labels, 0))}\n"
            yield f"{name}_sum{{{labels}}} {_shown(sums.get(labels, 0))}\n"

    def _written(self, labels: dict[str, str]) -> str:
        """Labels as they stand in braces, sorted by name, without `le`."""
        names = tuple(labels)
        form = self._forms.get(names)
        if form is None:
            ordered = sorted(set(names) - {"le"})
            form = ordered, ",".join(f'{name}="%s"' for name in ordered)
            self._forms[names] = form
        values = [labels[name] for name in form[0]]
        together = "".join(values)
        if '"' in together or "\\" in together or not together.isprintable():
            values = [_escaped(value) for value in values]
        return form[1] % tuple(values)


def _exemplar(one: Exemplar) -> str:
    """An exemplar behind a bucket, with as many of its labels as OpenMetrics has room for; nothing
    where it has none, or where its number or time is none that a reader takes."""
    labels = {"record_id": one.record_id, "trace_id": one.trace_id}
    if not _ID.fullmatch(one.record_id) or _size(labels) > LONGEST_EXEMPLAR:
        del labels["record_id"]
    if not _ID.fullmatch(one.trace_id) or _size(labels) > LONGEST_EXEMPLAR:
        return ""
    if not (math.isfinite(one.value) and math.isfinite(one.at)):
        return ""
    said = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f" # {{{said}}} {_shown(one.value)} {float(one.at)!r}"


def _size(labels: dict[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in labels.items())


def _escaped(value: str) -> str:
    return printable(value).replace("\\", r"\\").replace('"', r"\"")


def _shown(value: float) -> str:
    """A number as Go writes it."""
    if -1e6 < value < 1e6:
        return repr(float(value))
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]
