"""(Call, Inference) → Record: the only door out of memory, and the only maker of Records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

from monitor import hidden, traceparents
from monitor.feedback import Feedback, Statement
from monitor.privacy import rulings, statements
from monitor.privacy.cache import Cache
from monitor.privacy.heads import Heads, method_of
from monitor.privacy.known_parts import KnownParts, is_bare
from monitor.privacy.parameters import DIALECTS, Parameters, parameters
from monitor.privacy.patterns import Scanner, known_form
from monitor.privacy.policies import DROPPED, Policy
from monitor.privacy.pseudonyms import Keyring, Tokens
from monitor.privacy.scrub import ALLOWANCE, Bounds, Scrub, Seal
from monitor.privacy.short_texts import LONGEST, ShortTexts
from monitor.privacy.sides import Sides
from monitor.types import (
    ABSENT,
    Call,
    Inference,
    Message,
    Part,
    Record,
    RequestSummary,
    ResponseSummary,
    Summary,
)

STEPS = 3
"""Steps in which a Record is made: of its heads, of its texts, of the rest."""


class Privacy:
    """Makes Records. One per process; holds keys and what it did before, nothing personal.

    `clock` gives seconds for the time bound of a Record (`turns.worked`). The `cache` is for this
    one alone. Of corrections and notes in feedback only a digest is kept, unless it `keeps_texts`.
    """

    def __init__(
        self,
        *,
        scanner: Scanner,
        keyring: Keyring,
        clock: Callable[[], float],
        tenant: str = "default",
        policy: Policy | None = None,
        bounds: Bounds | None = None,
        seal: Seal | None = None,
        cache: Cache | None = None,
        keeps_texts: bool = True,
    ) -> None:
        self._keeps_texts = keeps_texts
        self._policy = policy
        self._scanner = scanner
        self._keys = frozenset(key for each in scanner.recognizers for key in each.keys)
        self._tenant = tenant
        self._cache = cache
        self._parts = KnownParts()
        self.use(keyring)
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._seal = seal
        self._texts = ShortTexts()
        self._label, self._is_clean = self._texts.label, self._texts.is_clean
        self._heads = Heads(policy, self._texts)
        self._sides = Sides(policy, self._texts)

    def use(self, keyring: Keyring) -> None:
        """Make pseudonyms under the current key of this keyring from the next Record on."""
        self._key = keyring.current.id
        self._tokens = Tokens(keyring.current, self._tenant)
        previous = keyring.previous
        self._previous = None if previous is None else Tokens(previous, self._tenant)
        if self._cache is not None:  # what is in it was made under another key
            self._cache = self._cache.emptied()
        self._parts.clear()

    def cache_lookups(self) -> tuple[int, int]:
        """Texts that were looked up so far: (found in the cache, not found)."""
        return (0, 0) if self._cache is None else (self._cache.hits, self._cache.misses)

    @property
    def has_rules(self) -> bool:
        """Whether the operator's paths say anything."""
        return self._policy is not None

    def ruled(self, call: Call, *, cached: bool = True) -> tuple[Call, Scrub]:
        """The call with what the operator's paths say about its JSON bodies done to them, to be
        read by a protocol, and what `record` must be given to know the marks in it for ours. Its
        time stands still until then. `glimpse` needs no texts `cached`: it has its own way."""
        scrub = self._scrub(cached=cached)
        if self._policy is not None:
            call = rulings.bodies_of(scrub, self._policy, call)
        scrub.pause()
        return call, scrub

    def summary(
        self, call: Call, inference: Inference, *, segments: Mapping[str, str], scrub: Scrub
    ) -> Summary:
        """What is counted of an exchange that leaves no Record, as `record` would have it."""
        scrub.resume()
        return Summary(
            protocol=inference.protocol, operation=self._label(scrub, inference.operation),
            model=self._label(scrub, inference.model), duration=call.exchange.duration,
            time_to_first_token=inference.first_token, time_per_output_token=inference.per_token,
            status=call.status, outcome=inference.ended(call.exchange.outcome, call.status),
            segments={n: self._segment(scrub, n, value) for n, value in segments.items()},
            tokens=inference.tokens, cost=inference.cost,
        )  # fmt: skip

    def record(
        self,
        call: Call,
        inference: Inference,
        *,
        endpoint: str,
        segments: Mapping[str, str],
        scrub: Scrub | None = None,
        sampled: float = 1.0,
        oversampled: bool = False,
        business: Mapping[str, str] | None = None,
        lineage: Mapping[str, str] | None = None,
        stated: Mapping[str, str] | None = None,
    ) -> Record:
        """What may be kept of an exchange. Total: what cannot be made safe is redacted, counted in
        `redactions`, and the rest stays. `scrub` is what `ruled` gave with the call. `business` are
        the application's own names of the exchange, by key. Of its lineage some facts are `stated`
        by its headers; the others are the operator's words."""
        if scrub is None:
            scrub = self._scrub()
            scrub.pause()
        *_, record = self.steps(
            call, inference, endpoint=endpoint, segments=segments, scrub=scrub, sampled=sampled,
            oversampled=oversampled, business=business, lineage=lineage, stated=stated,
        )  # fmt: skip
        assert record is not None  # noqa: S101
        return record

    def steps(
        self,
        call: Call,
        inference: Inference,
        *,
        endpoint: str,
        segments: Mapping[str, str],
        scrub: Scrub,
        sampled: float,
        oversampled: bool,
        business: Mapping[str, str] | None,
        lineage: Mapping[str, str] | None,
        stated: Mapping[str, str] | None,
    ) -> Iterator[Record | None]:
        """Yield what `record` returns after `STEPS` steps, None before: several Records may be made
        step by step together. The time of `scrub` stands still between them."""
        scrub.resume()
        named = statements.business(business, scrub, self._texts.text) if business else {}
        exchange = call.exchange
        response = exchange.response
        answer = Message(b"") if response is None else response
        operation = self._label(scrub, inference.operation)
        model = self._label(scrub, inference.model)
        found = {n: self._segment(scrub, n, value) for n, value in segments.items()}
        heads = self._heads
        asked = RequestSummary(
            method=method_of(call),
            path=heads.target(scrub, call),
            headers=heads.headers(scrub, "request", call.request_headers, exchange.request.head),
            bytes=exchange.request.size,
            truncated=call.request_truncated,
        )
        told = ResponseSummary(
            headers=heads.headers(scrub, "response", call.response_headers, answer.head),
            bytes=answer.size,
            truncated=call.response_truncated,
        )
        scrub.pause()
        yield None
        scrub.resume()
        put = self._sides.put
        inputs = put(scrub, "inputs", inference.inputs, call.request_body, exchange.request.body)
        outputs = put(scrub, "outputs", inference.outputs, call.response_body, answer.body)
        scrub.pause()
        yield None
        scrub.resume()
        yield Record(
            id=exchange.id, endpoint=endpoint, protocol=inference.protocol, operation=operation,
            model=model, started=exchange.started, duration=exchange.duration,
            time_to_first_token=inference.first_token, time_per_output_token=inference.per_token,
            status=call.status, outcome=inference.ended(exchange.outcome, call.status),
            streamed=inference.streamed, segments=found, request=asked, response=told,
            inputs=inputs, outputs=outputs, tokens=inference.tokens,
            finish_reasons=[self._label(scrub, reason) for reason in inference.finish_reasons],
            trace_id=traceparents.trace_id(call.request_headers.get("traceparent", "")),
            pseudonyms=scrub.pseudonyms, key=self._key, redactions=scrub.redactions,
            continues=scrub.continues,
            sealed=[f"{token} {box}" for token, box in scrub.sealed.items()],
            requested_model=self._said(scrub, inference.requested_model),
            response_id=self._texts.once(scrub, inference.response_id),
            service_tier=self._said(scrub, inference.service_tier), units=inference.units,
            confidence=inference.confidence, confidence_min=inference.confidence_min,
            cost=inference.cost, sampled=sampled, oversampled=oversampled, business=named,
            lineage={**(lineage or {}), **self._stated(scrub, stated or {})},
            parameters=self._parameters(scrub, call, inference.protocol),
            withheld=self._withheld(scrub),
        )  # fmt: skip

    def glimpse(
        self,
        call: Call,
        inference: Inference,
        *,
        endpoint: str,
        segments: Mapping[str, str],
        scrub: Scrub | None,
        failures: dict[str, BaseException],
    ) -> Record:
        """The Record of an exchange that features look at in this process and that is forgotten
        then: texts, labels and figures as `record` has them, without what nothing looks at. That
        are ids, path, headers, sizes, parameters, and what was done to the texts. Texts that come
        again are remembered as they are, within bounds: they lie in a file, and the process ends
        with it. `scrub` is what `ruled` gave; None where there are no rules. What recognizers raise
        is noted in `failures`."""
        exchange = call.exchange
        operation, model, reasons = inference.operation, inference.model, inference.finish_reasons
        withheld: dict[str, list[str]] = {}
        seen = self._seen(inference, segments) if scrub is None else None
        if seen is not None:
            found, inputs, outputs = dict(segments), *seen
        else:
            if scrub is None:
                scrub = self._scrub(cached=False)
            else:
                scrub.resume()
            operation, model = self._label(scrub, operation), self._label(scrub, model)
            found = {n: self._segment(scrub, n, value) for n, value in segments.items()}
            inputs = self._sides.put(
                scrub, "inputs", inference.inputs, call.request_body, exchange.request.body,
                make=self._known_part,
            )  # fmt: skip
            outputs = self._sides.put(
                scrub, "outputs", inference.outputs, call.response_body,
                b"" if exchange.response is None else exchange.response.body, make=self._known_part,
            )  # fmt: skip
            reasons = [self._label(scrub, reason) for reason in reasons]
            withheld = self._withheld(scrub)
            failures.update(scrub.failures)
        return Record(
            id=exchange.id, endpoint=endpoint, protocol=inference.protocol, operation=operation,
            model=model, started=exchange.started, duration=exchange.duration,
            time_to_first_token=inference.first_token, time_per_output_token=inference.per_token,
            status=call.status, outcome=inference.ended(exchange.outcome, call.status),
            streamed=inference.streamed, segments=found,
            request=_asked(method_of(call), call.request_truncated),
            response=_TOLD[call.response_truncated], inputs=inputs, outputs=outputs,
            tokens=inference.tokens, finish_reasons=reasons, trace_id=None, pseudonyms={},
            key=self._key, confidence=inference.confidence,
            confidence_min=inference.confidence_min, withheld=withheld,
        )  # fmt: skip

    def foresee(self, inferences: Iterable[Inference]) -> None:
        """Scrub the plain texts of several exchanges together, and not each when `glimpse` asks."""
        sides = [side for one in inferences for side in (one.inputs, one.outputs)]
        parts = chain.from_iterable(sides)
        scrubbed = self._scrub(cached=False).plain
        self._parts.foresee(parts, self._scanner, scrubbed, self._bounds.text, self._is_clean)

    def _seen(
        self, inference: Inference, segments: Mapping[str, str]
    ) -> tuple[list[Part], list[Part]] | None:
        """What `glimpse` makes of inputs and outputs where all of an exchange has been seen before,
        or foreseen, and its labels stay as they are; None otherwise."""
        labels = inference.operation, inference.model, *inference.finish_reasons
        if not self._texts.are_clean((*labels, *segments.items()) if segments else labels):
            return None
        asked, told = self._parts.all(inference.inputs), self._parts.all(inference.outputs)
        if asked is None or told is None:
            return None
        (inputs, read, added), (outputs, written, grown) = asked, told
        if added > ALLOWANCE or grown > ALLOWANCE or read + written > self._bounds.record:
            return None
        return inputs, outputs

    def feedback(self, said: Statement) -> Feedback:
        """What may be kept of what somebody said later of an exchange.

        Raises PrivacyError with the reason where a text in it cannot be made safe.
        """
        return statements.feedback(
            said, self._scrub(), self._texts.text, self._key, keeps_texts=self._keeps_texts
        )

    def text(self, value: str, *, trusted: bool = False) -> str:
        """Any other text on its way out of memory; with `trusted`, marks in it are our own."""
        return self._scrub(trusted=trusted).text(value)

    def name(self, value: str) -> str:
        """A short text of the traffic that comes once, on its way out of memory; a digest of one
        beyond 200 characters."""
        return self._texts.once(self._scrub(), value) or ""

    def segment(self, dimension: str, value: str) -> str:
        """A dimension's value, by its rule; `none` where nothing of it is kept."""
        return self._segment(self._scrub(trusted=True), dimension, value)

    def drops(self, side: str, column: str) -> bool:
        """Whether nothing of a column of somebody's table is kept."""
        rule = None if self._policy is None else self._policy.column(side, column).rule
        return rule is not None and rule.action == "drop"

    def minds(self, side: str, column: str) -> bool:
        """Whether a column's name or a rule says something of every value in it."""
        ruled = self._policy is not None and bool(self._policy.column(side, column))
        return ruled or bool(known_form(column, self._keys))

    def cell(self, side: str, column: str, value: Any) -> Any:
        """A scalar of somebody's table, by the column's rule; None where nothing of it is kept."""
        scrub = self._scrub(trusted=True)
        cursor = None if self._policy is None else self._policy.column(side, column)
        if not cursor:
            return scrub.value(value, column)
        done = rulings.inside(scrub, cursor, value, column)
        return None if done is DROPPED else done

    def again(self) -> Scrub:
        """What gives pseudonyms to values found in a Record later on; marks in it are our own."""
        return self._scrub(trusted=True)

    # --- pieces -------------------------------------------------------------------------------

    def _scrub(self, *, trusted: bool = False, cached: bool = True) -> Scrub:
        return Scrub(
            scanner=self._scanner,
            keys=self._keys,
            tokens=self._tokens,
            previous=self._previous,
            bounds=self._bounds,
            clock=self._clock,
            seal=self._seal,
            trusted=trusted,
            cache=self._cache if cached else None,
        )

    def _known_part(self, scrub: Scrub, side: str, part: Part) -> Part:
        """The same as `Sides.ruled`, remembered of texts that somebody said and no rule is for."""
        role, text = part.role, part.text
        if not (type(text) is str and is_bare(part)) or (
            self._policy is not None and self._policy.column(side, role or "")
        ):
            return self._sides.ruled(scrub, side, part)
        known = self._parts.get((role, text))
        if known is not None and scrub.spares(known[1]):
            return known[0]
        if role is not None:
            self._label(scrub, role)  # which is no work once it is known
        begin = scrub.progress()
        found = self._sides.part(scrub, part)
        work = scrub.work(text, begin)
        if known is None and work is not None:
            self._parts.put(role, text, found, work)
        return found

    def _segment(self, scrub: Scrub, name: str, value: str) -> str:
        value = str(value)  # what a body's rule keeps is kept in the body
        rule = None if self._policy is None else self._policy.place("segments", name).rule
        if rule is None or value == ABSENT:
            return self._label(scrub, value, name)
        done = rulings.scalar(scrub, rule, value, name)
        return ABSENT if done is DROPPED else str(done)[:LONGEST]

    def _parameters(self, scrub: Scrub, call: Call, protocol: str) -> Parameters:
        """How it was asked; a number of many digits is kept where nothing is found in it."""
        if protocol not in DIALECTS or call.request_truncated:
            return {}
        return parameters(
            call.request_body, lambda number, name: scrub.value(number, name) == number
        )

    def _withheld(self, scrub: Scrub) -> dict[str, list[str]]:
        return {
            side: [self._label(scrub, one) for one in hidden.named(names)]
            for side, names in scrub.withheld.items()
        }

    def _stated(self, scrub: Scrub, stated: Mapping[str, str]) -> dict[str, str]:
        return {fact: self._label(scrub, value, fact) for fact, value in stated.items()}

    def _said(self, scrub: Scrub, value: str) -> str | None:
        return self._label(scrub, value) if value else None


_TOLD = {is_cut: ResponseSummary({}, 0, is_cut) for is_cut in (False, True)}


@lru_cache(maxsize=64)
def _asked(method: str, is_cut: bool) -> RequestSummary:
    """What a glimpse has of a request: nobody looks at its path, headers and size."""
    return RequestSummary(method, "", {}, 0, is_cut)
