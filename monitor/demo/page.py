"""A scraped /metrics page, read the way a dashboard would."""

from __future__ import annotations

import functools
import urllib.request
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = dict[str, str]


@dataclass(frozen=True)
class Page:
    """All samples of one scrape: name → [(labels, value)]."""

    samples: dict[str, list[tuple[Labels, float]]]

    @classmethod
    def read(cls, url: str) -> Page:
        """Scrape the `/metrics` page at `url`."""
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  our own admin port
            text = answer.read().decode()
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Page:
        """Read the text of a page without timestamps, as ours is."""
        samples: dict[str, list[tuple[Labels, float]]] = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                name, labels = _series(series)
                samples.setdefault(name, []).append(
                    (labels, int(value) if value.isdigit() else float(value))
                )
        return cls(samples)

    def pick(self, name: str, **labels: str) -> list[tuple[Labels, float]]:
        """The samples of `name` that carry these labels."""
        found = self.samples.get(name, ())
        return [(each, value) for each, value in found if labels.items() <= each.items()]

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples that `pick` finds."""
        return sum(value for _, value in self.pick(name, **labels))

    def quantile(self, q: float, name: str, **labels: str) -> float | None:
        """As PromQL's histogram_quantile: linear within the bucket; None without observations."""
        buckets: dict[float, float] = {}
        for found, value in self.pick(f"{name}_bucket", **labels):
            bound = float(found["le"])
            buckets[bound] = buckets.get(bound, 0) + value
        total = buckets.get(float("inf"), 0)
        if not total:
            return None
        below, low = 0.0, 0.0
        for bound in sorted(buckets):
            if buckets[bound] >= q * total:
                if bound == float("inf"):
                    return low
                inside = buckets[bound] - below
                return low + (bound - low) * ((q * total - below) / inside if inside else 1.0)
            below, low = buckets[bound], bound
        return low

    def drifts(self) -> list[Labels]:
        """Feature and segment of everything whose status is drift."""
        status = self.pick("monitor_drift_status", status="drift")
        return [labels for labels, value in status if value == 1]

    def pending(self) -> float:
        """Exchanges on their way to the stream."""
        return self.total("monitor_records_pending")

    def is_conserved(self) -> bool:
        """exchanges = appended + lost + pending."""
        return self.total("monitor_exchanges_total") == (
            self.total("monitor_records_appended_total")
            + self.total("monitor_exchanges_lost_total")
            + self.pending()
        )


@functools.lru_cache(maxsize=10_000)
def _series(text: str) -> tuple[str, Labels]:
    """Name and labels of a series as it is written: the same ones stand on each page, and to read
    them anew took 18 ms a page."""
    (family,) = text_string_to_metric_families(f"{text} 0\n")
    (sample,) = family.samples
    return sample.name, sample.labels
