"""What somebody's log says of an exchange → Record, in memory, by the same protocols and the same
privacy as live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from monitor import hidden
from monitor.bodies import Body
from monitor.bounds import bounded
from monitor.dimensions.cross import crossed
from monitor.interfaces import Dimension
from monitor.logged import Logged
from monitor.privacy.records import Privacy
from monitor.privacy.scrub import Scrub
from monitor.probabilities import sure
from monitor.protocols import PROTOCOLS
from monitor.reading import Failures, Reading
from monitor.replay.order import Entry
from monitor.types import ABSENT, Call, Cost, Exchange, Inference, Message, Outcome, Record

READING = Reading(PROTOCOLS)
JSON = {"content-type": "application/json"}
CURRENCY, PRICED = "USD", "log"
TOGETHER = 64
"""Exchanges of which Records are made together."""
ALIKE = 4096
"""Records of rows without bodies that are kept for those that are like them."""


@dataclass(frozen=True)
class Recording:
    """Makes Records of an `endpoint`. `dimensions` look at exchanges as live, and what the log
    itself names comes before; `crossed` are those whose value is that of several others, joined.
    `failed` counts the exchanges on which each part raised, by its kind and name."""

    endpoint: str
    privacy: Privacy
    dimensions: Sequence[Dimension] = ()
    crossed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reading: Reading = READING
    failed: Counter[tuple[str, str]] = field(default_factory=Counter, compare=False)
    _alike: dict[tuple[object, ...], tuple[Record, list[tuple[str, str]]]] = field(
        default_factory=dict, compare=False
    )

    def record(self, said: Logged, number: int) -> Record:
        """The Record of the `number`th exchange."""
        return self._records([(number, said)], None, has_texts=True)[0]

    def glimpses(
        self, entries: Iterable[Entry], by: Collection[str], *, has_texts: bool = True
    ) -> Iterator[Record]:
        """The Records of exchanges that are looked at and then forgotten. Of these only the
        dimensions `by` are kept of what the log names, no ids and headers, and inputs and outputs
        only if each `has_texts`.

        Some take each step together, because the code of a step then stays in the caches of the
        CPU."""
        some: list[tuple[int, Logged]] = []
        for entry in entries:
            number, said = entry.number, entry.said
            alike = likeness(said)
            if alike is None:
                some.append((number, said))
            if some and (alike is not None or len(some) >= TOGETHER):
                yield from self._records(some, by, has_texts=has_texts)
                some.clear()
            if alike is not None:
                yield self._repeated(said, number, by, has_texts, alike)
        if some:
            yield from self._records(some, by, has_texts=has_texts)

    def _repeated(
        self, said: Logged, number: int, by: Collection[str], has_texts: bool,
        alike: tuple[object, ...],
    ) -> Record:  # fmt: skip
        """The Record of a row without bodies. Lines of access logs repeat each other: what is
        looked at is made once for all that differ in time alone; sizes, at which nothing looks, are
        not kept."""
        key = (*alike, by, has_texts)
        known = self._alike.get(key)
        if known is None:
            if len(self._alike) >= ALIKE:
                self._alike.clear()
            said = msgspec.structs.replace(
                said, request_size=None, response_size=None, id="", trace_id=""
            )
            before = self.failed.copy()
            (record,) = self._records([(number, said)], by, has_texts=has_texts)
            self._alike[key] = record, list(self.failed - before)
        else:
            record, failed = known
            self.failed.update(failed)
        started = said.started or 0.0
        return msgspec.structs.replace(
            record, id=id_of(started, number), started=started, duration=said.duration or 0.0
        )

    def _records(
        self, some: Sequence[tuple[int, Logged]], by: Collection[str] | None, *, has_texts: bool
    ) -> list[Record]:
        """The Records of numbered exchanges, which take each step together."""
        wholes = [_call(said, number) for number, said in some]
        ruled: list[tuple[Call, Scrub | None]]
        if by is None or self.privacy.has_rules:
            ruled = [self.privacy.ruled(whole, cached=by is None) for whole in wholes]
        else:
            ruled = [(whole, None) for whole in wholes]
        read = [
            self._read(said, whole, call, scrub)
            for (_, said), whole, (call, scrub) in zip(some, wholes, ruled, strict=True)
        ]
        if by is not None and has_texts:
            self.privacy.foresee(read)
        return [
            self._made(said, call, inference, scrub, by, has_texts=has_texts)
            for (_, said), (call, scrub), inference in zip(some, ruled, read, strict=True)
        ]

    def _read(self, said: Logged, whole: Call, call: Call, scrub: Scrub | None) -> Inference:
        """What an exchange means, of which `call` is what the operator's paths left of a whole."""
        failures: Failures = {}
        inference = self.reading.read(call, failures)
        if scrub is not None and scrub.taken:
            before = self.reading.read(whole, failures)
            inference, scrub.withheld = hidden.compared(before, inference)
        if failures:
            self.failed.update(("protocol", name) for name in failures)
        return _completed(sure(inference), said)

    def _made(
        self, said: Logged, call: Call, inference: Inference, scrub: Scrub | None,
        by: Collection[str] | None, *, has_texts: bool,
    ) -> Record:  # fmt: skip
        segments = self._segments(said, call, inference, by)
        if said.status is None and said.outcome is None:
            call = msgspec.structs.replace(call, method="")
        if has_texts:
            inference, given_way = bounded(inference, call)
            if given_way and scrub is not None:
                scrub.redactions["expansion"] = given_way
        else:
            inference = inference.asking([]).saying([])
        failures: Failures = {}
        if by is None:
            assert scrub is not None  # noqa: S101  for the type checker
            record = self.privacy.record(
                call, inference, endpoint=self.endpoint, segments=segments, scrub=scrub
            )
            failures = scrub.failures
        else:
            record = self.privacy.glimpse(
                call, inference, endpoint=self.endpoint, segments=segments, scrub=scrub,
                failures=failures,
            )  # fmt: skip
        if failures:
            self.failed.update(("recognizer", name) for name in failures)
        return record

    def _segments(
        self, said: Logged, call: Call, inference: Inference, by: Collection[str] | None
    ) -> dict[str, str]:
        """The values of all dimensions, or of those in `by` and of what these are crossed from."""
        if by is not None and not by:
            return {}
        joined = [name for name in self.crossed if by is None or name in by]
        wanted = (
            by
            if not joined or by is None
            else {*by, *chain.from_iterable(self.crossed[name] for name in joined)}
        )
        segments = {
            one.name: self._value(one, call, inference)
            for one in self.dimensions
            if wanted is None or one.name in wanted
        }
        segments |= {
            name: value
            for name, value in said.segments.items()
            # The log's own names of dimensions are somebody's words, too.
            if (self.privacy.segment("", name) == name if wanted is None else name in wanted)
        }
        for name in joined:
            segments[name] = crossed(self.crossed[name], segments)
        return segments

    def _value(self, dimension: Dimension, call: Call, inference: Inference) -> str:
        try:
            return dimension.value(call, inference)
        except Exception:  # noqa: BLE001  a dimension's defect is not the exchange's
            self.failed["dimension", dimension.name] += 1
            return ABSENT


def likeness(said: Logged) -> tuple[object, ...] | None:
    """What a row without bodies is besides its times, sizes and ids; None of any other row."""
    if (
        said.request or said.response or said.request_headers or said.response_headers
        or said.tokens is not None or said.cost is not None or said.first_token is not None
        or said.finish_reasons or said.streamed
    ):  # fmt: skip
        return None
    return (
        said.method, said.target, said.status, said.outcome, said.operation, said.model,
        said.request_truncated, said.response_truncated,
        tuple(said.segments.items()),
    )  # fmt: skip


def _call(said: Logged, number: int) -> Call:
    started, duration = said.started or 0.0, said.duration or 0.0
    path, _, query = said.target.partition("?")
    has_answer = bool(said.response) or said.status is not None or bool(said.response_size)
    size = len(said.request) if said.request_size is None else said.request_size
    answer = len(said.response) if said.response_size is None else said.response_size
    exchange = Exchange(
        id=id_of(started, number),
        started=started,
        duration=duration,
        request=Message(b"", said.request, size),
        response=Message(b"", said.response, answer) if has_answer else None,
        chunks=[],
        outcome=said.ended or Outcome.OK,
    )
    headers = said.request_headers or JSON
    if said.trace_id and "traceparent" not in headers:
        headers = {**headers, "traceparent": f"00-{said.trace_id}-{1:016x}-01"}
    return Call(
        exchange=exchange,
        method=said.method,
        path=path,
        query=query,
        request_headers=headers,
        request_body=Body(said.request),
        request_truncated=said.request_truncated,
        status=said.status,
        response_headers=said.response_headers or JSON,
        response_body=Body(said.response),
        response_truncated=said.response_truncated,
        arrivals=[],
        trailers={},
    )


def _completed(inference: Inference, said: Logged) -> Inference:
    """What the bodies mean, and what the log says beside them where they do not."""
    changes: dict[str, object] = {}
    if said.model and not inference.model:
        changes["model"] = said.model
    if said.operation and inference.protocol == "generic_json":
        changes["operation"] = said.operation
    if inference.tokens is None and said.tokens is not None:
        changes["tokens"] = said.tokens
    if not inference.finish_reasons and said.finish_reasons:
        changes["finish_reasons"] = said.finish_reasons
    if said.streamed:
        changes["streamed"] = True
    if said.first_token is not None and inference.first_token is None:
        changes["first_token"] = said.first_token
        if said.duration is not None:
            changes["last_token"] = said.duration
    if said.id and not inference.response_id:
        changes["response_id"] = said.id
    if said.cost is not None and inference.cost is None:
        changes["cost"] = Cost(said.cost, CURRENCY, PRICED)
    return msgspec.structs.replace(inference, **changes) if changes else inference


def id_of(started: float, number: int) -> str:
    """An id in the form of UUIDv7 (RFC 9562) that tells the time and the number of an exchange.

    >>> id_of(1700000000.0, 7)
    '018bcfe5-6800-7000-8000-000000000007'
    """
    milliseconds = f"{int(started * 1000) & 0xFFFFFFFFFFFF:012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-{number & 0xFFFFFFFFFFFF:012x}"
