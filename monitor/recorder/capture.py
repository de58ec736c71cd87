"""Exchange → Record, and what the traffic metrics count of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.errors import ParseError
from monitor.interfaces import Dimension, Protocol
from monitor.meters import Meters
from monitor.metrics import REDACTION_REASONS
from monitor.privacy.records import Privacy
from monitor.recorder import calls
from monitor.recorder.budget import Budget
from monitor.recorder.releases import Releases
from monitor.types import ABSENT, WHOLE, Call, Exchange, Inference, Record

MODELS = 50
VALUES = 50
"""Label values per metric and dimension; what is beyond is `other`."""


class Capture:
    """Reads exchanges; one per recorder. The last protocol must claim and read everything.

    A segment's value that was seen fewer than `min_group` times is `other`. With `releases`,
    exchanges by segment are told with noise and nothing else is told by segment.
    """

    def __init__(
        self,
        endpoint: str,
        protocols: Sequence[Protocol],
        dimensions: Sequence[Dimension],
        privacy: Privacy,
        meters: Meters,
        *,
        min_group: int = 1,
        releases: Releases | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._protocols = protocols
        self._dimensions = dimensions
        self._privacy = privacy
        self._meters = meters
        self._models = Budget(MODELS)
        self._values = {one.name: Budget(VALUES, min_group) for one in dimensions}
        self._releases = releases
        for reason in REDACTION_REASONS:  # there from the start, a series shows its first event
            meters.add("monitor_redactions_total", (reason,), 0)

    def read(self, exchange: Exchange) -> tuple[Record, str]:
        """The record of an exchange, counted, and the label under which its model is counted."""
        call, scrub = self._privacy.ruled(calls.read(exchange))
        inference = self._infer(call)
        raw = {one.name: one.value(call, inference) for one in self._dimensions}
        record = self._privacy.record(
            call, inference, endpoint=self._endpoint, segments=raw, scrub=scrub
        )
        if self._releases is not None:
            for name, value in record.segments.items():
                self._releases.add(name, value, record.outcome.value)
        segments = {name: self._segment(name, value) for name, value in record.segments.items()}
        if segments != record.segments:
            record = msgspec.structs.replace(record, segments=segments)
        model = self._model(record)
        self._count(record, model)
        return record, model

    def release(self, now: float) -> None:
        """Tell the counts by segment of a period that is over, if they are told with noise."""
        for cell, count in self._releases.release(now) if self._releases else ():
            self._meters.add("monitor_segment_exchanges_total", cell, count)

    def _infer(self, call: Call) -> Inference:
        for protocol in self._protocols:
            if protocol.claims(call):
                try:
                    return protocol.read(call)
                except ParseError:
                    plain = self._protocols[-1].read(call)
                    return msgspec.structs.replace(plain, protocol=protocol.name)
        return self._protocols[-1].read(call)

    def _segment(self, dimension: str, value: str) -> str:
        if value == ABSENT:
            return value
        budget = self._values[dimension]
        label, given_up = budget.admit(value)
        if given_up is not None and self._releases is None:
            self._meters.fold("value", given_up, ("dimension", dimension))
        if label != value and budget.is_full:
            self._overflow("monitor_segment_exchanges_total")
        return label

    def _model(self, record: Record) -> str:
        """A model name gets a label once the endpoint has accepted it."""
        accepted = record.status is not None and record.status < 300
        label, given_up = self._models.admit(record.model, may_enter=accepted or not record.model)
        if given_up is not None:
            self._meters.fold("model", given_up)
        if label != record.model and accepted:
            self._overflow("monitor_exchange_duration_seconds")
        return label

    def _overflow(self, metric: str) -> None:
        self._meters.add("monitor_series_overflow_total", (metric,))

    def _count(self, record: Record, model: str) -> None:
        meters = self._meters
        kind = (record.operation, model)
        first, each = record.time_to_first_token, record.time_per_output_token
        meters.observe("monitor_exchange_duration_seconds", kind, record.duration)
        if first is not None:
            meters.observe("monitor_time_to_first_token_seconds", kind, first)
        if each is not None:
            meters.observe("monitor_time_per_output_token_seconds", kind, each)
        tokens = record.tokens
        directions = () if tokens is None else (("input", tokens.input), ("output", tokens.output))
        for direction, count in directions:
            meters.add("monitor_tokens_total", (model, direction), count)
        told = () if self._releases else record.segments.items()
        for segment in ((WHOLE.dimension, WHOLE.value), *told):
            meters.add("monitor_segment_exchanges_total", (*segment, record.outcome.value))
            meters.observe("monitor_segment_duration_seconds", segment, record.duration)
            if first is not None:
                meters.observe("monitor_segment_time_to_first_token_seconds", segment, first)
            for direction, count in directions:
                meters.add("monitor_segment_tokens_total", (*segment, direction), count)
        for entity, count in record.pseudonyms.items():
            meters.add("monitor_pseudonyms_total", (entity,), count)
        for reason, count in record.redactions.items():
            meters.add("monitor_redactions_total", (reason,), count)
