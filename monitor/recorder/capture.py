"""Exchange → Record, and what the traffic metrics count of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product, repeat
from typing import NamedTuple

import msgspec

from monitor import hidden, logs, probabilities
from monitor.bounds import bounded
from monitor.dimensions.cross import crossed
from monitor.finish_reasons import normal
from monitor.interfaces import Check, Dimension, EdgeCase, Protocol, Reader
from monitor.meters import Meters
from monitor.metrics.labels import (
    CHECK_GIVEN,
    CHECK_ITEMS,
    CHECK_RESULTS,
    MESSAGES,
    REDACTION_REASONS,
    UNKNOWN,
)
from monitor.metrics.metric import nano
from monitor.prices.pricing import Pricing
from monitor.privacy.records import STEPS, Privacy
from monitor.privacy.scrub import Scrub
from monitor.reading import Failures, Reading
from monitor.recorder import calls
from monitor.recorder.agreements import Agreements
from monitor.recorder.groups import each
from monitor.recorder.label_limiter import LabelLimiter
from monitor.recorder.lineage import Lineage
from monitor.recorder.noisy_counts import NoisyCounts
from monitor.recorder.repeats import Repeats
from monitor.recorder.rules import Looked, Rules
from monitor.recorder.sampler import Sampler
from monitor.recorder.spans import Trace, Tracer
from monitor.templates import prompt
from monitor.templates.miner import Miner
from monitor.types import (
    ABSENT,
    EDGE_CASE,
    WHOLE,
    Call,
    Exchange,
    Inference,
    Outcome,
    Receipt,
    Record,
    Summary,
    Template,
    Verdict,
)
from monitor.view import Usual

MODELS = 50
VALUES = 50
"""Label values per metric and dimension; further ones are counted as `other`."""
ANSWERS = 128
"""Answers of one exchange whose reasons to end are counted; no dialect offers more."""

Taken = tuple[Record, str] | Receipt | Exception
"""A Record and the label of its model, or the Receipt of what leaves none, or what was raised."""


class _Begun(NamedTuple):
    """What an exchange meant, its segments as they came, and the share of those like it that leave
    a Record and whether it is oversampled; None where it leaves none."""

    call: Call
    scrub: Scrub
    inference: Inference
    raw: dict[str, str]
    kept: tuple[float, bool] | None


class _Making(NamedTuple):
    """What of it may be kept, step by step."""

    begun: _Begun
    steps: Iterator[Record | Summary | None]
    made: Record | Summary | None = None

    def go_on(self) -> _Making:
        """Take the next step."""
        return _Making(self.begun, self.steps, next(self.steps))

    def known(self) -> _Known:
        """Return what was made; the rules have not looked yet."""
        assert self.made is not None  # noqa: S101
        return _Known(self.begun, self.made, Looked([], {}, {}))


class _Known(NamedTuple):
    """What of it may be kept, and what the rules say of it."""

    begun: _Begun
    known: Record | Summary
    looked: Looked


class Capture:
    """Reads exchanges; one per recorder. The last protocol must claim and read everything.

    A segment's value that was seen fewer than `min_group` times is `other`. `crossed` are
    dimensions whose value is that of several others, joined. With `noisy_counts`,
    exchanges by segment are exported with noise, and nothing else by segment.

    `edge_cases` are looked for in what is recorded: names of a closed list, of which an exchange
    may have several, and so without noise or budget. Some of them need what is `usual` in columns,
    or a memory of earlier requests (`repeats`). `checks` are asked about the same Records, dear
    ones about the share `checks_sample`; one needs a memory of earlier answers (`agreements`).

    What takes longer than `objectives` says, seconds by name, is counted.

    `business` reads the application's own names of an exchange, by key; `lineage` what served it.

    With a `tracer` each exchange is a span, or counted as none; buckets of the histograms by model
    show the newest that they counted.

    The dimension `mined` is the prompt template: declared, else the one that `miner` finds in the
    Record's texts.

    A part that raises costs the exchange only what that part would have read; the failure is
    counted and logged once. The part still reads other exchanges, because a stranger who can make
    it raise must not be able to switch it off.
    """

    def __init__(
        self,
        endpoint: str,
        protocols: Sequence[Protocol],
        dimensions: Sequence[Dimension],
        privacy: Privacy,
        meters: Meters,
        *,
        crossed: Mapping[str, Sequence[str]] | None = None,
        pricing: Pricing | None = None,
        objectives: Mapping[str, float] | None = None,
        edge_cases: Sequence[EdgeCase] = (),
        checks: Sequence[Check] = (),
        checks_sample: float = 1.0,
        usual: Mapping[str, Usual] | None = None,
        repeats: Repeats | None = None,
        agreements: Agreements | None = None,
        business: Mapping[str, Reader] | None = None,
        lineage: Lineage | None = None,
        mined: str = "",
        miner: Miner | None = None,
        min_group: int = 1,
        noisy_counts: NoisyCounts | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer
        self._crossed = dict(crossed or {})
        self._pricing = pricing or Pricing()
        objectives = objectives or {}
        self._latency = objectives.get("latency", math.inf)
        self._first_token = objectives.get("first_token", math.inf)
        self._edge_cases = tuple(edge_cases)
        self._checks = tuple(checks)
        self._rules = Rules(
            self._edge_cases, self._checks, usual=usual, repeats=repeats,
            agreements=agreements, pricing=self._pricing, stumble=self._stumble,
            share=checks_sample,
        )  # fmt: skip
        self._business = dict(business or {})
        self._lineage = lineage or Lineage()
        self._facts = {
            fact: LabelLimiter(VALUES) for fact in (*self._lineage.headers, *self._lineage.paths)
        }
        self._mined = mined
        self._miner = miner
        self._endpoint = endpoint
        self._reading = Reading(protocols)
        self._dimensions = dimensions
        self._privacy = privacy
        self._meters = meters
        self._models = LabelLimiter(MODELS)
        named = dict.fromkeys([*(one.name for one in dimensions), *([mined] if mined else [])])
        names = [*named, *self._crossed]
        self._values = {name: LabelLimiter(VALUES, min_group) for name in names}
        self._noisy_counts = noisy_counts
        self._stumbled: set[tuple[str, str]] = set()
        self._lookups = {"hit": 0, "miss": 0}
        for result in self._lookups:
            meters.add("monitor_privacy_cache_lookups_total", (result,), 0)
        for reason in REDACTION_REASONS:  # a series must exist before its first event to show it
            meters.add("monitor_redactions_total", (reason,), 0)
        for message in MESSAGES:
            meters.add("monitor_cut_bodies_total", (message,), 0)
        for objective in objectives:
            meters.add("monitor_objective_missed_total", (objective,), 0)
            whole = (WHOLE.dimension, WHOLE.value, objective)
            meters.add("monitor_segment_objective_missed_total", whole, 0)
        for one in () if noisy_counts else self._edge_cases:
            labels = (EDGE_CASE, one.name, Outcome.OK.value)
            meters.add("monitor_segment_exchanges_total", labels, 0)
        for check in self._checks:
            for result in CHECK_RESULTS:
                meters.add("monitor_output_checks_total", (check.name, result), 0)
            whole = (WHOLE.dimension, WHOLE.value, check.name)
            meters.add("monitor_segment_check_failures_total", whole, 0)
            for labels in product((check.name,), CHECK_GIVEN, CHECK_ITEMS) if check.placebo else ():
                meters.add("monitor_output_check_items_total", labels, 0)

    def read(self, exchange: Exchange) -> tuple[Record, str]:
        """Count an exchange; return its record and the label under which its model is counted."""
        found = self._one(exchange, None)
        assert not isinstance(found, Receipt)  # noqa: S101  nothing is left out of no sample
        return found

    def sample(self, exchange: Exchange, sampler: Sampler) -> tuple[Record, str] | Receipt:
        """Count an exchange all the same; return what `read` does if `sampler` keeps it, else the
        Receipt that says so."""
        return self._one(exchange, sampler)

    def _one(self, exchange: Exchange, sampler: Sampler | None) -> tuple[Record, str] | Receipt:
        found = self.take([exchange], sampler)[0]
        if isinstance(found, Exception):
            raise found
        return found

    def take(self, exchanges: Sequence[Exchange], sampler: Sampler | None = None) -> list[Taken]:
        """Do the same with several: for each what `read` or `sample` returns, or what it raises.

        All take a step before any takes the next, so that the code of a step stays in the caches of
        the CPU: a group of 16 chats takes a sixth less than one after the other. Each step goes
        through them in order, which comes to the same.
        """
        return self.taken(each(calls.read, exchanges), sampler)

    def taken(
        self, read: Iterable[Call | Exception], sampler: Sampler | None = None
    ) -> list[Taken]:
        """Do the same with Calls that were read already."""
        begun = each(lambda one: self._begun(one, sampler), read)
        making = each(self._making, begun)
        for _ in range(STEPS):
            making = each(_Making.go_on, making)
        known = each(_Making.known, making)
        if self._miner is not None:
            known = each(self._with_template, known)
        told = [one for one in known if isinstance(one, _Known)]
        self._rules.look(
            [
                (one.known, one.begun.inference, one.looked)
                for one in told
                if isinstance(one.known, Record)
            ]
        )
        return each(self._ended, known)

    def _begun(self, call: Call, sampler: Sampler | None) -> _Begun:
        """Understand a Call, and decide whether it leaves a Record."""
        call, scrub = self._privacy.ruled(whole := call)
        exchange = call.exchange
        failures: Failures = {}
        inference = self._understood(call, failures)
        if scrub.taken:  # what is not there any more, only the whole can tell
            before = self._reading.read(whole, failures)
            inference, scrub.withheld = hidden.compared(before, inference)
        for name, error in failures.items():
            self._stumble("protocol", name, error)
        kept: tuple[float, bool] | None = 1.0, False
        if sampler is not None:
            outcome = inference.ended(exchange.outcome, call.status)
            kept = sampler.keep(exchange.id, exchange.started + exchange.duration, outcome)
        raw = self._values_of(call, inference)
        if kept is None:
            if raw.get(self._mined) == ABSENT:
                raw[self._mined] = UNKNOWN  # only what is recorded is looked at
            return _Begun(call, scrub, inference, raw, None)
        inference, given_way = bounded(inference, call)
        if given_way:
            scrub.redactions["expansion"] = given_way
        return _Begun(call, scrub, inference, raw, kept)

    def _making(self, begun: _Begun) -> _Making:
        """Begin to make the Record, or the Summary of what leaves none."""
        call, scrub, inference, raw, kept = begun
        if kept is None:
            summary = self._privacy.summary(call, inference, segments=raw, scrub=scrub)
            return _Making(begun, repeat(summary))
        steps = self._privacy.steps(
            call, inference, endpoint=self._endpoint, segments=raw, scrub=scrub,
            sampled=kept[0], oversampled=kept[1],
            business=self._named(call) if self._business else None,
            lineage=self._lineage.constant, stated=self._lineage.stated(call),
        )  # fmt: skip
        return _Making(begun, steps)

    def _ended(self, known: _Known) -> tuple[Record, str] | Receipt:
        """Count it, and make its span."""
        (call, scrub, inference, _, _), found, (names, verdicts, placebos) = known
        trace = self._tracer.begin(call, found.outcome) if self._tracer else None
        if isinstance(found, Summary):
            unseen = [UNKNOWN] if self._edge_cases else []
            _, model = self._counted(found, scrub, unseen, inference.finish_reasons, trace)
            if trace is not None:
                self._end(trace, call, inference, found, model)
            labels = (found.protocol, found.operation, model, found.outcome.value)
            return Receipt(call.exchange.id, "lost", "sampled", *labels)
        shown = (names or [ABSENT]) if self._edge_cases else []
        segments, model = self._counted(found, scrub, shown, inference.finish_reasons, trace)
        if self._checks:
            self._count_checks(found.id, verdicts, segments, shown)
            self._count_placebos(verdicts, placebos)
        if names or verdicts or segments != found.segments:
            found = msgspec.structs.replace(
                found, segments=segments, edge_cases=names, checks=verdicts
            )
        self._count_lineage(found)
        for entity, count in found.pseudonyms.items():
            self._meters.add("monitor_pseudonyms_total", (entity,), count)
        for message, is_cut in zip(
            MESSAGES, (found.request.truncated, found.response.truncated), strict=True
        ):
            if is_cut:
                self._meters.add("monitor_cut_bodies_total", (message,))
        for reason, count in found.redactions.items():
            self._meters.add("monitor_redactions_total", (reason,), count)
        if trace is not None:
            self._end(trace, call, inference, found, model)
        return found, model

    def _end(
        self, trace: Trace, call: Call, inference: Inference, known: Summary | Record, model: str
    ) -> None:
        assert self._tracer is not None  # noqa: S101
        try:
            self._tracer.end(trace, call, inference, known, model)
        except Exception as error:  # noqa: BLE001  what has no span is no reason to lose it
            self._tracer.missed(trace.exchange.id)
            self._stumble("span", known.protocol, error)

    def _named(self, call: Call) -> dict[str, str]:
        """The application's own names of an exchange, by key."""
        found = {name: read(call) for name, read in self._business.items()}
        return {name: value for name, value in found.items() if value}

    def _count_lineage(self, record: Record) -> None:
        """Count a record under each fact of its lineage. A new value from a header gets a label
        only where the endpoint took the request."""
        for fact, value in record.lineage.items():
            label, limiter = value, self._facts.get(fact)
            if limiter is not None:
                if self._noisy_counts is not None:
                    continue  # a client may have stated it
                label, given_up = limiter.admit(value, may_enter=record.is_accepted)
                if given_up is not None:
                    self._meters.fold("value", given_up, ("fact", fact))
            self._meters.add("monitor_lineage_records_total", (fact, label))

    def _with_template(self, known: _Known) -> _Known:
        """The record with the template that is declared, else with the one found in its texts."""
        record = known.known
        if self._miner is None or not isinstance(record, Record):
            return known
        declared = record.segments[self._mined]
        if declared != ABSENT:
            template = Template(declared, declared=True)
            return known._replace(known=msgspec.structs.replace(record, template=template))
        try:
            found = self._miner.name(prompt.texts(record.inputs))
        except Exception as error:  # noqa: BLE001  what has no template is no reason to lose it
            self._stumble("dimension", self._mined, error)
            return known
        if not found:
            return known
        segments = {**record.segments, self._mined: found}
        template = Template(found, declared=False)
        record = msgspec.structs.replace(record, segments=segments, template=template)
        return known._replace(known=record)

    def _count_checks(
        self,
        id_: str,
        verdicts: Mapping[str, Verdict],
        segments: Mapping[str, str],
        edge_cases: list[str],
    ) -> None:
        """Count what each check said of an exchange, and what failed by segment too."""
        of = [(WHOLE.dimension, WHOLE.value)]
        if self._noisy_counts is None:
            of += [*segments.items(), *((EDGE_CASE, name) for name in edge_cases)]
        for check in self._checks:
            name, verdict = check.name, verdicts.get(check.name)
            if verdict is None:
                result = "left_out" if self._rules.leaves_out(check, id_) else "skipped"
            else:
                result = "passed" if verdict.passed else "failed"
            self._meters.add("monitor_output_checks_total", (name, result))
            for segment in of if result == "failed" else ():
                self._meters.add("monitor_segment_check_failures_total", (*segment, name))

    def _count_placebos(
        self, verdicts: Mapping[str, Verdict], placebos: Mapping[str, Verdict]
    ) -> None:
        """Count how much of an answer stands in what it was given, and in what another one was."""
        for name, chance in placebos.items():
            for given, one in (("own", verdicts[name]), ("other", chance)):
                for result, count in (("right", one.of - one.count), ("wrong", one.count)):
                    labels = (name, given, result)
                    self._meters.add("monitor_output_check_items_total", labels, count)

    def _counted(
        self,
        known: Summary | Record,
        scrub: Scrub,
        edge_cases: Sequence[str],
        finish_reasons: Sequence[str],
        trace: Trace | None = None,
    ) -> tuple[dict[str, str], str]:
        """Count an exchange, under each of its edge cases too; return the labels of its segments
        and of its model."""
        for name, error in scrub.failures.items():
            self._stumble("recognizer", name, error)
        if self._noisy_counts is not None:
            for name, value in self._with_crossed(known.segments).items():
                self._noisy_counts.add(name, value, known.outcome.value)
        segments = {name: self._segment(name, value) for name, value in known.segments.items()}
        for name, others in self._crossed.items():
            segments[name] = self._segment(name, crossed(others, segments))
        model = self._model(known)
        for reason in finish_reasons[:ANSWERS]:
            self._meters.add("monitor_finish_reasons_total", (model, normal(reason)))
        of = [*segments.items(), *((EDGE_CASE, name) for name in edge_cases)]
        self._count(known, () if self._noisy_counts else of, model, trace)
        return segments, model

    def release(self, now: float) -> None:
        """Export what is counted elsewhere: looked-up texts, and noisy counts by segment if their
        period is over; `now` is monotonic seconds."""
        for result, count in zip(self._lookups, self._privacy.cache_lookups(), strict=True):
            self._meters.add(
                "monitor_privacy_cache_lookups_total", (result,), count - self._lookups[result]
            )
            self._lookups[result] = count
        for cell, count in self._noisy_counts.release(now) if self._noisy_counts else ():
            self._meters.add("monitor_segment_exchanges_total", cell, count)

    def _understood(self, call: Call, failures: Failures) -> Inference:
        """What the exchange meant, how sure the model was of it, and what it cost."""
        inference = probabilities.sure(self._reading.read(call, failures))
        try:
            cost = self._pricing.cost(inference, call.exchange.started)
        except Exception as error:  # noqa: BLE001  what cannot be priced is no reason to lose it
            self._stumble("costs", inference.protocol, error)
            return inference
        return inference if cost is None else msgspec.structs.replace(inference, cost=cost)

    def _values_of(self, call: Call, inference: Inference) -> dict[str, str]:
        values = {one.name: self._value(one, call, inference) for one in self._dimensions}
        if self._mined and values.get(self._mined, ABSENT) == ABSENT:
            values[self._mined] = inference.prompt or ABSENT
        return values

    def _value(self, dimension: Dimension, call: Call, inference: Inference) -> str:
        try:
            return dimension.value(call, inference)
        except Exception as error:  # noqa: BLE001  a dimension's defect is not the exchange's
            self._stumble("dimension", dimension.name, error)
            return ABSENT

    def _stumble(self, kind: str, name: str, error: BaseException) -> None:
        self._meters.add("monitor_part_failures_total", (kind, name))
        if (kind, name) not in self._stumbled:
            self._stumbled.add((kind, name))
            logs.warning(
                f"the {kind} {name} failed on an exchange ({logs.place(error)}), which is recorded "
                "without it (not said again)"
            )

    def _with_crossed(self, segments: Mapping[str, str]) -> dict[str, str]:
        found = {name: crossed(others, segments) for name, others in self._crossed.items()}
        return {**segments, **found}

    def _segment(self, dimension: str, value: str) -> str:
        if value == ABSENT:
            return value
        limiter = self._values[dimension]
        label, given_up = limiter.admit(value)
        if given_up is not None and self._noisy_counts is None:
            self._meters.fold("value", given_up, ("dimension", dimension))
        if label != value and limiter.is_full:
            self._overflow("monitor_segment_exchanges_total")
        return label

    def _model(self, known: Summary | Record) -> str:
        """Return the label of the model; a new name gets one only if the endpoint accepted it."""
        if not known.model:
            return UNKNOWN
        accepted = known.status is not None and known.status < 300
        label, given_up = self._models.admit(known.model, may_enter=accepted)
        if given_up is not None:
            self._meters.fold("model", given_up)
        if label != known.model and accepted:
            self._overflow("monitor_exchange_duration_seconds")
        return label

    def _overflow(self, metric: str) -> None:
        self._meters.add("monitor_series_overflow_total", (metric,))

    def _count_times(
        self,
        known: Summary | Record,
        kind: tuple[str, str],
        segments: Sequence[tuple[str, str]],
        trace: Trace | None,
    ) -> None:
        """Count how long it took, by operation and model, and the objectives that it missed."""
        first, each = known.time_to_first_token, known.time_per_output_token
        shown = None if trace is None else trace.exemplar(known)
        self._meters.observe("monitor_exchange_duration_seconds", kind, known.duration, shown)
        if known.duration > self._latency:
            self._count_missed("latency", segments)
        if first is not None:
            shown = None if trace is None else trace.exemplar(known, first)
            self._meters.observe("monitor_time_to_first_token_seconds", kind, first, shown)
            if first > self._first_token:
                self._count_missed("first_token", segments)
        if each is not None:
            self._meters.observe("monitor_time_per_output_token_seconds", kind, each)

    def _count_missed(self, objective: str, segments: Sequence[tuple[str, str]]) -> None:
        self._meters.add("monitor_objective_missed_total", (objective,))
        for segment in ((WHOLE.dimension, WHOLE.value), *segments):
            self._meters.add("monitor_segment_objective_missed_total", (*segment, objective))

    def _count(
        self,
        known: Summary | Record,
        segments: Sequence[tuple[str, str]],
        model: str,
        trace: Trace | None = None,
    ) -> None:
        meters = self._meters
        self._count_times(known, (known.operation, model), segments, trace)
        first = known.time_to_first_token
        tokens = known.tokens
        told = () if tokens is None else (("input", tokens.input), ("output", tokens.output))
        directions = [(direction, count) for direction, count in told if count is not None]
        for direction, count in directions:
            meters.add("monitor_tokens_total", (model, direction), count)
        cost = known.cost
        if cost is not None:
            paid = nano(cost.amount), nano(cost.input), nano(cost.output)
            parts = zip(
                ("input", "output", "units"), (*paid[1:], paid[0] - paid[1] - paid[2]), strict=True
            )
            for direction, part in parts:
                if part > 0:
                    meters.add("monitor_cost_total", (model, direction, cost.currency), part)
        elif unpriced := sum(count for _, count in directions):
            meters.add("monitor_unpriced_tokens_total", (model,), unpriced)
        outcome = known.outcome.value
        for segment in ((WHOLE.dimension, WHOLE.value), *segments):
            meters.add("monitor_segment_exchanges_total", (*segment, outcome))
            meters.observe("monitor_segment_duration_seconds", segment, known.duration)
            if first is not None:
                meters.observe("monitor_segment_time_to_first_token_seconds", segment, first)
            for direction, count in directions:
                meters.add("monitor_segment_tokens_total", (*segment, direction), count)
            if cost is not None:
                meters.add("monitor_segment_cost_total", (*segment, cost.currency), paid[0])
